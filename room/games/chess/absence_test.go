package chess_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/record"
)

// Without a clock a side that is away loses after the room's grace, but only in its own turn.
func TestAbsenceCountsInOnesOwnTurn(t *testing.T) {
	for option, grace := range map[string]time.Duration{"": time.Minute, `"grace_ms": 86400000`: 24 * time.Hour} {
		b := play(t, option)
		b.moves("e4 e5 Nf3 Nc6")
		b.drop(bob)
		b.pass(30 * 24 * time.Hour)
		b.going() // it is White's turn
		if v := b.view(); v.Black.Online || v.AwayUntilMS != 0 {
			t.Errorf("the view says %+v, away until %d", v.Black, v.AwayUntilMS)
		}
		b.moves("Bb5")
		if until := b.view().AwayUntilMS; until != (b.now + grace).Milliseconds() {
			t.Errorf("Black has until %d, not until %v from %v", until, grace, b.now)
		}
		checkRestore(t, b)
		b.pass(grace - time.Millisecond)
		b.going()
		b.back(bob)
		if b.view().AwayUntilMS != 0 {
			t.Error("who is there is counted out")
		}
		b.pass(30 * 24 * time.Hour)
		b.going()
		b.drop(bob)
		b.pass(grace)
		b.ended("1-0", chess.Abandoned)
	}
}

// A takeback may give the turn to a side that is away, or take it from that side.
func TestAbsenceFollowsATakeback(t *testing.T) {
	b := play(t, `"takeback": true`)
	b.moves("e4 e5 Nf3")
	b.must(ann, `{"takeback": "offer"}`)
	b.drop(ann)
	b.pass(time.Hour)
	b.must(bob, `{"takeback": "accept"}`)
	b.pass(time.Minute - time.Millisecond)
	b.going()
	b.pass(time.Millisecond)
	b.ended("0-1", chess.Abandoned)
}

// In a game with a clock nobody loses by being away, and the game goes on while everybody is away.
func TestAClockDecidesWhatAbsenceCosts(t *testing.T) {
	const day = 24 * time.Hour
	b := play(t, `"clock": {"initial_ms": 1209600000}`)
	b.moves("e4 e5 Nf3")
	b.drop(ann)
	b.pass(time.Hour)
	b.going()
	b.drop(bob)
	for range 13 {
		b.pass(day)
		b.going()
		if in, _ := b.core.Due(b.now); in.Kind != 0 {
			t.Fatalf("while all are away %s is due", in.Kind.Name())
		}
	}
	checkRestore(t, b)
	b.back(bob)
	b.moves("Nc6")
	b.pass(14*day - 2*time.Second)
	b.going()
	b.pass(2 * time.Second)
	b.ended("0-1", chess.Time)
}

// A game in which a side has not acted in its turn is aborted, whatever ends it.
func TestGameOfOneIsAborted(t *testing.T) {
	ends := map[string]func(b *table){
		"absence": func(b *table) { b.drop(b.toMove()); b.pass(time.Minute) },
		"leaving": func(b *table) { b.step(core.Input{Kind: core.KindLeave, Player: ann, Reason: string(room.Left)}) },
		"a kick":  func(b *table) { b.step(core.Input{Kind: core.KindLeave, Player: bob, Reason: string(room.Kicked)}) },
		"a resignation out of turn": func(b *table) {
			p := ann
			if b.toMove() == ann {
				p = bob
			}
			b.must(p, `{"resign": true}`)
		},
	}
	for how, end := range ends {
		for moves, who := range map[string]string{"": "White", "e4": "Black"} {
			b := play(t, "")
			b.moves(moves)
			end(b)
			r := b.ended("*", chess.Aborted)
			if want := "The game was aborted before " + who + "'s first move, so it does not count"; r.Summary != want || b.view().Result.Summary != want {
				t.Errorf("%s after %q: %q", how, moves, r.Summary)
			}
			over := b.core.Final().Over()
			if over.End != "aborted" || over.Reason != r.Summary || !strings.Contains(string(over.Result), `"outcomes":[]`) {
				t.Errorf("%s after %q is told as %+v", how, moves, over)
			}
			checkRestore(t, b)
		}
	}
	for _, moves := range []string{"", "e4"} {
		b := play(t, `"clock": {"initial_ms": 10000}`)
		b.moves(moves)
		b.pass(10 * time.Second)
		b.ended("*", chess.Aborted)
	}
	b := play(t, `"takeback": true`)
	b.moves("e4 e5")
	b.must(bob, `{"takeback": "offer"}`)
	b.must(ann, `{"takeback": "accept"}`)
	b.drop(bob)
	b.pass(time.Minute)
	b.ended("1-0", chess.Abandoned) // Black has acted, though nothing is left of it
	c := from(t, "6k1/5ppp/8/8/8/8/8/R6K w - - 0 1", "")
	c.moves("Ra8")
	c.ended("1-0", chess.Checkmate) // absence cannot cause a mate
}

