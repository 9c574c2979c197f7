package chess_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/record"
)

const shuffle = "Nf3 Nf6 Ng1 Ng8 " // repeats the position once

func TestThreefoldIsClaimed(t *testing.T) {
	for _, who := range []room.PlayerID{ann, bob} {
		b := play(t, "")
		b.moves(shuffle + "Nf3 Nf6 Ng1")
		b.refuse(who, `{"draw": "claim"}`, "no_claim")
		b.moves("Ng8")
		if got := b.view().Claim; got != chess.Repetition {
			t.Errorf("the view offers the claim %q", got)
		}
		b.must(who, `{"draw": "claim"}`)
		b.ended("1/2-1/2", chess.Repetition)
	}
}

func TestClaimIsGoneWithTheNextMove(t *testing.T) {
	b := play(t, "")
	b.moves(shuffle + shuffle + "e4")
	b.refuse(ann, `{"draw": "claim"}`, "no_claim")
	if b.view().Claim != "" {
		t.Errorf("the view offers %q", b.view().Claim)
	}
}

func TestFivefoldEndsByItself(t *testing.T) {
	b := play(t, "")
	b.moves(shuffle + shuffle + shuffle + "Nf3 Nf6 Ng1")
	b.going()
	b.moves("Ng8")
	b.ended("1/2-1/2", chess.Fivefold)
}

// A double step that allows no capture en passant does not make a different position (FIDE 9.2.3.2).
func TestRepetitionAndEnPassant(t *testing.T) {
	b := play(t, "")
	b.moves("e4 " + "Nf6 Nf3 Ng8 Ng1 " + "Nf6 Nf3 Ng8 Ng1")
	if b.view().Claim != chess.Repetition {
		t.Error("after e4 nothing can be taken en passant, so the position is the same three times")
	}
	c := play(t, "")
	c.moves("a3 d5 a4 d4 e4 " + "Nf6 Nf3 Ng8 Ng1 " + "Nf6 Nf3 Ng8 Ng1")
	if c.view().Claim != "" {
		t.Error("after e4 dxe3 was possible once, so the first position was another")
	}
	c.moves("Nf6 Nf3 Ng8 Ng1")
	if c.view().Claim != chess.Repetition {
		t.Error("three times without the capture is threefold")
	}
	if !strings.HasSuffix(strings.Fields(b.view().FEN)[3], "-") {
		t.Errorf("the FEN %s gives an en passant square that nobody can use", b.view().FEN)
	}
}

// A capture en passant that would leave the king in check does not make one either.
func TestRepetitionAndPinnedEnPassant(t *testing.T) {
	b := from(t, "8/8/8/8/k2p3R/8/4P3/4K3 w - - 0 1", "")
	b.moves("e4")
	if got := strings.Fields(b.view().FEN)[3]; got != "-" {
		t.Errorf("the FEN gives %s, but the capture would bare Black's king to the rook", got)
	}
	b.refuse(bob, `{"move": "dxe3"}`, "illegal_move")
}

// Lost castling rights make a different position, although the board is the same.
func TestRepetitionAndCastling(t *testing.T) {
	b := from(t, "4k3/8/8/8/8/8/8/4K2R w K - 0 1", "")
	b.moves("Rg1 Kd8 Rh1 Ke8 Rg1 Kd8 Rh1 Ke8")
	if b.view().Claim != "" {
		t.Error("in the first of the three White could still castle")
	}
	b.moves("Rg1 Kd8 Rh1 Ke8")
	if b.view().Claim != chess.Repetition {
		t.Error("three times without the right is threefold")
	}
}

func TestFiftyMoves(t *testing.T) {
	b := from(t, "4k3/8/8/8/8/8/8/R3K3 w - - 98 80", "")
	b.moves("Ra2")
	b.refuse(bob, `{"draw": "claim"}`, "no_claim")
	b.moves("Kd8")
	b.must(bob, `{"draw": "claim"}`)
	b.ended("1/2-1/2", chess.FiftyMoves)
}

func TestSeventyFiveMovesEndByThemselves(t *testing.T) {
	b := from(t, "4k3/8/8/8/8/8/8/R3K3 w - - 149 80", "")
	b.moves("Ra2")
	b.ended("1/2-1/2", chess.SeventyFiveMoves)
}

func TestMateOnTheLastOfSeventyFiveMovesWins(t *testing.T) {
	b := from(t, "k7/8/1K6/8/8/8/8/7R w - - 149 80", "")
	b.moves("Rh8")
	b.ended("1-0", chess.Checkmate)
}

