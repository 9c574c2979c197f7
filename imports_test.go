package roomring_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/roomring/roomring"

// source is one Go file of the module that is not a test.
type source struct {
	file string // from the module's root
	pkg  string // its folder
	*ast.File
}

// rule says what the packages under some folders may import; reason is for whoever breaks it.
type rule struct {
	under  []string // folders; "room" is that folder alone, "room/..." also those below
	own    []string // packages of this module they may import, written the same way
	others []string // outside the standard library; nil: any
	never  []string // of the standard library
	reason string
}

var (
	impure = []string{"net", "net/...", "os", "os/...", "syscall", "log", "log/..."}
	cbor   = []string{"github.com/fxamacker/cbor/..."}
)

var importRules = []rule{
	{[]string{"room/wire"}, nil, cbor, impure,
		"the protocol must be readable by any program: it takes the standard library and its codec, nothing else"},
	{[]string{"room/view"}, []string{"room/wire", "room/internal/fields"}, cbor, impure,
		"views are a pure function of the game's state"},
	{[]string{"room/strict"}, []string{"room/wire"}, []string{}, impure,
		"what an action says is a pure function of its bytes"},
	{[]string{"room/internal/fields"}, nil, []string{}, impure,
		"what it finds is a pure function of a type"},
	{[]string{"room"}, []string{"room/view", "room/strict", "room/internal/fields"}, []string{}, impure,
		"what a game author imports is the contract and nothing that runs it"},
	{[]string{"room/schema"}, []string{"room", "room/core", "room/internal/fields"}, []string{}, impure,
		"what a game's JSON may be is a pure function of its Go types"},
	{[]string{"room/record"}, []string{"room", "room/wire"}, []string{}, impure,
		"stores, cluster and web share these words; they are data"},
	{[]string{"room/core"}, []string{"room", "room/record", "room/wire", "room/view", "room/strict"}, append([]string{"github.com/klauspost/compress/..."}, cbor...), impure,
		"the core does no I/O, so that a replay, a takeover and a laptop compute the same room"},
	{[]string{"room/clock/..."}, []string{"room/clock"}, []string{}, impure,
		"who waits is given a clock; it knows nothing of who that is"},
	{[]string{"room/actor"}, []string{"room", "room/core", "room/record", "room/clock", "room/wire", "room/view"}, nil, []string{"net/http"},
		"the actor knows rooms and its ports; sockets and stores are joined to it by internal/node"},
	{[]string{"room/match"}, []string{"room", "room/core", "room/record", "room/clock", "room/actor"}, []string{"github.com/hashicorp/golang-lru/..."}, impure,
		"who plays with whom is decided by way of seats, wherever they are"},
	{[]string{"room/timeline"}, []string{"room", "room/core", "room/record", "room/clock", "room/wire", "room/actor"}, []string{"github.com/hashicorp/golang-lru/..."}, impure,
		"what a log comes to depends on the log and the rules; where logs come from is given"},
	{[]string{"internal/play"}, []string{"room", "room/core", "room/clock", "room/record"}, []string{}, []string{"net", "net/...", "os", "os/..."},
		"who plays a game knows its rules, and clients by an interface"},
	{[]string{"room/roomtest"}, []string{"internal/play", "room", "room/core", "room/internal/fields", "room/record", "room/wire", "room/view"}, nil, []string{"net", "net/..."},
		"the kit proves games, which know no network"},
	{[]string{"room/games/...", "bench/games"}, []string{"room", "room/games/..."}, nil, impure,
		"a game is rules: it knows no network, clock or storage"},
	{[]string{"cluster/edge", "cluster/ownership"}, []string{"room", "room/record", "room/clock"}, []string{}, append([]string{"sync", "sync/...", "context"}, impure...),
		"who has a room, and where a client's session is, are decided by pure machines that tests can run in any order"},
	{[]string{"cluster/clustertest/..."}, []string{"room/...", "cluster/...", "internal/testwait"}, nil, nil,
		"tests of the cluster run without stores and sockets of clients"},
	{[]string{"cluster/..."}, []string{"room/...", "cluster/...", "internal/certs"}, nil, nil,
		"cluster, persist and web declare the small interfaces they need and never import each other"},
	{[]string{"persist/..."}, []string{"room/...", "persist/..."}, nil, nil,
		"cluster, persist and web declare the small interfaces they need and never import each other"},
	{[]string{"web/auth"}, []string{"room", "room/record", "room/clock", "web/internal/text"}, nil, []string{"database/sql"},
		"who is let in does not depend on where it is asked"},
	{[]string{"web/ws", "web/api", "web/admin"}, []string{"room/...", "web/auth", "web/limit", "web/trust", "web/httpd", "web/metrics", "web/internal/..."}, nil, []string{"database/sql"},
		"sockets, API and admin API never import each other: what two of them need has a package of its own"},
	{[]string{"web/hook"}, []string{"room", "room/record"}, nil, []string{"database/sql"},
		"who is told an event knows what has happened, and nothing of how the server has come to it"},
	{[]string{"web/internal/webtest"}, []string{"room/...", "web/...", "internal/testwait"}, nil, []string{"database/sql"},
		"tests of the HTTP APIs share it"},
	{[]string{"web/..."}, []string{"room/...", "web/..."}, nil, []string{"database/sql"},
		"cluster, persist and web declare the small interfaces they need and never import each other"},
	{[]string{"internal/testwait"}, nil, []string{}, []string{"net", "net/...", "os", "os/..."},
		"tests of every package wait with it, so it knows none of them"},
	{[]string{"internal/certs"}, nil, []string{}, nil,
		"links and the admin listener read certificates by it, so it knows neither"},
	{[]string{"internal/testcert"}, nil, []string{}, nil,
		"tests of several packages need certificates; it knows none of them"},
	{[]string{"internal/node"}, []string{"internal/certs", "room/...", "cluster/...", "persist/...", "web/..."}, nil, []string{"os/signal", "flag"},
		"it joins the parts, and a program may have two of it: command line, signals and other things of the process are for internal/cli"},
	{[]string{"docs"}, nil, []string{}, []string{"net", "net/..."},
		"it holds files"},
	{[]string{"internal/docsite"}, nil, []string{"github.com/yuin/goldmark/..."}, nil,
		"it makes pages of Markdown, whatever they say"},
	{[]string{"internal/slownet"}, nil, []string{}, []string{"net/http"},
		"it carries bytes, whatever they are"},
	{[]string{"scripts/site"}, []string{"docs", "internal/docsite"}, []string{}, nil,
		"the site is that of the pages, and nothing of the server is in it"},
	{[]string{"internal/child"}, nil, []string{}, nil,
		"it starts processes, whatever they are"},
	{[]string{"internal/netns"}, nil, []string{"golang.org/x/sys/..."}, nil,
		"it makes networks, whoever is in them"},
	{[]string{"internal/scaffold/templates/..."}, []string{".", "room", "room/roomtest"}, []string{}, nil,
		"a template becomes somebody's own module, which takes what every program could"},
	{[]string{"internal/scaffold"}, nil, []string{}, []string{"net", "net/..."},
		"it writes files; what is in them is the templates'"},
	{[]string{"internal/torture"}, []string{"internal/child", "internal/netns", "internal/play", "room/...", "persist/pgserver", "web/client"}, nil, []string{"flag", "os/signal"},
		"it sees a cluster from outside, as players and an operator do; the parts of a node are none of its business"},
	{[]string{"internal/loadtest"}, []string{"internal/play", "room/...", "web/client"}, nil, []string{"flag", "os/signal"},
		"it sees a server from outside, as players and an operator do; the parts of a node are none of its business"},
	{[]string{"internal/typegen"}, []string{"room/schema"}, []string{}, []string{"net", "net/..."},
		"it writes source code of a game's types, whichever games and whoever asks"},
	{[]string{"internal/cli"}, []string{"internal/node", "internal/certs", "docs", "internal/child", "internal/docsite", "internal/loadtest", "internal/scaffold", "internal/slownet", "internal/torture", "internal/typegen", "room/...", "cluster/...", "persist/...", "web/..."}, nil, nil,
		"commands start nodes and ask running ones; nothing imports them but the package that is the program"},
	{[]string{"internal/e2e/..."}, []string{".", "internal/...", "cmd/...", "room/...", "cluster/...", "persist/...", "web/..."}, nil, nil,
		"tests of whole servers may look at every part"},
	{[]string{"."}, []string{"internal/node", "internal/cli", "room/..."}, nil, []string{"os/signal", "flag"},
		"what is exported to programs is thin: it hands on to internal/node and internal/cli"},
	{[]string{"scripts/..."}, nil, nil, nil,
		"scripts build and count; they must work when the server does not compile"},
	{[]string{"cmd/..."}, []string{".", "room/games/...", "room", "bench/games"}, nil, nil,
		"the binary is the first user of package roomring, and takes what every other program could"},
	{[]string{"bench/...", "deploy/..."}, []string{"room/...", "cluster/...", "persist/...", "web/...", "bench/..."}, nil, nil,
		"nothing imports a command; what two of them need belongs into a package"},
}