func TestGraceIsForGamesWithoutAClock(t *testing.T) {
	for options, field := range map[string]string{
		`{"grace_ms": 61000, "clock": {"initial_ms": 60000}}`: "grace_ms",
		`{"grace_ms": 999}`:        "grace_ms",
		`{"grace_ms": 0}`:          "grace_ms",
		`{"grace_ms": 1209600001}`: "grace_ms",
	} {
		if _, _, err := core.Open(config(options, 1), 1); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", options, err)
		}
	}
}

// A request to take a move back stands while the game goes on, and still means the move that it was made for.
func TestTakebackStandsUntilAnswered(t *testing.T) {
	b := play(t, `"takeback": true`)
	b.moves("e4 e5")
	b.must(ann, `{"takeback": "offer"}`)
	b.moves("Nf3")
	if v := b.view(); v.TakebackOffer != "white" || v.TakebackPly != 1 {
		t.Errorf("after the same player's move: %q to before half-move %d", v.TakebackOffer, v.TakebackPly)
	}
	b.moves("Nc6 Bb5")
	checkRestore(t, b)
	b.refuse(ann, `{"takeback": "offer"}`, "already_offered")
	b.must(bob, `{"takeback": "accept"}`)
	if v := b.view(); len(v.Moves) != 0 || v.TakebackOffer != "" || v.TakebackPly != 0 {
		t.Errorf("accepted, it led to %+v", v)
	}
	b.moves("d4 d5")
	b.must(bob, `{"takeback": "offer"}`)
	b.moves("c4")
	b.must(ann, `{"takeback": "decline"}`)
	if v := b.view(); v.TakebackOffer != "" || v.Last != "c2c4" {
		t.Errorf("declined, it led to %+v", v)
	}
	b.must(ann, `{"takeback": "offer"}`)
	b.must(bob, `{"resign": true}`)
	if v := b.view(); v.TakebackOffer != "" {
		t.Error("a request stands in a game that is over")
	}
}

// Rooms of the first runtime go on, and are replayed, by the rules that they began with.
func TestRoomsOfTheFirstRuntimeKeepItsRules(t *testing.T) {
	old := func(options string) *table { return openUnder(t, 1, `{"white": "first"`+options+`}`).both() }
	b := old("")
	b.moves("e4")
	b.drop(ann)
	b.pass(time.Minute - time.Millisecond)
	b.going()
	b.pass(time.Millisecond)
	b.ended("0-1", chess.Abandoned)
	c := old(`, "takeback": true`)
	c.moves("e4 e5")
	c.must(ann, `{"takeback": "offer"}`)
	c.moves("Nf3")
	if c.view().TakebackOffer != "" {
		t.Error("a move does not take the request back")
	}
	var kept map[string]json.RawMessage
	if err := json.Unmarshal([]byte(c.state()), &kept); err != nil || kept["edition"] != nil || kept["takeback_to"] != nil {
		t.Errorf("%v: the snapshot is %s", err, c.state())
	}
	d := old(`, "clock": {"initial_ms": 10000}`)
	d.pass(10 * time.Second)
	if f := d.core.Final(); f.End != record.Finished || f.Result.Reason != chess.Aborted || len(f.Result.Outcomes) != 0 || f.Rated {
		t.Errorf("%+v", f)
	}
}