func TestPawnMoveRestartsTheCount(t *testing.T) {
	b := from(t, "4k3/8/8/8/8/8/P7/4K3 w - - 99 80", "")
	b.moves("a3")
	if b.view().Claim != "" || strings.Fields(b.view().FEN)[4] != "0" {
		t.Errorf("%s, claim %q", b.view().FEN, b.view().Claim)
	}
}

func TestStalemate(t *testing.T) {
	b := from(t, "k7/8/8/2Q5/8/8/8/K7 w - - 0 1", "")
	b.moves("Qb6 ")
	b.ended("1/2-1/2", chess.Stalemate)
}

func TestInsufficientEndsByItself(t *testing.T) {
	for _, fen := range []string{
		"k7/8/8/8/8/8/1p6/K7 w - - 0 1",
		"k7/8/8/8/8/N7/1p6/K7 w - - 0 1",
		"k7/8/8/8/8/B7/1p6/K7 w - - 0 1",
		"k1b5/8/8/8/8/B7/1p6/K7 w - - 0 1", // a3 and c8: dark and light
	} {
		b := from(t, fen, "")
		b.moves("Kxb2")
		if strings.Contains(fen, "b5") {
			b.going()
			continue
		}
		b.ended("1/2-1/2", chess.Insufficient)
	}
}

func TestFoolsMate(t *testing.T) {
	b := play(t, "")
	b.moves("f3 e5 g4 Qh4")
	r := b.ended("0-1", chess.Checkmate)
	if r.Summary != "Black wins by checkmate" {
		t.Error(r.Summary)
	}
	if got := b.view().Moves[2]; got != "g4 Qh4#" {
		t.Errorf("move 2 is written %q", got)
	}
	if code := b.act(ann, `{"move": "a3"}`); code != "over" {
		t.Errorf("a move after the end was answered %q", code)
	}
}

func TestFlagFalls(t *testing.T) {
	b := play(t, `"clock": {"initial_ms": 10000, "increment_ms": 1000}`)
	b.pass(4 * time.Second)
	b.moves("e4")
	b.pass(3 * time.Second)
	b.moves("e5")
	if c := b.view().Clock; c.WhiteMS != 7000 || c.BlackMS != 8000 || c.SinceMS != 7000 {
		t.Errorf("the clocks say %+v", c)
	}
	b.pass(7*time.Second - time.Millisecond)
	b.going()
	b.pass(time.Millisecond)
	b.ended("0-1", chess.Time)
	if c := b.view().Clock; c.WhiteMS != 0 || c.BlackMS != 8000 {
		t.Errorf("at the end the clocks say %+v", c)
	}
}

func TestBlacksFlagFalls(t *testing.T) {
	b := play(t, `"clock": {"initial_ms": 10000}`)
	b.moves("e4 e5 Nf3")
	b.pass(10 * time.Second)
	b.ended("1-0", chess.Time)
}

func TestFlagFallsAgainstWhoCannotMate(t *testing.T) {
	const clock = `, "clock": {"initial_ms": 10000}`
	for fen, score := range map[string]string{
		"k7/8/8/8/8/8/6PP/K7 w - - 0 1":  "1/2-1/2", // Black has a king
		"k7/8/2n5/8/8/8/7Q/K7 w - - 0 1": "1/2-1/2", // a knight cannot mate a king and queen
		"k7/8/2n5/8/8/8/7P/K7 w - - 0 1": "0-1",     // but one with a pawn
		"k7/8/2b5/8/8/8/7R/K7 w - - 0 1": "1/2-1/2",
		"k7/p7/8/8/8/8/7Q/K7 w - - 0 1":  "0-1",
		"kn6/n7/8/8/8/8/7Q/K7 w - - 0 1": "0-1", // two knights can, with help
	} {
		b := from(t, fen, clock)
		b.moves("Kb1 Kb7")
		b.pass(10 * time.Second)
		if score == "0-1" {
			b.ended(score, chess.Time)
		} else {
			b.ended(score, chess.TimeInsufficient)
		}
	}
}

func TestClocksStandStillForRefusals(t *testing.T) {
	b := play(t, `"clock": {"initial_ms": 10000}`)
	b.pass(time.Second)
	b.refuse(ann, `{"move": "e5"}`, "illegal_move")
	b.pass(9 * time.Second)
	if b.core.Final() == nil {
		t.Error("a refused move stopped the clock")
	}
}

