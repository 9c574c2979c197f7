package clustertest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryBadLuckIsShown holds the table of the README to stories and tests that exist, and to each showing the bad luck somewhere.
func TestEveryBadLuckIsShown(t *testing.T) {
	tests := testsOf(t, "../../internal/e2e", "../../cluster", "../../persist", "../../room")
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "bad luck" {
			continue
		}
		rows++
		stories, names := words(cells[2]), words(cells[3]+","+cells[4])
		if len(stories)+len(names) == 0 {
			t.Errorf("nothing shows: %s", cells[1])
		}
		for _, story := range stories {
			if _, err := os.Stat(filepath.Join("testdata", story+".txt")); err != nil {
				t.Errorf("%s: there is no such story: %v", cells[1], err)
			}
		}
		for _, name := range names {
			if !tests[strings.TrimSuffix(name, " (soak)")] {
				t.Errorf("%s: there is no test %s", cells[1], name)
			}
		}
	}
	if rows < 30 {
		t.Errorf("the table has %d rows", rows)
	}
}

// words are the names in a cell, without blanks.
func words(cell string) (all []string) {
	for name := range strings.SplitSeq(cell, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

// testsOf are the names of all tests under some folders, whatever their build tags.
func testsOf(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, folder := range folders {
		if err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range testName.FindAllSubmatch(text, -1) {
				all[string(found[1])] = true
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
