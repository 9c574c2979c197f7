package roomring_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGamesPage checks that the Go code on docs/GAMES.md comes from examples that are compiled and run.
func TestGamesPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "GAMES.md"))
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	files, _ := filepath.Glob(filepath.Join("room", "example_*_test.go")) // the pattern is well formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		examples.Write(text)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	if len(blocks) < 10 {
		t.Errorf("only %d blocks of Go on the page", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(examples.String(), block) {
			t.Errorf("docs/GAMES.md holds Go that no room/example_*_test.go has:\n%s", block)
		}
	}
	least, _, _ := strings.Cut(blocks[0], "```")
	if lines := strings.Count(least, "\n"); lines >= 40 {
		t.Errorf("the least game takes %d lines, not under 40", lines)
	}
}

// TestTablesOnTheGamesPage checks that the JavaScript on docs/GAMES.md is a table that the tests of browsers play on.
func TestTablesOnTheGamesPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "GAMES.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join("internal", "e2e", "browser", "testdata", "pages", "nim.js"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```js\n"+string(table)+"```\n") {
		t.Error("docs/GAMES.md has another table than internal/e2e/browser/testdata/pages/nim.js")
	}
}

var pageLink = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinks follows every link from one page of the project to another.
func TestLinks(t *testing.T) {
	root := "."
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "bench/*.md"} {
		found, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern))) // the patterns are well formed
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pageLink.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
	if len(pages) < 5 {
		t.Errorf("only %d pages were found", len(pages))
	}
}