func TestLeavingWhileWaiting(t *testing.T) {
	b := open(t, `{"white": "first"}`)
	b.sit(ann, "Ann")
	if code := b.act(ann, `{"move": "e4"}`); code != "waiting" {
		t.Errorf("a move before the other is here was answered %q", code)
	}
	b.step(core.Input{Kind: core.KindLeave, Player: ann, Reason: string(room.Left)})
	b.sit(bob, "Bob")
	b.sit("cid", "Cid")
	if v := b.view(); v.White.Player != bob || v.Black.Player != "cid" || v.Status != "playing" {
		t.Errorf("%+v", v)
	}
}

func TestResign(t *testing.T) {
	b := play(t, "")
	b.moves("e4 e5")
	b.must(bob, `{"resign": true}`)
	b.ended("1-0", chess.Resignation)
	if !b.core.Final().Rated {
		t.Error("a game of two players is rated")
	}
}

func TestDrawOffers(t *testing.T) {
	b := play(t, "")
	b.refuse(ann, `{"draw": "accept"}`, "no_offer")
	b.must(ann, `{"draw": "offer"}`)
	b.refuse(ann, `{"draw": "accept"}`, "no_offer")
	b.refuse(ann, `{"draw": "offer"}`, "already_offered")
	if b.view().DrawOffer != "white" {
		t.Errorf("offer of %q", b.view().DrawOffer)
	}
	b.moves("e4") // the offer stands after the offering side's move
	b.must(bob, `{"draw": "decline"}`)
	if got := strings.Join(b.events, " "); !strings.Contains(got, `declined{"offer":"draw","by":"black"}`) {
		t.Errorf("events: %s", got)
	}
	b.refuse(bob, `{"draw": "accept"}`, "no_offer")
	b.refuse(ann, `{"draw": "offer"}`, "already_offered")
	b.moves("e5")
	b.must(ann, `{"draw": "offer"}`)
	b.moves("Nf3")
	b.going()
	b.moves("Nf6") // a move declines
	b.refuse(bob, `{"draw": "accept"}`, "no_offer")
	b.must(bob, `{"draw": "offer"}`)
	b.must(ann, `{"draw": "accept"}`)
	b.ended("1/2-1/2", chess.Agreement)
}

func TestTwoOffersAgree(t *testing.T) {
	b := play(t, "")
	b.moves("e4 e5")
	b.must(bob, `{"draw": "offer"}`)
	b.must(ann, `{"draw": "offer"}`)
	b.ended("1/2-1/2", chess.Agreement)
}

func TestTakeback(t *testing.T) {
	b := play(t, `"takeback": true, "clock": {"initial_ms": 100000, "increment_ms": 1000}`)
	b.refuse(ann, `{"takeback": "offer"}`, "no_takeback")
	b.pass(2 * time.Second)
	b.moves("e4") // White 99 s
	b.refuse(bob, `{"takeback": "offer"}`, "no_takeback")
	b.pass(5 * time.Second)
	b.moves("e5") // Black 96 s
	b.pass(10 * time.Second)
	b.moves("Nf3") // White 90 s
	b.pass(20 * time.Second)
	b.must(ann, `{"takeback": "offer"}`)
	b.refuse(ann, `{"takeback": "accept"}`, "no_offer")
	b.refuse(bob, `{"takeback": "offer"}`, "answer_first")
	b.must(bob, `{"takeback": "accept"}`)
	v := b.view()
	if v.Moves[2] != "" || v.Last != "e7e5" || v.Turn != "white" || v.TakebackOffer != "" {
		t.Errorf("after one half-move is taken back: %+v", v)
	}
	if v.Clock.WhiteMS != 99000 || v.Clock.BlackMS != 96000 || v.Clock.SinceMS != 37000 {
		t.Errorf("the clocks say %+v", v.Clock)
	}
	checkRestore(t, b)
	b.must(ann, `{"takeback": "offer"}`) // at her turn: before e4
	b.must(bob, `{"takeback": "accept"}`)
	if v := b.view(); len(v.Moves) != 0 || v.Last != "" || v.Clock.WhiteMS != 100000 || v.Clock.BlackMS != 100000 {
		t.Errorf("after all is taken back: %+v", v)
	}
	b.pass(100*time.Second - time.Millisecond)
	b.moves("d4")
	b.going()
}

