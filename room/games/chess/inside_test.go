package chess

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	library "github.com/corentings/chess/v2"
)

// TestCanMate goes through endings with few pieces. The names are "own/other", the pieces besides the kings, with
// bishops as L (on light squares) and D (on dark ones).
func TestCanMate(t *testing.T) {
	for pieces, want := range map[string]bool{
		"/": false, "/q": false, "/rp": false,
		"P/": true, "R/": true, "Q/": true, "P/q": true,
		"N/": false, "N/q": false, "N/qq": false, "N/r": true, "N/p": true, "N/n": true, "N/l": true, "NN/": true, "NN/q": true,
		"L/": false, "L/q": false, "L/r": false, "L/rq": false, "L/l": false, "L/d": true, "L/n": true, "L/p": true,
		"LL/": false, "LD/": true, "LN/": true, "D/l": true, "D/d": false,
	} {
		own, other, _ := strings.Cut(pieces, "/")
		if got := canMate(armyOf(own), armyOf(other)); got != want {
			t.Errorf("king and %q against king and %q can mate: %v", own, other, got)
		}
	}
}

func armyOf(pieces string) army {
	a := army{total: 1}
	for _, c := range []byte(strings.ToLower(pieces)) {
		switch c {
		case 'l':
			a.count('b', true)
		case 'd':
			a.count('b', false)
		default:
			a.count(c, false)
		}
	}
	return a
}

func TestSquareColours(t *testing.T) {
	both := armies("8/8/8/8/8/8/6b1/B6B") // g2 light, a1 dark, h1 light
	if both[white].light != 1 || both[white].dark != 1 || both[black].light != 1 {
		t.Errorf("%+v", both)
	}
}

// TestRulesLibrary counts moves in positions that are hard for move generators, and compares with the agreed
// numbers (https://www.chessprogramming.org/Perft_Results).
func TestRulesLibrary(t *testing.T) {
	for fen, want := range map[string]int{
		startFEN: 8902,
		"r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1": 97862,
		"8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1":                            2812,
		"r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1":     9467,
		"rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8":            62379,
	} {
		l, err := newLine(fen)
		if err != nil {
			t.Fatal(err)
		}
		if got := perft(l, 3); got != want {
			t.Errorf("%s: %d positions after three half-moves, not %d", fen, got, want)
		}
	}
}

func perft(l *line, depth int) int {
	legal, n := l.pos.ValidMoves(), 0
	if depth == 1 {
		return len(legal)
	}
	for i := range legal {
		before := l.pos
		l.advance(legal[i].String())
		n += perft(l, depth-1)
		l.pos = before
	}
	return n
}

// TestAgainstTheLibrary plays the recorded games and compares FEN, SAN and check with the rules library's own.
func TestAgainstTheLibrary(t *testing.T) {
	raw, err := os.ReadFile("testdata/chess-games.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for row := range strings.Lines(string(raw)) {
		if n++; n%10 != 0 {
			continue
		}
		var g struct{ Moves string }
		if err := json.Unmarshal([]byte(row), &g); err != nil {
			t.Fatal(err)
		}
		compareWithLibrary(t, g.Moves)
	}
}

func compareWithLibrary(t *testing.T, moves string) {
	t.Helper()
	l, err := newLine(startFEN)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.FieldsSeq(moves) {
		f, err := l.find(text)
		if err != nil {
			t.Fatal(err)
		}
		before := l.pos
		p := l.play(f)
		m, err := library.UCINotation{}.Decode(before, f.uci)
		if err != nil {
			t.Fatal(err)
		}
		if want := (library.AlgebraicNotation{}).Encode(before, m); p.san != want {
			t.Fatalf("%s is written %s, not %s", f.uci, p.san, want)
		}
		read, err := newLine(l.fen())
		if err != nil && l.verdict() == "" {
			t.Fatal(err)
		}
		if err == nil && (read.pos.String() != strings.Replace(l.pos.String(), passantOf(l.pos), passantOf(read.pos), 1) || read.first != l.last()) {
			t.Fatalf("%s is read as %s", l.fen(), read.pos)
		}
	}
}

