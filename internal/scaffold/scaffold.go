// Package scaffold writes the beginning of a module with a game of one's own: a whole game that plays, with its table, its
// proof and what a project has beside.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// The templates of games are packages of this module, so that they compile and their tests run here.
//
//go:embed all:templates
var templates embed.FS

// Templates are the games that a module can begin with, and the name that each of them has in its files.
var Templates = map[string]string{"turn": "salvo", "realtime": "splatter", "cards": "fandango"}

// Options say what to write.
type Options struct {
	Name     string // of the folder and the game: letters, digits and hyphens, a letter first, at most 32
	Into     string // the folder in which the new folder is made; empty means the present one
	Template string // one of Templates; empty means turn
	Vite     bool   // write the table in TypeScript, built by Vite, in place of plain JavaScript
	Module   string // the module's path; empty means example.com/NAME
	Replace  string // a folder with Roomring's source to use in place of a published version; empty means none
	Types    []byte // the SDK's TypeScript types
}

// Project is what was written.
type Project struct {
	Dir  string // the new folder
	Game string // the game's name
}

// names are what a template's files say about the game.
type names struct {
	Game      string // salvo
	Type      string // Salvo: the beginning of names of types
	Title     string // for people
	Module    string
	GoVersion string
	Replace   string
	Vite      bool
}

const goVersion = "1.26"

var validName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$`)

// Write writes a new module. It never writes into a folder that has anything in it. The error is one line that says what to do;
// then nothing has been written.
func Write(o Options) (Project, error) {
	if o.Template == "" {
		o.Template = "turn"
	}
	old, known := Templates[o.Template]
	switch {
	case !validName.MatchString(o.Name) || len(o.Name) > 32:
		return Project{}, fmt.Errorf("%q is no name for a game: use letters, digits and hyphens, a letter first, at most 32", o.Name)
	case !known:
		return Project{}, fmt.Errorf("there is no template %q: choose turn, realtime or cards", o.Template)
	}
	n, err := namesFor(o)
	if err != nil {
		return Project{}, err
	}
	files, err := render(o, old, n)
	if err != nil {
		return Project{}, err
	}
	p := Project{Dir: filepath.Join(o.Into, o.Name), Game: n.Game}
	return p, create(p.Dir, files)
}

func namesFor(o Options) (names, error) {
	game := strings.ToLower(strings.ReplaceAll(o.Name, "-", ""))
	n := names{Game: game, Type: capital(game), Module: o.Module, GoVersion: goVersion, Vite: o.Vite}
	for word := range strings.SplitSeq(o.Name, "-") {
		n.Title = strings.TrimSpace(n.Title + " " + capital(word))
	}
	if n.Module == "" {
		n.Module = "example.com/" + strings.ToLower(o.Name)
	}
	if o.Replace == "" {
		return n, nil
	}
	dir, err := filepath.Abs(o.Replace)
	if err != nil {
		return n, err
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !bytes.HasPrefix(mod, []byte("module github.com/roomring/roomring\n")) {
		return n, fmt.Errorf("--replace %s: this folder has no source of Roomring: name the one with its go.mod", o.Replace)
	}
	n.Replace = filepath.ToSlash(dir)
	return n, nil
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// render makes all files of the module, by their slashed names.
func render(o Options, old string, n names) (map[string][]byte, error) {
	files := map[string][]byte{"go.mod": n.goMod(), "pages/types/roomring.d.ts": o.Types}
	rename := strings.NewReplacer(
		`"`+capital(old)+`"`, `"`+n.Title+`"`,
		capital(old), n.Type,
		old, n.Game,
	)
	err := each("templates/"+o.Template, func(name string, text []byte) error {
		table := path.Dir(name) == "pages"
		switch {
		case strings.HasPrefix(name, "ui/") && !o.Vite, table && o.Vite && path.Ext(name) == ".js":
			return nil
		case table && o.Vite:
			name = "ui/src/" + path.Base(name) // the style, which is built with the table
		}
		if strings.Contains(string(text), "export interface "+n.Type+" ") || strings.Contains(string(text), "export type "+n.Type+" ") {
			return fmt.Errorf("%q is the name of a type of the template: choose another name for the game", o.Name)
		}
		files[rename.Replace(name)] = []byte(rename.Replace(string(text)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	ui := "js"
	if o.Vite {
		ui = "vite"
	}
	for _, set := range []string{"common", ui} {
		if err := each("templates/"+set, func(name string, text []byte) error { return n.expand(files, name, string(text)) }); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// places are the files whose names a template cannot have, because embedding leaves them out or they mean something here.
var places = map[string]string{"gitignore": ".gitignore", "ci.yml": ".github/workflows/ci.yml"}

func (n names) expand(files map[string][]byte, name, text string) error {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, n); err != nil {
		return err
	}
	name = strings.TrimSuffix(name, ".tmpl")
	if place, ok := places[name]; ok {
		name = place
	}
	files[name] = b.Bytes()
	return nil
}

// goMod is a go.mod that `go mod tidy` completes.
func (n names) goMod() []byte {
	mod := fmt.Sprintf("module %s\n\ngo %s\n", n.Module, n.GoVersion)
	if n.Replace != "" {
		mod += fmt.Sprintf("\nreplace github.com/roomring/roomring => %s\n", quoted(n.Replace))
	}
	return []byte(mod)
}

// quoted is a path as go.mod takes it.
func quoted(dir string) string {
	if strings.ContainsAny(dir, " \"`'(),") {
		return fmt.Sprintf("%q", dir)
	}
	return dir
}

// each calls f with every file under a folder of the templates.
func each(folder string, f func(name string, text []byte) error) error {
	return fs.WalkDir(templates, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		return f(strings.TrimPrefix(name, folder+"/"), text)
	})
}

// create makes the folder with the files. If that fails, it removes what it has made.
func create(dir string, files map[string][]byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	made := os.Mkdir(dir, 0o755)
	if errors.Is(made, fs.ErrExist) {
		if all, err := os.ReadDir(dir); err != nil || len(all) > 0 {
			return fmt.Errorf("there is a %s already, and it is not an empty folder: choose another name", dir)
		}
	} else if made != nil {
		return made
	}
	defer func() {
		if err != nil && made == nil {
			_ = os.RemoveAll(dir)
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(at, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