func TestTakebackForgetsRepetitions(t *testing.T) {
	b := play(t, `"takeback": true`)
	b.moves(shuffle + shuffle)
	b.must(bob, `{"takeback": "offer"}`)
	b.must(ann, `{"takeback": "decline"}`)
	b.moves("e4")
	b.must(ann, `{"takeback": "offer"}`)
	b.must(bob, `{"takeback": "accept"}`)
	if b.view().Claim != chess.Repetition {
		t.Error("the position has stood three times again")
	}
	b.moves(strings.TrimSpace("Nf3 Nf6 Ng1"))
	b.must(ann, `{"takeback": "offer"}`)
	b.must(bob, `{"takeback": "accept"}`)
	b.moves("Ng1 Ng8") // fourth, not fifth
	b.going()
}

func TestTakebackOnlyWhereAllowed(t *testing.T) {
	b := play(t, "")
	b.moves("e4")
	b.refuse(ann, `{"takeback": "offer"}`, "no_takeback")
}

func TestBadActions(t *testing.T) {
	b := play(t, "")
	for _, data := range []string{
		`{}`, `{"move": ""}`, `{"move": "e4", "resign": true}`, `{"resign": false}`, `{"draw": "please"}`,
		`{"jump": "e4"}`, `{"move": 4}`, `[]`, `"e4"`, `null`, `{"move": "e4"} {"move": "d4"}`,
	} {
		b.refuse(ann, data, "bad_action")
	}
	b.refuse(ann, `{"takeback": "please"}`, "no_takeback")
	c := play(t, `"takeback": true`)
	c.refuse(ann, `{"takeback": "please"}`, "bad_action")
}

func TestRematchSwapsColours(t *testing.T) {
	b := play(t, `"clock": {"initial_ms": 1000}`)
	b.must(ann, `{"resign": true}`)
	options := ""
	for _, p := range []room.PlayerID{ann, bob} {
		b.cseq[p]++
		b.step(core.Input{Kind: core.KindAct, Player: p, Client: "c", CSeq: b.cseq[p], Data: json.RawMessage(`{"rematch": true}`)})
		for _, o := range b.core.Commit(b.core.Point().Seq) {
			if r, ok := o.(core.RematchAgreed); ok {
				options = string(r.Options)
			}
		}
	}
	if options != `{"white":"player:bob","clock":{"initial_ms":1000}}` {
		t.Fatalf("options of the rematch: %s", options)
	}
	for _, order := range [][]room.PlayerID{{ann, bob}, {bob, ann}} {
		next := open(t, options)
		for _, p := range order {
			next.sit(p, string(p))
		}
		if got := next.view().White.Player; got != bob {
			t.Errorf("%s has White in the rematch", got)
		}
	}
}

func TestWhiteByLot(t *testing.T) {
	whites := map[room.PlayerID]int{}
	for seed := range byte(64) {
		machine, _, err := core.Open(config(`{}`, seed), 1)
		if err != nil {
			t.Fatal(err)
		}
		b := &table{t: t, core: machine, cseq: map[room.PlayerID]record.CSeq{}}
		b.sit(ann, "Ann")
		b.sit(bob, "Bob")
		whites[b.view().White.Player]++
	}
	if whites[ann] < 12 || whites[bob] < 12 {
		t.Errorf("White of 64 games: %v", whites)
	}
}

func TestWhiteByOption(t *testing.T) {
	b := open(t, `{"white": "second"}`)
	b.sit(ann, "Ann")
	b.sit(bob, "Bob")
	if got := b.view().White.Player; got != bob {
		t.Errorf("White is %s", got)
	}
}

func TestRefusedSeats(t *testing.T) {
	b := open(t, "")
	b.sit(ann, "Ann")
	if err := b.sit("roomring:bot", "Bot"); err == nil || !strings.Contains(err.Error(), "built-in") {
		t.Errorf("the built-in opponent's id was answered %v", err)
	}
	b.sit(bob, "Bob")
	if err := b.sit("cid", "Cid"); err == nil {
		t.Error("a third player sat down")
	}
}

