package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the settings into docs/CONFIG.md")

const (
	pageStart = "<!-- settings: go test ./internal/cli -run TestConfigPage -update -->\n"
	pageEnd   = "<!-- end of settings -->\n"
)

// TestConfigPage compares docs/CONFIG.md with the flags.
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
		t.Errorf("docs/CONFIG.md differs from the flags; run: go test ./internal/cli -run TestConfigPage -update")
	}
}

// settingsPage returns every setting, in one table per group.
func settingsPage() string {
	var b strings.Builder
	for _, g := range newSettings().groups {
		fmt.Fprintf(&b, "\n## %s\n\n| flag and key | variable | takes | default | what it does |\n|---|---|---|---|---|\n", g.title)
		g.VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			unit, usage := pflag.UnquoteUsage(f)
			fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s | %s |\n", f.Name, envName(f.Name), cell(kind(f, unit)), code(f.DefValue), cell(usage))
		})
	}
	b.WriteString("\n")
	return b.String()
}

// kind returns the form of a value where its unit does not tell it.
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
