package typegen_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/typegen"
	"github.com/roomring/roomring/internal/typegen/testdata/odd"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/schema"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

// games returns the built-in games and an odd one, with their source.
func games(t *testing.T) ([]*schema.Game, *typegen.Source) {
	t.Helper()
	var all []*schema.Game
	for _, rules := range []*room.Rules{chess.Rules(), liarsdice.Rules(), snakes.Rules(), odd.Rules()} {
		g, err := schema.Of(rules)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	src, err := typegen.ReadSource(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	return all, src
}

// TestFiles holds the files of all languages to those of testdata, which compilers and parsers check: the TypeScript and the GDScript in
// the tests of web/sdk, the C# below. With -update it writes them.
func TestFiles(t *testing.T) {
	all, src := games(t)
	for _, l := range typegen.Languages {
		for _, g := range all {
			if g.Name != "odd" && l.Name != "ts" {
				continue // the odd game has all that the others have
			}
			name, content, err := l.File(g, src)
			if err != nil {
				t.Fatal(err)
			}
			if !typegen.Generated(content) {
				t.Errorf("%s does not say that it is generated", name)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(content, want) {
				t.Errorf("%s is another one (%v); if that is meant: go test ./internal/typegen -run TestFiles -update\n%s", golden, err, content)
			}
			if _, again, _ := l.File(g, src); !bytes.Equal(content, again) {
				t.Errorf("%s is another one the second time", name)
			}
		}
	}
}

// TestWithoutSource writes types of which no comments are known.
func TestWithoutSource(t *testing.T) {
	all, _ := games(t)
	for _, l := range typegen.Languages {
		if _, content, err := l.File(all[0], new(typegen.Source)); err != nil || len(content) < 500 {
			t.Errorf("%s: %v\n%s", l.Name, err, content)
		}
	}
	t.Chdir(t.TempDir())
	src, err := typegen.ReadSource(t.Context(), all)
	if err == nil || src == nil {
		t.Error("outside of the module the go command finds the packages")
	}
	t.Setenv("PATH", "")
	if _, err := typegen.ReadSource(t.Context(), all); err == nil || !strings.Contains(err.Error(), "go list") {
		t.Errorf("without a go command the error is %v", err)
	}
}

// reads is a C# program that reads views and writes what it has read.
const reads = `
using System;
using System.Collections.Generic;
using Newtonsoft.Json;

public static class Reads
{
    public static void Main()
    {
        Console.InputEncoding = Console.OutputEncoding = new System.Text.UTF8Encoding(false); // whatever the locale
        for (string line; (line = Console.ReadLine()) != null;)
        {
            Console.WriteLine(JsonConvert.SerializeObject(JsonConvert.DeserializeObject<Roomring.Games.Odd.View>(line)));
        }
        Console.WriteLine(JsonConvert.SerializeObject(new Roomring.Games.Odd.Action { Do = Roomring.Games.Odd.Phase.Done, To = new Roomring.Games.Odd.Node { X = 3 } }));
        Console.WriteLine(JsonConvert.SerializeObject(new Roomring.Games.Odd.Options { Size = 5 }));
        Console.WriteLine(Roomring.Games.Odd.Events.ShipSunk);
        Roomring.Games.Chess.View chess = null;
        Roomring.Games.Snakes.Died died = null;
        Console.WriteLine(chess == null && died == null);
    }
}
`

// TestCSharp compiles the classes of all games with Mono and has them read views and write them again.
func TestCSharp(t *testing.T) {
	const library = "/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll"
	dir := t.TempDir()
	all, src := games(t)
	l, _ := typegen.Lookup("csharp")
	args := []string{"-langversion:7", "-warnaserror", "-out:" + filepath.Join(dir, "reads.exe"), "-r:" + library}
	for _, g := range all {
		name, content, err := l.File(g, src)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, write(t, dir, name, content))
	}
	args = append(args, write(t, dir, "Reads.cs", []byte(reads)))
	run(t, "", nil, "mcs", args...)

	n := 3
	views := []odd.View{{Phase: odd.Done, Forest: odd.Forest{{}, {{}}}, Blob: []byte{1, 2}, Big: 1 << 63, Sure: true, Before: []odd.Phase{odd.Playing}}, {
		Tree: odd.Tree{Kids: []*odd.Tree{{Name: "a"}, nil}, By: map[int][]odd.Tree{-3: {{Name: "b"}}}, Rows: [][]int{{1}, {}}, Grid: [2][3]float32{{0.5}}},
		View: &odd.Tree{Name: "v", Maps: []map[string]any{{"x": []int{1}, "y": map[string]bool{"z": true}}}}, Free: map[string]any{"a": 1.5},
		Pairs: map[string]odd.Pair[int, *odd.Tree]{"p": {Left: n, Right: &odd.Tree{Name: "r"}}}, Texts: odd.Pair[string, []string]{Left: "é", Right: []string{"<&>"}},
		Lists: []map[string][]odd.Node{{"n": {{X: 1, Y: -2}}}},
	}}
	var lines bytes.Buffer
	for _, v := range views {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(raw, '\n'))
	}
	sent := strings.Split(lines.String(), "\n")
	got := strings.Split(run(t, dir, &lines, "mono", filepath.Join(dir, "reads.exe")), "\n")
	if len(got) < len(views)+4 {
		t.Fatalf("the program wrote %q", got)
	}
	for i := range views {
		if a, b := parsed(t, sent[i]), parsed(t, got[i]); !reflect.DeepEqual(a, b) {
			t.Errorf("sent %s\ngot  %s", sent[i], got[i])
		}
	}
	rest := strings.Join(got[len(views):], "\n")
	if want := `{"do":"it's \"over\"","to":{"X":3,"Y":0}}` + "\n" + `{"size":5}` + "\nship-sunk\nTrue\n"; strings.TrimSpace(rest) != strings.TrimSpace(want) {
		t.Errorf("got  %s\nwant %s", rest, want)
	}
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, dir string, in *bytes.Buffer, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Dir = dir
	if in != nil {
		cmd.Stdin = in
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s (scripts/setup installs it): %v\n%s", name, err, out)
	}
	return string(out)
}

// parsed is JSON without the members that are null, which C# leaves out where they may be missing.
func parsed(t *testing.T, raw string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}
