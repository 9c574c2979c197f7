package chess_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestNotations compares texts that may be sent for a move with its SAN.
func TestNotations(t *testing.T) {
	const (
		castle  = "r3k2r/pppppppp/8/8/8/8/PPPPPPPP/R3K2R w KQkq - 0 1"
		knights = "4k3/8/8/8/1N6/8/7P/1N2K1N1 w - - 0 1" // b1, b4, g1
		queens  = "1k6/8/8/Q6Q/8/8/8/Q3K3 w - - 0 1"     // a1, a5, h5
		promo   = "3r3k/4P3/8/8/8/8/8/4K3 w - - 0 1"     // e8, or takes d8
		passant = "4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1"    // e5 takes d5
		bishop  = "4k3/8/8/2p5/1P6/1B6/8/4K3 w - - 0 1"  // b4 takes c5, and a bishop on b3
		knight1 = "6k1/4P3/8/8/8/8/8/4K3 w - - 0 1"      // e8=N gives no check, e8=Q does
		pinned  = "4k3/8/8/8/1b6/2N5/8/4K1N1 w - - 0 1"  // only g1 can go to e2
		mating  = "6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1"    // Ra8#
		rookO   = "5k2/8/8/8/8/8/8/4K2R w K - 0 1"       // castling gives check
	)
	for _, c := range []struct{ fen, texts, written string }{
		{castle, "O-O 0-0 o-o e1g1 O-O+ O-O! Kg1 Ke1g1", "O-O"},
		{castle, "O-O-O 0-0-0 o-o-o e1c1", "O-O-O"},
		{rookO, "O-O 0-0+ e1g1", "O-O+"},
		{knights, "Nc3 Nbc3 N1c3 Nb1c3 b1c3 Nb1-c3", "Nc3"},
		{knights, "N1a3 Nb1a3 b1a3 Na3", "Na3"},
		{knights, "Nf3 g1f3 Ngf3", "Nf3"},
		{queens, "Q1e5 Qa1e5 a1e5", "Q1e5+"},
		{queens, "Qa5e5 a5e5 Qa5-e5", "Qa5e5+"},
		{queens, "Qhe5 Qh5e5 h5e5", "Qhe5+"},
		{promo, "e8=Q+ e8Q e8(Q) e8/Q e7e8q e7e8Q", "e8=Q+"},
		{promo, "exd8=N exd8N ed8=N e7d8n exd8(N)", "exd8=N"},
		{knight1, "e8=N e7e8n e8N+", "e8=N"},
		{knight1, "e8=Q e7e8q", "e8=Q+"},
		{passant, "exd6 exd6e.p. ed6 e5d6 e5xd6", "exd6"},
		{bishop, "bxc5 bc5 b4c5 b4xc5!?", "bxc5"},
		{bishop, "Bd5 b3d5", "Bd5"},
		{pinned, "Ne2 Nge2 g1e2", "Ne2"},
		{mating, "Ra8 Ra8# Ra8+ a1a8", "Ra8#"},
		{mating, "e1c1", "O-O-O"},
	} {
		for text := range strings.FieldsSeq(c.texts) {
			b := from(t, c.fen, "")
			code := b.act(ann, fmt.Sprintf(`{"move": %q}`, text))
			if c.fen == castle && strings.HasPrefix(text, "K") && code == "" {
				continue // a king's move of two squares is always castling
			}
			if code != "" {
				t.Errorf("%s in %s was refused: %s", text, c.fen, b.reason)
			} else if got := b.view().Moves[1]; got != c.written {
				t.Errorf("%s in %s was written %s, not %s", text, c.fen, got, c.written)
			}
		}
	}
}

// TestWrongMoves proves which moves are refused, and with which reasons.
func TestWrongMoves(t *testing.T) {
	for _, c := range []struct{ fen, text, code, reason string }{
		{"", "Nf6", "illegal_move", "Nf6: White has no knight that can go to f6"},
		{"", "e5", "illegal_move", "e5: White has no pawn that can go to e5"},
		{"", "e2e5", "illegal_move", "e2e5: White's pawn on e2 cannot go to e5"},
		{"", "e7e5", "illegal_move", "e7e5: White has no piece on e7"},
		{"", "e4e5", "illegal_move", "e4e5: White has no piece on e4"},
		{"", "O-O", "illegal_move", "O-O: White cannot castle kingside now"},
		{"", "O-O-O", "illegal_move", "White cannot castle queenside now"},
		{"", "Nbf3", "illegal_move", "White has no knight that can go to f3"},
		{"", "e4=Q", "illegal_move", "White has no pawn that can go to e4"},
		{"", "nf3", "bad_move", `"nf3" is not how a move is written`},
		{"", "e9", "bad_move", ""},
		{"", "Zf3", "bad_move", ""},
		{"", "Nf", "bad_move", ""},
		{"", "♘f3", "bad_move", ""},
		{"", "N", "bad_move", ""},
		{"", "+", "bad_move", ""},
		{"", strings.Repeat("e4", 4000), "bad_move", "…"},
		{"4k3/8/8/8/8/8/8/N1N1K3 w - - 0 1", "Nb3", "ambiguous_move", "Nb3 could be Nab3 or Ncb3"},
		{"4k3/4P3/8/8/8/8/8/4K3 w - - 0 1", "e8", "illegal_move", ""},
		{"8/4P1k1/8/8/8/8/8/4K3 w - - 0 1", "e8", "promotion_missing", "e8: say what the pawn becomes, such as e8=Q or e7e8q"},
		{"8/4P1k1/8/8/8/8/8/4K3 w - - 0 1", "e7e8", "promotion_missing", ""},
		{"8/4P1k1/8/8/8/8/8/4K3 w - - 0 1", "e8=K", "bad_move", ""},
		{"4k3/4r3/8/8/8/8/P7/4K3 w - - 0 1", "a3", "illegal_move", "and is in check"},
		{"4k3/8/8/8/4r3/8/4B3/4K3 w - - 0 1", "Bd3", "illegal_move", ""}, // pinned
		{"4k3/8/8/8/8/8/5r2/4K2R w K - 0 1", "O-O", "illegal_move", ""},  // through an attacked square
	} {
		b := play(t, "")
		if c.fen != "" {
			b = from(t, c.fen, "")
		}
		b.refuse(ann, fmt.Sprintf(`{"move": %q}`, c.text), c.code)
		if !strings.Contains(b.reason, c.reason) || len(b.reason) > 200 {
			t.Errorf("%s in %q was refused with %q", c.text, c.fen, b.reason)
		}
	}
	b := play(t, "")
	b.refuse(bob, `{"move": "e5"}`, "not_your_turn")
	if b.reason != "it is White's turn" {
		t.Error(b.reason)
	}
}

func TestUnderpromotion(t *testing.T) {
	b := from(t, "8/4P1k1/8/8/8/8/8/4K3 w - - 0 1", "")
	b.moves("e8=N")
	v := b.view()
	if !v.Check || v.FEN != "4N3/6k1/8/8/8/8/8/4K3 b - - 0 1" {
		t.Logf("%+v", v)
	}
	b.ended("1/2-1/2", "insufficient")
}