func TestImports(t *testing.T) {
	for _, src := range sources(t) {
		i := slices.IndexFunc(importRules, func(r rule) bool { return within(src.pkg, r.under) })
		if i < 0 {
			t.Errorf("%s: no import rule speaks of package %s: add one with its reason", src.file, src.pkg)
			continue
		}
		for _, spec := range src.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
			if !importRules[i].allows(imported) {
				t.Errorf("%s imports %s: not allowed in %s, because %s", src.file, imported, src.pkg, importRules[i].reason)
			}
		}
	}
}

func (r rule) allows(imported string) bool {
	if imported == module {
		return within(".", r.own)
	}
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		return within(own, r.own)
	}
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
		return r.others == nil && !within(imported, r.never) || within(imported, r.others)
	}
	return !within(imported, r.never)
}

// within reports whether a package is one of the patterns, where x/... is x and all below it.
func within(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		root, deep := strings.CutSuffix(p, "/...")
		return pkg == root || deep && strings.HasPrefix(pkg, root+"/")
	})
}

// pure are the packages in which a replay must compute the same again.
var pure = []string{"room", "room/core", "room/record", "room/wire", "room/view", "room/strict", "room/games/...", "bench/games", "cluster/edge", "cluster/ownership"}

// clocks are what no pure package calls: room time is in the inputs.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}