// passantOf is the part of a FEN from the en passant square on.
func passantOf(pos *library.Position) string {
	f := strings.Fields(pos.String())
	return " " + f[3] + " " + f[4]
}

// The library's generator passes the check mark of e8=Q on to e8=N.
func TestCheckOfUnderpromotion(t *testing.T) {
	l, err := newLine("6k1/4P3/8/8/8/8/8/4K2R w - - 0 1")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.find("e8=N")
	if err != nil {
		t.Fatal(err)
	}
	if p := l.play(f); p.san != "e8=N" || p.check {
		t.Errorf("%+v", p)
	}
	for i, m := range l.pos.ValidMoves() {
		if i == 0 && m.HasTag(library.Check) {
			t.Error("the first reply gives check")
		}
	}
}

// TestBotBoard plays recorded and random games on the small board too, and compares squares, score and checks.
func TestBotBoard(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		l, err := newLine("r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1")
		if err != nil {
			t.Fatal(err)
		}
		b := newBotBoard(l.board(), l.turn())
		for l.verdict() == "" && len(l.plies) < 120 {
			legal := l.pos.ValidMoves()
			m := legal[random.IntN(len(legal))]
			b.make(botMoveOf(&m))
			l.play(found{m.String(), legal})
			fresh := newBotBoard(l.board(), l.turn())
			if fresh.endgame != b.endgame {
				b = fresh // a board keeps the tables that it began with
			}
			if *b != *fresh {
				t.Fatalf("after %s the small board is\n%+v, not\n%+v", m.String(), b, fresh)
			}
			if b.inCheck(l.turn()) != l.last().check || b.inCheck(l.turn().other()) {
				t.Fatalf("after %s in %s: check differs", m.String(), l.fen())
			}
		}
	}
}

// TestBotMoves proves that the small board's moves are the legal ones except castling, en passant and underpromotion.
func TestBotMoves(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		l, err := newLine("r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1")
		if err != nil {
			t.Fatal(err)
		}
		for l.verdict() == "" && len(l.plies) < 100 {
			legal := l.pos.ValidMoves()
			if got, want := botLegal(newBotBoard(l.board(), l.turn())), plainMoves(legal); got != want {
				t.Fatalf("%s has %d plain moves, the small board %d", l.fen(), want, got)
			}
			l.play(found{legal[random.IntN(len(legal))].String(), legal})
		}
	}
}

func botLegal(b *botBoard) (n int) {
	for _, m := range b.moves(nil, false) {
		next := *b
		next.make(m)
		if !next.inCheck(b.turn) {
			n++
		}
	}
	return n
}

func plainMoves(legal []library.Move) (n int) {
	for _, m := range legal {
		special := m.HasTag(library.KingSideCastle | library.QueenSideCastle | library.EnPassant)
		if !special && (m.Promo() == library.NoPieceType || m.Promo() == library.Queen) {
			n++
		}
	}
	return n
}

// TestBotFinds has the opponent find mates, captures and a promotion, and avoid a capture that stalemates.
func TestBotFinds(t *testing.T) {
	for fen, want := range map[string]string{
		"6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1": "a1a8", // mate in one
		"k7/8/1K6/8/8/8/8/7R w - - 0 1":     "h1h8",
		"4k3/8/8/3q4/4P3/8/8/4K3 w - - 0 1": "e4d5", // a queen for nothing
		"3qk3/8/8/8/8/8/3R4/3RK3 w - - 0 1": "d2d8",
		"k7/2p5/1P6/8/8/8/7K/1Q6 w - - 0 1": "b6c7",
		"8/P1k5/8/8/8/8/8/K7 w - - 0 1":     "a7a8q",
	} {
		for seed := range uint64(5) {
			l, err := newLine(fen)
			if err != nil {
				t.Fatal(err)
			}
			got := think(l, 3, rand.New(rand.NewPCG(seed, 0)))
			if got != want {
				t.Errorf("%s: the opponent plays %s, not %s", fen, got, want)
			}
		}
	}
}
