package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/snakes"
)

// typesOf runs the command and returns its exit code and what it said.
func typesOf(games []*room.Rules, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Run(Program{Games: games}, append([]string{"types"}, args...), &out, &err)
	return code, out.String(), err.String()
}

func TestTypes(t *testing.T) {
	games := []*room.Rules{chess.Rules(), snakes.Rules()}
	dir := filepath.Join(t.TempDir(), "src", "types")
	code, _, said := typesOf(games, "--out", dir, "--check")
	if code != ExitFailed || !strings.Contains(said, filepath.Join(dir, "chess.ts")) || !strings.Contains(said, "snakes.ts") {
		t.Errorf("without files --check exits %d: %s", code, said)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("--check writes")
	}
	var out string
	if code, out, said = typesOf(games, "--out", dir); code != ExitOK || said != "" || strings.Count(out, "wrote ") != 2 {
		t.Fatalf("exit %d, %s%s", code, out, said)
	}
	written, err := os.ReadFile(filepath.Join(dir, "chess.ts"))
	if err != nil || !bytes.Contains(written, []byte("/** the side to move is in check */")) {
		t.Errorf("the types lack the comments of their source: %v\n%s", err, written)
	}
	if code, out, said = typesOf(games, "--out", dir); code != ExitOK || out != "" {
		t.Errorf("a second time it exits %d and says %s%s", code, out, said)
	}
	if code, _, said = typesOf(games, "--out", dir, "--check"); code != ExitOK {
		t.Errorf("with its files --check exits %d: %s", code, said)
	}

	old := filepath.Join(dir, "chess.ts")
	if err := os.WriteFile(old, append(written, "// more\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, said = typesOf(games, "--out", dir, "--check")
	if code != ExitFailed || !strings.Contains(said, "out of date: "+old+":") || strings.Contains(said, "snakes") {
		t.Errorf("with an old file --check exits %d: %s", code, said)
	}
	if err := os.WriteFile(old, []byte("export const mine = 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, said = typesOf(games, "--out", dir)
	if kept, _ := os.ReadFile(old); code != ExitFailed || !strings.Contains(said, "was not written by this command") || string(kept) != "export const mine = 1;\n" {
		t.Errorf("a file of somebody's own: exit %d, %s\n%s", code, said, kept)
	}
	if code, out, said = typesOf(games, "--out", dir, "--lang", "csharp", "--game", "snakes"); code != ExitOK || out != "wrote "+filepath.Join(dir, "Snakes.cs")+"\n" {
		t.Errorf("one game in C#: exit %d, %s%s", code, out, said)
	}
}

func TestTypesOfWrongCalls(t *testing.T) {
	games := []*room.Rules{chess.Rules()}
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--lang", "cobol"}, ExitUsage, "--lang cobol: choose one of ts, gdscript, csharp, schema"},
		{[]string{"--game", "checkers"}, ExitUsage, "--game checkers: this program has chess"},
		{[]string{"chess"}, ExitUsage, "unknown command"},
		{[]string{"--out", filepath.Join(write(t, dir, "file", "x"), "under")}, ExitFailed, "not a directory"},
	} {
		code, _, said := typesOf(games, append([]string{"--out", dir}, tt.args...)...)
		if code != tt.code || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%q exits %d, want %d: %s", tt.args, code, tt.code, said)
		}
	}
}

// wordless is a game whose actions JSON cannot say.
type wordless struct{}

func (wordless) Act(*room.Turn, room.Player, struct{ At map[[2]int]bool }) error { return nil }
func (wordless) View(room.Viewer) int                                            { return 0 }

func TestTypesThatJSONCannotSay(t *testing.T) {
	dir := t.TempDir()
	rules := room.MustDefine(room.Spec{Name: "wordless", Version: 1}, func() wordless { return wordless{} })
	code, _, said := typesOf([]*room.Rules{chess.Rules(), rules}, "--out", dir)
	if code != ExitFailed || !strings.HasPrefix(said, "roomring: game wordless: its action: field At: a map with keys of type [2]int cannot be JSON") {
		t.Errorf("exit %d: %s", code, said)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("it wrote %v all the same", files)
	}
}

func TestTypesFarFromTheirSource(t *testing.T) {
	games := []*room.Rules{chess.Rules()}
	t.Chdir(t.TempDir())
	if code, _, said := typesOf(games, "--check"); code != ExitFailed || !strings.Contains(said, "cannot be checked without the Go source") {
		t.Errorf("--check exits %d: %s", code, said)
	}
	if code, _, said := typesOf(games); code != ExitOK || strings.Count(said, "\n") != 1 || !strings.Contains(said, "comments are missing") {
		t.Errorf("exit %d: %s", code, said)
	}
	if _, err := os.Stat("chess.ts"); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
