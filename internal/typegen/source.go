package typegen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/roomring/roomring/room/schema"
)

// Source is what the Go source says of types beyond what a running program knows: comments, and the constants of a type. The zero
// value knows nothing.
type Source struct{ packages map[string]*pkg }

type pkg struct {
	docs   map[string]string // by type, and by type and field: "View", "View.Status"
	values map[string][]Constant
}

// Constant is one of a type's named values.
type Constant struct{ Name, Value, Doc string }

// ReadSource reads the packages that games' types come from, by the go command in the present folder. It blocks until that has answered. The error says why
// there is no source, or not all of it; what was found is returned all the same.
func ReadSource(ctx context.Context, games []*schema.Game) (*Source, error) {
	paths := map[string]string{} // by the path to ask for: the path that reflection gives
	for _, g := range games {
		for path := range packagesOf(g) {
			paths[importPath(path)] = path
		}
	}
	src := &Source{map[string]*pkg{}}
	if len(paths) == 0 {
		return src, nil
	}
	listed, err := list(ctx, slices.Sorted(maps.Keys(paths)))
	if err != nil {
		return src, err
	}
	var missing []error
	for _, l := range listed {
		if l.Error != nil || len(l.GoFiles)+len(l.CgoFiles) == 0 {
			missing = append(missing, fmt.Errorf("the go command does not find package %s from here", l.ImportPath))
			continue
		}
		reflected, known := paths[l.ImportPath]
		if !known {
			reflected = "main" // asked for as "."
		}
		p, err := parse(l)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		src.packages[reflected] = p
	}
	return src, errors.Join(missing...)
}

// importPath is what the go command calls a package. Reflection calls that of the program itself main.
func importPath(reflected string) string {
	if reflected != "main" {
		return reflected
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Path != "" && info.Path != "command-line-arguments" {
		return info.Path
	}
	return "."
}

// packagesOf returns the packages of all types of a game.
func packagesOf(g *schema.Game) map[string]bool {
	found := map[string]bool{}
	seen := map[*schema.Type]bool{}
	var walk func(t *schema.Type)
	walk = func(t *schema.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		if t.Go != nil && t.Go.PkgPath() != "" {
			found[t.Go.PkgPath()] = true
		}
		walk(t.Elem.Type)
		for _, f := range t.Fields {
			if p := f.Owner.PkgPath(); p != "" {
				found[p] = true
			}
			walk(f.Type)
		}
	}
	for _, v := range values(g) {
		walk(v.Type)
	}
	return found
}

// values are all of a game.
func values(g *schema.Game) []schema.Value {
	all := []schema.Value{g.View, g.Action}
	if g.Options != nil {
		all = append(all, *g.Options)
	}
	for _, e := range g.Events {
		all = append(all, e.Data)
	}
	return all
}

// listing is a part of what go list tells of a package.
type listing struct {
	ImportPath, Dir   string
	GoFiles, CgoFiles []string
	Error             *struct{ Err string }
}

func list(ctx context.Context, paths []string) ([]listing, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-e", "-find", "-json=ImportPath,Dir,GoFiles,CgoFiles,Error", "--"}, paths...)...)
	cmd.Env = append(os.Environ(), "GOPROXY=off") // this program was built, so all is here
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []listing
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var l listing
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, l)
	}
	return all, nil
}

func parse(l listing) (*pkg, error) {
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Concat(l.GoFiles, l.CgoFiles) {
		file, err := parser.ParseFile(set, filepath.Join(l.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	p := &pkg{map[string]string{}, map[string][]Constant{}}
	for _, file := range files {
		p.readDocs(file)
	}
	p.readConstants(set, l.ImportPath, files)
	return p, nil
}

func (p *pkg) readDocs(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			return true
		}
		for _, spec := range decl.Specs {
			spec := spec.(*ast.TypeSpec)
			doc := said(spec.Doc, spec.Comment)
			if doc == "" && len(decl.Specs) == 1 {
				doc = said(decl.Doc)
			}
			p.docs[spec.Name.Name] = doc
			if s, ok := spec.Type.(*ast.StructType); ok {
				p.readFields(spec.Name.Name, s)
			}
		}
		return true
	})
}

func (p *pkg) readFields(typ string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			p.docs[typ+"."+name.Name] = said(f.Doc, f.Comment)
		}
	}
}

// readConstants finds the constants of each type. Imports are left out, for they are not needed to know the values of enumerations.
func (p *pkg) readConstants(set *token.FileSet, path string, files []*ast.File) {
	docs := map[token.Pos]string{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for _, name := range spec.Names {
					docs[name.Pos()] = said(spec.Doc, spec.Comment)
				}
			}
			return true
		})
	}
	config := types.Config{IgnoreFuncBodies: true, Error: func(error) {}, Importer: nothing{}}
	checked, _ := config.Check(path, set, files, nil)
	scope := checked.Scope()
	var all []*types.Const
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && c.Val().Kind() == constant.String {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *types.Const) int { return int(a.Pos() - b.Pos()) })
	for _, c := range all {
		if named, ok := types.Unalias(c.Type()).(*types.Named); ok && named.Obj().Pkg() == checked {
			typ := named.Obj().Name()
			p.values[typ] = append(p.values[typ], Constant{c.Name(), constant.StringVal(c.Val()), docs[c.Pos()]})
		}
	}
}

// nothing imports nothing.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) { return nil, errors.New("not needed") }

// docLink is a link of a Go comment.
var docLink = regexp.MustCompile(`\[\*?([A-Za-z_][A-Za-z0-9_.]*)\]`)

// said joins comments, without the links that mean something in Go alone.
func said(groups ...*ast.CommentGroup) string {
	var all []string
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			all = append(all, docLink.ReplaceAllString(text, "$1"))
		}
	}
	return strings.Join(all, "\n")
}

// typeDoc is the comment of a type, and fieldDoc that of a field.
func (s *Source) typeDoc(t reflect.Type) string { return s.doc(t, goName(t)) }

func (s *Source) fieldDoc(f schema.Field) string { return s.doc(f.Owner, goName(f.Owner)+"."+f.GoName) }

func (s *Source) doc(t reflect.Type, name string) string {
	if p := s.packages[t.PkgPath()]; p != nil {
		return p.docs[name]
	}
	return ""
}

// enum is the constants of a type of texts, if it has two or more, so that it may be held for an enumeration.
func (s *Source) enum(t *schema.Type) []Constant {
	if t.Kind != schema.String || t.Format != schema.Text || t.Go.Kind() != reflect.String || t.Go.Name() == "" {
		return nil
	}
	p := s.packages[t.Go.PkgPath()]
	if p == nil || len(p.values[t.Go.Name()]) < 2 {
		return nil
	}
	return p.values[t.Go.Name()]
}

// goName is the name of a type without type arguments.
func goName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}
