package e2e

import (
	"context"
	"database/sql"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/roomring/roomring"
	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/wire"
)

// EncodingOf returns JSON for even numbers and CBOR for odd ones.
func EncodingOf(i int) wire.Encoding { return wire.Encoding(i % 2) }

// WaitContext returns a context that ends after two minutes: a ceiling for what should take moments.
func WaitContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Mentions reports whether the text has all the words.
func Mentions(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// Main runs the tests of one folder. The tests can run this binary as `roomring`, and under the names in others, so that no other program
// is built. Folders take turns, because tests that watch what happens within seconds fail more often when they share two processors.
func Main(m *testing.M, others map[string]func()) {
	commands := map[string]func(){"roomring": func() { roomring.Main(games()...) }}
	maps.Copy(commands, others)
	if _, command := commands[filepath.Base(os.Args[0])]; !command {
		waitForTurn()
	}
	testscript.Main(m, commands)
}

// StartCeiling bounds the wait for a server to start, or to end by itself, on a busy machine.
const StartCeiling = 60 * time.Second

// Exit codes of the command.
const (
	ExitOK     = cli.ExitOK
	ExitFailed = cli.ExitFailed
	ExitUsage  = cli.ExitUsage
)

// Ready is what a server writes to its ready file.
type Ready = node.Ready

// ExtraGames are games that only tests play. Processes have them in addition to the games of the command roomring.
var ExtraGames []*room.Rules

// games returns the games of the program under test.
func games() []*room.Rules {
	return append([]*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}, ExtraGames...)
}

// Run runs a command of roomring in this process and returns its exit code.
func Run(args []string, out, errs io.Writer) int {
	return cli.Run(cli.Program{Games: games()}, args, out, errs)
}

// BuiltinGames returns the games of the program under test.
func BuiltinGames() (*core.Games, error) { return core.NewGames(games()...) }

// devStatus is what `roomring dev` says about a node's process.
type devStatus struct {
	Node  string   `json:"node"`
	PID   int      `json:"pid"`
	State DevState `json:"state"`
	URL   string   `json:"url"`
	Admin string   `json:"admin"`
}

// DevState is the state of a node's process under `roomring dev`.
type DevState string

// States of a node's process.
const (
	DevRunning DevState = "running"
	DevPaused  DevState = "paused"
	DevStopped DevState = "stopped"
)

// Ceiling bounds every wait on a busy machine.
const Ceiling = 30 * time.Second

// EditDatabase runs a statement on a SQLite file.
func EditDatabase(t *testing.T, path, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// CreateHere makes rooms until this node owns one, and returns that one.
func (s *Server) CreateHere(game string, options any) RoomInfo {
	s.T.Helper()
	for {
		if info := s.Create(game, options); info.Node == s.Node {
			return info
		}
	}
}

// Until asks until ok returns true, with pauses that grow: each question may cost several processes some work. It fails the test when ctx ends.
func (s *Server) Until(ctx context.Context, what string, ok func() bool) {
	s.T.Helper()
	for pause := 10 * time.Millisecond; !ok(); pause = min(pause*5/4, 100*time.Millisecond) {
		select {
		case <-ctx.Done():
			s.T.Fatalf("never %s", what)
		case <-time.After(pause):
		}
	}
}

// WaitForShare waits until a share of all moves has been acknowledged.
func (s *Server) WaitForShare(ctx context.Context, matches []*Match, share float64) {
	s.T.Helper()
	s.Until(ctx, "in the middle of the games", func() bool { return PlayedShare(matches) >= share })
}

// PlayedShare returns the share of all moves that has been acknowledged, from 0 to 1.
func PlayedShare(matches []*Match) float64 {
	played, total := 0, 0
	for _, m := range matches {
		played, total = played+int(m.Played.Load()), total+len(strings.Fields(m.Game.Moves))
	}
	return float64(played) / float64(total)
}
