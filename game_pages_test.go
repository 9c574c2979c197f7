package roomring_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
)

// gamePage is a game's page with the Go types that it describes.
type gamePage struct {
	options, action, view any
	record                any            // the result's data; nil: none
	events                map[string]any // the data of each
}

var gamePages = map[string]gamePage{
	"chess": {chess.Options{}, chess.Action{}, chess.View{}, chess.Record{}, map[string]any{"declined": chess.Declined{}}},
	"snakes": {snakes.Options{}, snakes.Action{}, snakes.View{}, nil, map[string]any{
		"died": snakes.Died{}, "round": snakes.RoundOver{},
	}},
	"liarsdice": {liarsdice.Options{}, liarsdice.Action{}, liarsdice.View{}, liarsdice.Record{}, map[string]any{
		"round": liarsdice.RoundEvent{}, "bid": liarsdice.Bid{}, "call": liarsdice.CallEvent{}, "missed": liarsdice.MissedEvent{}, "out": liarsdice.OutEvent{},
	}},
}

// TestGamePages compares docs/games with the games: the pages name every field, event, reason and code, and nothing else.
func TestGamePages(t *testing.T) {
	folders, err := os.ReadDir("room/games")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		name := folder.Name()
		page, ok := gamePages[name]
		if !ok {
			t.Errorf("game %s has no page: write docs/games/%s.md and name its types here", name, name)
			continue
		}
		t.Run(name, func(t *testing.T) { page.check(t, name) })
	}
}

func (p gamePage) check(t *testing.T, name string) {
	said, source := sections(t, "docs/games/"+name+".md"), sourceOf(t, "room/games/"+name)
	same := func(what string, said, is []string) {
		t.Helper()
		slices.Sort(said)
		slices.Sort(is)
		for _, s := range said {
			if !slices.Contains(is, s) {
				t.Errorf("%s: the page tells of %q, which there is not", what, s)
			}
		}
		for _, s := range slices.Compact(is) {
			if !slices.Contains(said, s) {
				t.Errorf("%s: the page does not tell of %q", what, s)
			}
		}
		if d := len(said) - len(slices.Compact(said)); d > 0 {
			t.Errorf("%s: the page tells of something twice: %v", what, said)
		}
	}
	same("options", said.table("Options", "field", 1), fields(p.options))
	same("actions", said.table("Actions", "field", 1), fields(p.action))
	same("view", said.table("View", "field", 1), fields(p.view))
	same("result's data", said.table("Result", "field", 1), fields(p.record))
	same("reasons", said.table("Result", "reason", 1), append(source.all(`(?m)^\t[A-Z]\w+ += "([a-z_]+)"`, "end.go"), "aborted"))
	same("codes", said.table("Refusals", "code", 1), source.all(`Refuse\("([a-z_]+)"`, ""))
	var data []string
	for event, v := range p.events {
		for _, f := range fields(v) {
			data = append(data, event+" "+f)
		}
	}
	same("events' data", said.table("Events", "event", 2), data)
	same("events", slices.Sorted(maps.Keys(p.events)), source.all(`t\.(?:Broadcast|Send)\((?:\w+, )?"([a-z_]+)"`, ""))
}

// fields returns the names that a value has in JSON, at any depth.
func fields(v any) (names []string) {
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			walk(t.Elem())
		case reflect.Struct:
			if seen[t] {
				return
			}
			seen[t] = true
			for f := range t.Fields() {
				if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag != "-" {
					names = append(names, tag)
				}
				walk(f.Type)
			}
		}
	}
	if v != nil {
		walk(reflect.TypeOf(v))
	}
	return names
}

// markdown returns a page's sections by title.
type markdown map[string]string

func sections(t *testing.T, file string) markdown {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := markdown{}
	for _, s := range strings.Split(string(raw), "\n## ")[1:] {
		title, body, _ := strings.Cut(s, "\n")
		page[title] = body
	}
	return page
}

// table returns the first n cells, joined, of the rows of a section's table. The table's first column has the title.
func (m markdown) table(section, title string, n int) (cells []string) {
	on := false
	for line := range strings.Lines(m[section]) {
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(row) < 2 {
			on = false
			continue
		}
		if first := strings.TrimSpace(row[0]); first == title {
			on = true
		} else if on && strings.HasPrefix(first, "`") {
			var said []string
			for _, cell := range row[:n] {
				said = append(said, strings.Trim(strings.TrimSpace(cell), "`"))
			}
			cells = append(cells, strings.Join(said, " "))
		}
	}
	return cells
}

// goSource returns a package's files by name, without tests.
type goSource map[string]string

func sourceOf(t *testing.T, dir string) goSource {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no source: %v", dir, err)
	}
	src := goSource{}
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			src[filepath.Base(f)] = string(raw)
		}
	}
	return src
}

// all returns what an expression's group matches in one file, or in all.
func (s goSource) all(expression, file string) (found []string) {
	re := regexp.MustCompile(expression)
	for name, text := range s {
		if file == "" || name == file {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				found = append(found, m[1])
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
