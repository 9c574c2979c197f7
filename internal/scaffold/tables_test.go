package scaffold_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/scaffold"
)

// run runs a command in a folder and returns what it prints.
func run(t *testing.T, dir, input, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, &errs)
	}
	return string(out)
}

// write has a template written, with the SDK's types.
func write(t *testing.T, o scaffold.Options) string {
	t.Helper()
	types, err := os.ReadFile(filepath.Join(checkout(t), "web", "sdk", "dist", "roomring.d.ts"))
	if err != nil {
		t.Fatal(err)
	}
	o.Into, o.Types, o.Replace = t.TempDir(), types, checkout(t)
	p, err := scaffold.Write(o)
	if err != nil {
		t.Fatal(err)
	}
	return p.Dir
}

// TestTablesKeepToTheirTypes checks the plain JavaScript of each template by its JSDoc, and the types that `types` has written.
func TestTablesKeepToTheirTypes(t *testing.T) {
	tsc := filepath.Join(checkout(t), "web", "node_modules", "typescript-native", "bin", "tsc")
	for name := range scaffold.Templates {
		dir := write(t, scaffold.Options{Name: "game", Template: name})
		config, err := json.Marshal(map[string]any{
			"compilerOptions": map[string]any{
				"allowJs": true, "checkJs": true, "strict": true, "noUncheckedIndexedAccess": true, "noEmit": true, "skipLibCheck": true,
				"target": "es2022", "module": "esnext", "moduleResolution": "bundler", "lib": []string{"es2022", "dom", "dom.iterable"}, "types": []string{},
			},
			"files": []string{"pages/game.js"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tsconfig.json"), config, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, dir, "", tsc, "-p", ".")
	}
}

// TestBothKindsOfTableAreTheSame strips the types off the tables in TypeScript. What is left is the JavaScript.
func TestBothKindsOfTableAreTheSame(t *testing.T) {
	for template := range scaffold.Templates {
		plain, typed := write(t, scaffold.Options{Name: "game", Template: template}), write(t, scaffold.Options{Name: "game", Template: template, Vite: true})
		for _, name := range []string{"game", "dom"} {
			bare := func(loader, dir, file string) string {
				text, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				return run(t, checkout(t), strings.ReplaceAll(string(text), "./dom.ts", "./dom.js"), "go", "tool", "esbuild", "--minify-whitespace", "--minify-syntax", "--loader="+loader)
			}
			js, ts := bare("js", plain, filepath.Join("pages", name+".js")), bare("ts", typed, filepath.Join("ui", "src", name+".ts"))
			if js != ts {
				t.Errorf("%s: %s.js and %s.ts differ:\n%s\n%s", template, name, name, js, ts)
			}
		}
	}
}