// seeded are the only names of math/rand/v2 that a pure package uses: the rest draw from a global source.
var seeded = []string{"Rand", "Source", "New", "NewPCG", "PCG", "NewChaCha8", "ChaCha8", "NewZipf", "Zipf"}

func TestPure(t *testing.T) {
	for _, src := range sources(t) {
		if !within(src.pkg, pure) {
			continue
		}
		ast.Inspect(src.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine: the order of two goroutines is not in the log, so a replay would differ", src.file)
			case *ast.SelectorExpr:
				src.impureUse(t, n)
			}
			return true
		})
	}
}

func (src source) impureUse(t *testing.T, sel *ast.SelectorExpr) {
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return
	}
	switch src.imported(pkg.Name) {
	case "time":
		if slices.Contains(clocks, sel.Sel.Name) {
			t.Errorf("%s uses time.%s: time arrives in inputs, because a replay has no clock to read", src.file, sel.Sel.Name)
		}
	case "math/rand/v2":
		if !slices.Contains(seeded, sel.Sel.Name) {
			t.Errorf("%s uses rand.%s: draw from the room's seeded source, because a replay must draw the same", src.file, sel.Sel.Name)
		}
	case "math/rand", "crypto/rand":
		t.Errorf("%s uses %s: draw from the room's seeded source, because a replay must draw the same", src.file, src.imported(pkg.Name))
	}
}

// given are the packages that are given a clock.
var given = []string{"cluster/..."}

