package roomring_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Steps of a walk are the numbered lines of docs/ARCHITECTURE.md. Each begins with the functions that it describes, written as `folder`
// `Type.Method` or `folder` `Function`.
var (
	walkTitle = regexp.MustCompile(`^### (.+)$`)
	walkStep  = regexp.MustCompile("^[0-9]+\\. `([a-z/]+)` ((?:`[A-Za-z.]+`(?:, )?)+)")
	walkFunc  = regexp.MustCompile("`([A-Za-z.]+)`")
)

// The walk through another node is read with that on one node, which it goes as well.
const (
	localWalk  = "An act on one node"
	remoteWalk = "An act through another node"
)

// mostFiles bounds the files in which a walk is read.
var mostFiles = map[string]int{
	localWalk:                               28,
	remoteWalk:                              39,
	"A result, from the game to PostgreSQL": 20,
	"A room, from one node to another":      25,
}

// TestArchitecturePage checks that every function in the walks of docs/ARCHITECTURE.md exists.
func TestArchitecturePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	walk, steps, files := "", map[string]int{}, map[string][]string{}
	found := map[string]map[string]string{}
	for line := range strings.SplitSeq(string(page), "\n") {
		if m := walkTitle.FindStringSubmatch(line); m != nil {
			walk = m[1]
			continue
		}
		m := walkStep.FindStringSubmatch(line)
		if m == nil || mostFiles[walk] == 0 {
			continue
		}
		steps[walk]++
		folder := m[1]
		if found[folder] == nil {
			found[folder] = functionsOf(t, folder)
		}
		for _, f := range walkFunc.FindAllStringSubmatch(m[2], -1) {
			file, ok := found[folder][f[1]]
			if !ok {
				t.Errorf("%s: there is no function %s in %s: the walk must follow the code", walk, f[1], folder)
				continue
			}
			if !slices.Contains(files[walk], file) {
				files[walk] = append(files[walk], file)
			}
		}
	}
	for walk, most := range mostFiles {
		if steps[walk] < 5 {
			t.Errorf("the walk %q has %d steps", walk, steps[walk])
		}
		read := slices.Clone(files[walk])
		if walk == remoteWalk {
			read = append(read, files[localWalk]...)
		}
		slices.Sort(read)
		if read = slices.Compact(read); len(read) > most {
			t.Errorf("the walk %q is read in %d files, which is more than %d: %v", walk, len(read), most, read)
		}
		t.Logf("%s: %d steps in %d files", walk, steps[walk], len(read))
	}
}

// functionsOf returns the functions and methods of the Go files in a folder, without tests, and their files.
func functionsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	names, _ := filepath.Glob(filepath.Join(folder, "*.go")) // the pattern is well formed
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				all[receiver(f)+f.Name.Name] = name
			}
		}
	}
	return all
}

// receiver returns the type of a method and a dot, or nothing.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	switch generic := t.(type) {
	case *ast.IndexExpr:
		t = generic.X
	case *ast.IndexListExpr:
		t = generic.X
	}
	return t.(*ast.Ident).Name + "."
}
