package clustertest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the results of the stories into testdata")

// TestStories runs testdata/*.txt. In each block, the commands stand above ---- and their results below it. An empty line ends
// a block.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no stories in testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			was, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			is := tell(t, string(was))
			if is != string(was) && *update {
				err = os.WriteFile(file, []byte(is), 0o644)
			} else if is != string(was) {
				t.Errorf("the results differ (go test ./cluster/clustertest -run TestStories -update writes them):\n%s", is)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// tell runs a story and returns it with its results.
func tell(t *testing.T, text string) string {
	story := NewStory()
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		commands, _, _ := strings.Cut(block, "\n----")
		b.WriteString(commands + "\n----\n")
		for command := range strings.SplitSeq(commands, "\n") {
			if strings.HasPrefix(command, "#") {
				continue
			}
			lines, err := story.Do(command)
			for _, l := range lines {
				b.WriteString(l.String() + "\n")
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", command, err, b.String())
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
