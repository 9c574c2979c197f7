package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the settings into docs/CONFIG.md")

const (
	pageStart = "<!-- settings: go test ./cmd/roomring -run TestConfigPage -update -->\n"
	pageEnd   = "<!-- end of settings -->\n"
)

// TestConfigPage holds docs/CONFIG.md to the flags that there are.
func TestConfigPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "CONFIG.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), pageStart)
	_, after, ended := strings.Cut(rest, pageEnd)
	if !found || !ended {
		t.Fatalf("%s has lost the marks around its settings", path)
	}
	page := before + pageStart + settingsPage() + pageEnd + after
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != string(text) {
		t.Errorf("docs/CONFIG.md differs from the flags; run: go test ./cmd/roomring -run TestConfigPage -update")
	}
}

// settingsPage is every setting as a table a group.
func settingsPage() string {
	var b strings.Builder
	for _, g := range newSettings().groups {
		fmt.Fprintf(&b, "\n## %s\n\n| flag and key | variable | takes | default | what it does |\n|---|---|---|---|---|\n", g.title)
		g.VisitAll(func(f *pflag.Flag) {
			unit, usage := pflag.UnquoteUsage(f)
			fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s | %s |\n", f.Name, envName(f.Name), cell(kind(f, unit)), code(f.DefValue), cell(usage))
		})
	}
	b.WriteString("\n")
	return b.String()
}

// kind says what form a value has, where its unit alone does not.
func kind(f *pflag.Flag, unit string) string {
	switch f.Value.Type() {
	case "duration":
		return "time: `300ms`, `15s`, `720h`"
	case "bool":
		return "`true`, `false`"
	case "stringSlice":
		return unit + ", comma-separated or a list"
	case "int":
		return "number of " + unit
	}
	return unit
}

func code(s string) string {
	if s == "" || s == "[]" {
		return "–"
	}
	return "`" + s + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// TestGamesPage holds the Go on docs/GAMES.md to examples that are compiled and run.
func TestGamesPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "GAMES.md"))
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	files, _ := filepath.Glob(filepath.Join("..", "..", "room", "example_*_test.go")) // the pattern is well formed
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

var pageLink = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinks follows every link from one page of the project to another.
func TestLinks(t *testing.T) {
	root := filepath.Join("..", "..")
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
