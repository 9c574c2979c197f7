package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`\broomring_[a-z_]+\b`)

// TestAlarmsHaveMetrics: every metric that docs/OPERATIONS.md speaks of is made somewhere, under that name or without
// the prefix that package web adds.
func TestAlarmsHaveMetrics(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, folder := range []string{"cmd/roomring", "web"} {
		files, err := fs.Glob(os.DirFS(filepath.Join(root, folder)), "*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(root, folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				code.Write(text)
			}
		}
	}
	names := metricName.FindAllString(string(page), -1)
	if len(names) < 10 {
		t.Fatalf("the page speaks of %d metrics", len(names))
	}
	for _, name := range names {
		if name == "roomring_node" { // the cookie
			continue
		}
		made := strings.TrimSuffix(name, "_bucket")
		short := strings.TrimPrefix(made, "roomring_")
		if !strings.Contains(code.String(), `"`+made+`"`) && !strings.Contains(code.String(), `"`+short+`"`) {
			t.Errorf("there is no metric %s", name)
		}
	}
}
