package scaffold_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/scaffold"
)

// checkout is the folder with this module's go.mod.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// No file of a new module names the game that its template was, and every Go file is one.
func TestANewModuleHasItsOwnName(t *testing.T) {
	for name, old := range scaffold.Templates {
		in := t.TempDir()
		p, err := scaffold.Write(scaffold.Options{Name: "Sea-Fight", Into: in, Template: name, Types: []byte("// types\n"), Replace: checkout(t)})
		if err != nil || p.Game != "seafight" || p.Dir != filepath.Join(in, "Sea-Fight") {
			t.Fatalf("%s: %+v %v", name, p, err)
		}
		files := 0
		err = filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			text, err := os.ReadFile(path)
			if strings.Contains(strings.ToLower(path+string(text)), old) {
				t.Errorf("%s: %s still names %s", name, path, old)
			}
			if filepath.Ext(path) == ".go" {
				if _, err := parser.ParseFile(token.NewFileSet(), path, text, parser.AllErrors); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			return err
		})
		if err != nil || files < 14 {
			t.Errorf("%s: %d files: %v", name, files, err)
		}
		for file, words := range map[string]string{
			"go.mod": "module example.com/sea-fight\n", "README.md": "# Sea Fight\n", "game.go": `Title: "Sea Fight"`, "pages/seafight.js": "", "pages/seafight.css": "",
			"pages/types/seafight.ts": "export interface SeafightView", ".gitignore": "/roomring-data/", ".github/workflows/ci.yml": "make test", "Dockerfile": "/seafight",
		} {
			if text, err := os.ReadFile(filepath.Join(p.Dir, filepath.FromSlash(file))); err != nil || !strings.Contains(string(text), words) {
				t.Errorf("%s: %s has no %q: %v", name, file, words, err)
			}
		}
	}
}

// What cannot be written is refused in one line, and leaves nothing behind.
func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	in := t.TempDir()
	full := filepath.Join(in, "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	for words, o := range map[string]scaffold.Options{
		"is no name for a game":     {Name: "../x"},
		`"" is no name`:             {},
		`"9lives" is no name`:       {Name: "9lives"},
		"name of a type":            {Name: "sea"},
		"at most 32":                {Name: strings.Repeat("a", 33)},
		"there is no template":      {Name: "x", Template: "chess"},
		"has no source of Roomring": {Name: "x", Replace: in},
		"it is not an empty folder": {Name: "full"},
	} {
		o.Into = in
		if _, err := scaffold.Write(o); err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want %q", o, err, words)
		}
	}
	left, err := os.ReadDir(in)
	if err != nil || len(left) != 1 {
		t.Errorf("what is left: %v %v", left, err)
	}
}
