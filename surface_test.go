package roomring_test

import (
	"flag"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is exported to testdata/surface")

// TestSurface prints what packages roomring and room export, so that a change is visible. With -update it writes the list.
func TestSurface(t *testing.T) {
	for name, folder := range map[string]string{"roomring": ".", "room": "room"} {
		golden := filepath.Join("testdata", "surface", name+".txt")
		got := surface(t, name, folder)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("package %s exports something else than %s (%v); if that is meant: go test . -run TestSurface -update\n%s", name, golden, err, got)
		}
	}
}

var comments = regexp.MustCompile(`(?m)[ \t]*//.*$`)

// surface returns the exported declarations of a package, one after another, without comments. A declaration without a comment is an
// error.
func surface(t *testing.T, name, folder string) string {
	t.Helper()
	files := token.NewFileSet()
	var parsed []*ast.File
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, filepath.Join(folder, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	p, err := doc.NewFromFiles(files, parsed, module+"/"+name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	write := func(what, said string, decl ast.Decl) {
		if strings.TrimSpace(said) == "" && !commented(decl) && what != "Error" && what != "String" {
			t.Errorf("package %s: %s is not documented", name, what)
		}
		if f, ok := decl.(*ast.FuncDecl); ok {
			f.Body, f.Doc = nil, nil
		}
		var text strings.Builder
		if err := format.Node(&text, files, decl); err != nil {
			t.Fatal(err)
		}
		b.WriteString(comments.ReplaceAllString(text.String(), "") + "\n")
	}
	values := func(all []*doc.Value) {
		for _, v := range all {
			write(strings.Join(v.Names, ", "), v.Doc, v.Decl)
		}
	}
	funcs := func(all []*doc.Func) {
		for _, f := range all {
			write(f.Name, f.Doc, f.Decl)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, typ := range p.Types {
		write(typ.Name, typ.Doc, typ.Decl)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
	}
	return regexp.MustCompile(`\n\n+`).ReplaceAllString(b.String(), "\n")
}

// commented reports whether every exported name of a group has a comment of its own.
func commented(decl ast.Decl) bool {
	group, ok := decl.(*ast.GenDecl)
	if !ok {
		return false
	}
	for _, spec := range group.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || v.Doc == nil && v.Comment == nil {
			return false
		}
	}
	return true
}
