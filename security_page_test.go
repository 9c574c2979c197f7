package roomring_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testNamed  = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testFunc   = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	flagNamed  = regexp.MustCompile("`--([a-z-]+)")
	limitStart = "\n## Limits\n"
)

// TestSecurityPage compares docs/SECURITY.md with the tests and flags: each limit names a test that exists, and each setting exists.
func TestSecurityPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	tests := testsOfTheModule(t)
	for _, m := range testNamed.FindAllStringSubmatch(page, -1) {
		if !tests[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
	settings, err := os.ReadFile(filepath.Join("docs", "CONFIG.md")) // which is made from the flags
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range flagNamed.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(string(settings), "| `--"+m[1]+"` |") {
			t.Errorf("there is no setting --%s", m[1])
		}
	}
	_, limits, found := strings.Cut(page, limitStart)
	rows := 0
	for line := range strings.Lines(limits) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| limit ") {
			continue
		}
		if rows++; !testNamed.MatchString(line[strings.LastIndex(strings.TrimRight(line, " |\n"), "|"):]) {
			t.Errorf("this limit names no test: %s", line)
		}
	}
	if !found || rows < 20 {
		t.Errorf("the page has %d limits", rows)
	}
}

// testsOfTheModule returns the names of all tests of the module.
func testsOfTheModule(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	root := "."
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(root, name)
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			found[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
