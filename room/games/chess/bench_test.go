package chess

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	library "github.com/corentings/chess/v2"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// benchMoves are the moves of one recorded game of usual length.
func benchMoves(b *testing.B) []string {
	b.Helper()
	raw, err := os.ReadFile("testdata/chess-games.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	for row := range strings.Lines(string(raw)) {
		var g struct{ Moves, Termination string }
		if err := json.Unmarshal([]byte(row), &g); err != nil {
			b.Fatal(err)
		}
		if m := strings.Fields(g.Moves); len(m) >= 70 && g.Termination == "resignation" {
			return m
		}
	}
	b.Fatal("no such game")
	return nil
}

// BenchmarkLibrary is a move decoded from SAN, made and encoded by the rules library's own notation.
func BenchmarkLibrary(b *testing.B) {
	moves, n, pos := benchMoves(b), 0, library.StartingPosition()
	b.ReportAllocs()
	for b.Loop() {
		if n == len(moves) {
			n, pos = 0, library.StartingPosition()
		}
		m, err := library.AlgebraicNotation{}.Decode(pos, moves[n])
		if err != nil {
			b.Fatal(err)
		}
		library.AlgebraicNotation{}.Encode(pos, m)
		pos = pos.Update(m)
		n++
	}
}

// BenchmarkFloor is the least that a move needs of the rules library: the legal moves, the next
// position, its board as text, and whether it is mate or stalemate.
func BenchmarkFloor(b *testing.B) {
	l, moves, n := benchLine(b), benchMoves(b), 0
	ucis := make([]string, len(moves))
	for i, m := range moves {
		f, err := l.find(m)
		if err != nil {
			b.Fatal(err)
		}
		ucis[i] = l.play(f).uci
	}
	pos := l.setup.position()
	b.ReportAllocs()
	for b.Loop() {
		if n == len(ucis) {
			n, pos = 0, l.setup.position()
		}
		pos.ValidMoves()
		m, err := library.UCINotation{}.Decode(pos, ucis[n])
		if err != nil {
			b.Fatal(err)
		}
		pos = m.Position()
		_ = pos.Board().String()
		pos.Status()
		n++
	}
}

func benchLine(b *testing.B) *line {
	b.Helper()
	l, err := newLine(startFEN)
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkGame is a move through this package alone: found, made, written down, judged and shown.
func BenchmarkGame(b *testing.B) {
	moves, n := benchMoves(b), 0
	g := new(Game)
	g.set(Options{FEN: startFEN}, benchLine(b))
	b.ReportAllocs()
	for b.Loop() {
		if n == len(moves) {
			n = 0
			g.set(Options{FEN: startFEN}, benchLine(b))
		}
		f, err := g.line.find(moves[n])
		if err != nil {
			b.Fatal(err)
		}
		g.line.play(f)
		g.sheet.add(g.line)
		g.line.verdict()
		g.View(room.Spectator)
		n++
	}
}

// BenchmarkStep is a move through a whole room: step, difference, and turn and answer encoded.
func BenchmarkStep(b *testing.B) {
	moves := benchMoves(b)
	data := make([]json.RawMessage, len(moves))
	for i, m := range moves {
		data[i], _ = json.Marshal(Action{Move: m})
	}
	players, n := [2]room.PlayerID{"ann", "bob"}, 0
	machine := benchRoom(b, players)
	b.ReportAllocs()
	for b.Loop() {
		if n == len(moves) {
			n = 0
			machine = benchRoom(b, players)
		}
		in := core.Input{Kind: core.KindAct, Player: players[n%2], Client: "c", CSeq: record.CSeq(n/2 + 1), Data: data[n]}
		if _, err := machine.Step(in); err != nil {
			b.Fatal(err)
		}
		for _, o := range machine.Commit(machine.Point().Seq) {
			switch o := o.(type) {
			case core.Turned:
				o.Frame.Bytes(wire.JSON)
			case core.Answered:
				o.Frame.Bytes(wire.JSON)
			}
		}
		n++
	}
}

func benchRoom(b *testing.B, players [2]room.PlayerID) *core.Core {
	machine, _, err := core.Open(core.Config{Rules: Rules(), Header: record.Header{
		Game: "chess", Version: Version, Runtime: core.RuntimeVersion,
		Options: json.RawMessage(`{"white": "first", "clock": {"initial_ms": 600000}}`),
	}}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range players {
		for _, in := range []core.Input{{Kind: core.KindJoin, Player: p}, {Kind: core.KindAttach, Player: p, Client: "c"}} {
			if _, err := machine.Step(in); err != nil {
				b.Fatal(err)
			}
		}
	}
	machine.Commit(machine.Point().Seq)
	return machine
}

// BenchmarkRestore restores a game of usual length from its snapshot.
func BenchmarkRestore(b *testing.B) {
	g := new(Game)
	g.set(Options{FEN: startFEN}, benchLine(b))
	for _, m := range benchMoves(b) {
		f, err := g.line.find(m)
		if err != nil {
			b.Fatal(err)
		}
		g.line.play(f)
	}
	snap, err := g.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := new(Game).Restore(snap); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBot is one move of the built-in opponent at its strongest, in the middle of a game.
func BenchmarkBot(b *testing.B) {
	l, err := newLine("r1bq1rk1/pp2bppp/2n1pn2/2pp4/3P1B2/2PBPN2/PP1N1PPP/R2QK2R w KQ - 0 8")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		think(l, int(MaxLevel), rand.New(rand.NewPCG(1, 1)))
	}
}