func TestBadOptions(t *testing.T) {
	for options, field := range map[string]string{
		`{"white": "me"}`:                                              `"white"`,
		`{"clock": {"initial_ms": 0}}`:                                 `"clock.initial_ms"`,
		`{"clock": {"initial_ms": 1e12}}`:                              `clock.initial_ms`,
		`{"clock": {"initial_ms": 1, "increment_ms": -1}}`:             `"clock.increment_ms"`,
		`{"clock": {"initial_ms": "5"}}`:                               `clock.initial_ms`,
		`{"clock": {"initial": 5}}`:                                    `"initial"`,
		`{"colour": "white"}`:                                          `"colour"`,
		`{"bot": 4}`:                                                   `"bot"`,
		`{"bot": "yes"}`:                                               `"bot"`,
		`{"fen": "8/8/8/8/8/8/8/8 w - - 0 1"}`:                         `"fen"`,
		`{"fen": "k7/8/8/8/8/8/8/K6q b - - 0 1"}`:                      `"fen"`, // White is in check, Black to move
		`{"fen": "k7/8/8/8/8/8/8/K7 w - - 0 1"}`:                       `"fen"`, // drawn already
		`{"fen": "4k3/8/8/8/8/8/8/4K3 w K - 0 1"}`:                     `"fen"`, // no rook
		`{"fen": "4k3/8/8/8/8/8/8/P3K3 w - - 0 1"}`:                    `"fen"`,
		`{"fen": "4k3/8/8/8/8/8/P7/4K3 w - e6 0 1"}`:                   `"fen"`,
		`{"fen": "QQQQQQQQ/QQQQQQQQ/8/8/8/k7/8/7K w - - 0 1"}`:         `"fen"`,
		`{"fen": "4k3/8/8/8/8/8/P7/4K3 w - - 150 1"}`:                  `"fen"`,
		`{"fen": "rnbqkbnr/pppppppp/9/8/8/8/PPPPPPPP/RNBQKBNR w - -"}`: `"fen"`,
	} {
		_, _, err := core.Open(config(options, 1), 1)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("options %s were answered: %v", options, err)
		}
	}
}

func TestFENOfFourFields(t *testing.T) {
	b := from(t, "4k3/8/8/8/8/8/P7/4K3 b - -", "")
	b.moves("Kd7 a4 Kc6")
	v := b.view()
	if v.Moves[1] != "… Kd7" || v.Moves[2] != "a4 Kc6" || v.FEN != "8/8/2k5/8/P7/8/8/4K3 w - - 1 3" {
		t.Errorf("%+v", v)
	}
	b.must(ann, `{"resign": true}`)
	var rec chess.Record
	if err := json.Unmarshal(b.core.Final().Result.Data, &rec); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`[FEN "4k3/8/8/8/8/8/P7/4K3 b - -"]`, `[SetUp "1"]`, "\n1... Kd7 2. a4 Kc6 0-1\n"} {
		if !strings.Contains(rec.PGN, want) {
			t.Errorf("no %s in\n%s", want, rec.PGN)
		}
	}
}

func TestPGNTags(t *testing.T) {
	b := open(t, `{"white": "first", "clock": {"initial_ms": 300500, "increment_ms": 2000}}`)
	b.sit(ann, "Ann \"A\\\" \n]")
	b.sit(bob, "Bob")
	b.moves("e4 e5 Nf3")
	b.pass(time.Hour)
	var rec chess.Record
	if err := json.Unmarshal(b.ended("1-0", chess.Time).Data, &rec); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`[White "Ann \"A\\\"  ]"]`, `[TimeControl "300.5+2"]`, `[Termination "time forfeit"]`, `[Result "1-0"]`, "\n1. e4 e5 2. Nf3 1-0\n"} {
		if !strings.Contains(rec.PGN, want) {
			t.Errorf("no %s in\n%s", want, rec.PGN)
		}
	}
}

func TestViewIsSmallToChange(t *testing.T) {
	b := play(t, `"clock": {"initial_ms": 3600000, "increment_ms": 30000}`)
	for i, g := range recordedGames(t)[:40] {
		if i > 0 {
			b = play(t, `"clock": {"initial_ms": 3600000, "increment_ms": 30000}`)
		}
		for j, m := range strings.Fields(g.Moves) {
			b.pass(time.Duration(1234+j) * time.Millisecond)
			b.must(b.toMove(), fmt.Sprintf(`{"move": %q}`, m))
			if b.core.Final() == nil && b.patch > 200 {
				t.Fatalf("game %d: %s patched %d bytes", i, m, b.patch)
			}
		}
	}
}

func TestTimePassingChangesNoView(t *testing.T) {
	b := play(t, `"clock": {"initial_ms": 3600000}`)
	b.moves("e4")
	was, _ := b.core.WholeView(room.Spectator)
	b.pass(time.Minute)
	is, _ := b.core.WholeView(room.Spectator)
	if string(was) != string(is) {
		t.Errorf("from\n%s to\n%s", was, is)
	}
}
