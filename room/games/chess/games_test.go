package chess_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	library "github.com/corentings/chess/v2"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/record"
)

type recorded struct {
	Moves, Result, Termination string
	FinalFEN                   string `json:"final_fen"`
}

func recordedGames(t testing.TB) (games []recorded) {
	t.Helper()
	f, err := os.Open("testdata/chess-games.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var g recorded
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		games = append(games, g)
	}
	return games
}

func boardAndTurn(fen string) string {
	f := strings.Fields(fen)
	return f[0] + " " + f[1]
}

// The rows of the file whose games end otherwise than the file says.
const (
	flagWithoutMate = 584
	fivefoldRow     = 658
)

// libraryLock guards the parts of the rules library that share memory between goroutines. Only tests use them:
// the parallel games here prove that the package does not.
var libraryLock sync.Mutex

// TestRecordedGames plays every game of testdata and ends it as it ended.
func TestRecordedGames(t *testing.T) {
	games := recordedGames(t)
	if len(games) != 789 {
		t.Fatalf("%d games", len(games))
	}
	for i, g := range games {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			b := play(t, `"clock": {"initial_ms": 600000}`)
			b.moves(g.Moves)
			if got := boardAndTurn(b.view().FEN); got != boardAndTurn(g.FinalFEN) {
				t.Fatalf("the board is %s, not %s", got, g.FinalFEN)
			}
			if len(strings.Fields(g.Moves)) < 2 && g.Termination != "resignation" { // a side has not acted
				b.endAs(i, g)
				b.ended("*", chess.Aborted)
				return
			}
			result := b.ended(g.Result, b.endAs(i, g))
			if i%16 == 0 {
				checkPGN(t, g, result)
			}
			if i%40 == 8 {
				playUCI(t, b, g)
			}
		})
	}
}

// endAs ends a game as its row says and returns the reason that it must give.
func (b *table) endAs(i int, g recorded) string {
	b.t.Helper()
	loser := map[string]room.PlayerID{"1-0": bob, "0-1": ann}[g.Result]
	switch g.Termination {
	case "checkmate":
		return chess.Checkmate
	case "insufficient":
		if i == flagWithoutMate {
			b.pass(time.Hour)
			return chess.TimeInsufficient
		}
		return chess.Insufficient
	case "repetition":
		if i == fivefoldRow {
			return chess.Fivefold
		}
		b.must(b.toMove(), `{"draw": "claim"}`)
		return chess.Repetition
	}
	b.going()
	switch g.Termination {
	case "resignation":
		b.must(loser, `{"resign": true}`)
		return chess.Resignation
	case "agreement":
		b.must(ann, `{"draw": "offer"}`)
		b.must(bob, `{"draw": "accept"}`)
		return chess.Agreement
	case "abandoned":
		b.step(core.Input{Kind: core.KindLeave, Player: b.toMove(), Reason: string(room.Left)})
		return chess.Abandoned
	case "time":
		b.pass(time.Hour)
		return chess.Time
	}
	b.t.Fatalf("termination %q", g.Termination)
	return ""
}

// checkPGN reads the result's PGN with the rules library.
func checkPGN(t *testing.T, g recorded, r room.Result) {
	t.Helper()
	var rec chess.Record
	if err := json.Unmarshal(r.Data, &rec); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(rec.PGN) {
		if len(line) > 80 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
	libraryLock.Lock()
	defer libraryLock.Unlock()
	read, err := library.PGN(strings.NewReader(rec.PGN))
	if err != nil {
		t.Fatalf("%v:\n%s", err, rec.PGN)
	}
	back := library.NewGame(read)
	if boardAndTurn(back.FEN()) != boardAndTurn(g.FinalFEN) || back.GetTagPair("Result") != g.Result || back.GetTagPair("White") != "Ann" {
		t.Errorf("the PGN reads otherwise:\n%s", rec.PGN)
	}
	if len(back.Moves()) != len(strings.Fields(g.Moves)) {
		t.Errorf("the PGN has %d moves", len(back.Moves()))
	}
}

// playUCI plays a game again in UCI notation, and restores it at every half-move.
func playUCI(t *testing.T, b *table, g recorded) {
	t.Helper()
	var kept struct{ UCI string }
	if err := json.Unmarshal([]byte(b.state()), &kept); err != nil {
		t.Fatal(err)
	}
	again := play(t, `"clock": {"initial_ms": 600000, "increment_ms": 100}`)
	for i, uci := range strings.Fields(kept.UCI) {
		again.pass(time.Second)
		again.must(again.toMove(), fmt.Sprintf(`{"move": %q}`, uci))
		if again.view().Last != uci {
			t.Fatalf("half-move %d: the last move is %s, not %s", i, again.view().Last, uci)
		}
		checkRestore(t, again)
	}
	if again.view().FEN != b.view().FEN {
		t.Fatalf("in UCI the game led to %s, not %s", again.view().FEN, b.view().FEN)
	}
}

// checkRestore restores the game from its snapshot and compares them.
func checkRestore(t testing.TB, b *table) {
	t.Helper()
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	machine, err := core.Restore(config("", 1), record.Kept{
		Header: b.core.Header(), Epoch: 1, Snapshots: []record.Snapshot{snap}, Time: b.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	restored := &table{t: t, core: machine}
	if b.state() != restored.state() {
		t.Fatalf("the restored game is\n%s, not\n%s", restored.state(), b.state())
	}
	was, _ := b.core.WholeView(room.Spectator)
	is, _ := machine.WholeView(room.Spectator)
	if string(was) != string(is) {
		t.Fatalf("the restored view is\n%s, not\n%s", is, was)
	}
}