// TestClockIsGiven keeps time out of packages that tests run in virtual time.
func TestClockIsGiven(t *testing.T) {
	for _, src := range sources(t) {
		if !within(src.pkg, given) {
			continue
		}
		ast.Inspect(src.File, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && src.readsTime(sel) {
				t.Errorf("%s uses %s.%s: go by the clock of the Options (package room/clock), so that tests can turn it", src.file, sel.X, sel.Sel.Name)
			}
			return true
		})
	}
}

// readsTime reports whether a name is one of those that go by the process's own time.
func (src source) readsTime(sel *ast.SelectorExpr) bool {
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return false
	}
	switch src.imported(pkg.Name) {
	case "time":
		return slices.Contains(clocks, sel.Sel.Name)
	case "context":
		return strings.HasPrefix(sel.Sel.Name, "WithTimeout") || strings.HasPrefix(sel.Sel.Name, "WithDeadline")
	}
	return false
}

// imported is the path that a name stands for in the file, or "".
func (src source) imported(name string) string {
	for _, spec := range src.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		base := path.Base(strings.TrimSuffix(imported, "/v2"))
		if spec.Name != nil {
			base = spec.Name.Name
		}
		if base == name {
			return imported
		}
	}
	return ""
}

// sources parses the module's files. Folders with a go.mod of their own are other modules.
func sources(t *testing.T) []source {
	t.Helper()
	root := "."
	var out []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(root, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		rel, _ := filepath.Rel(root, name) // both are relative
		out = append(out, source{filepath.ToSlash(rel), path.Dir(filepath.ToSlash(rel)), file})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func skipFolder(root, name string) error {
	if name == root {
		return nil
	}
	base := filepath.Base(name)
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil || base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") {
		return filepath.SkipDir
	}
	return nil
}

// TestLayout keeps the top of the tree readable at a glance.
func TestLayout(t *testing.T) {
	known := []string{
		"cmd", "internal", "room", "cluster", "persist", "web", "deploy", "docs", "bench", "scripts", "testdata",
		"bin", "artifacts", "roomring-data", // made by building and running; not in git
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			t.Errorf("folder %s/ at the top: its content belongs into one of %s", e.Name(), strings.Join(known, ", "))
		}
	}
}

// TestRulesBite feeds the rules what they exist to refuse.
func TestRulesBite(t *testing.T) {
	for _, tt := range []struct {
		pkg, imported string
		want          bool
	}{
		{"room", "net/http", false},
		{"room", "os", false},
		{"room", "time", true},
		{"room", module + "/room/view", true},
		{"room", module + "/room/core", false},
		{"room", "github.com/coder/websocket", false},
		{"room/wire", "github.com/fxamacker/cbor/v2", true},
		{"room/wire", module + "/room", false},
		{"room/games/chess", "github.com/corentings/chess/v2", true},
		{"room/games/chess", module + "/room/actor", false},
		{"web", module + "/persist", false},
		{"web/ws", module + "/web/api", false},
		{"web/auth", module + "/web/api", false},
		{"web/api", module + "/web/auth", true},
		{"persist/postgres", module + "/web", false},
		{"persist/postgres", module + "/persist", true},
		{"cluster", module + "/web", false},
		{"web", module + "/room/actor", true},
		{"room/clock", module + "/room/actor", false},
		{"cluster/link", module + "/room/clock", true},
		{"cluster", module + "/internal/node", false},
		{"cluster", module + "/persist", false},
		{"persist", module + "/cluster", false},
		{"web", module + "/cluster", false},
		{"room/actor", module + "/internal/node", false},
		{"internal/node", module + "/web", true},
		{"internal/node", module + "/internal/cli", false},
		{"internal/node", "os/signal", false},
		{".", module + "/internal/node", true},
		{".", module + "/web", false},
		{"web", module, false},
		{"cmd/roomring", module, true},
		{"cmd/roomring", module + "/web", false},
		{"bench/loadgen", module + "/internal/node", false},
	} {
		i := slices.IndexFunc(importRules, func(r rule) bool { return within(tt.pkg, r.under) })
		if i < 0 || importRules[i].allows(tt.imported) != tt.want {
			t.Errorf("may %s import %s? want %v", tt.pkg, tt.imported, tt.want)
		}
	}
}
