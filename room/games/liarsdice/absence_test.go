package liarsdice_test

import (
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/record"
)

// never checks that the game has no result, and why.
func (b *table) never(summary string) {
	b.t.Helper()
	f := b.core.Final()
	if f == nil || f.End != record.Aborted || f.Rated || len(f.Result.Outcomes) != 0 || f.Result.Summary != summary {
		b.t.Fatalf("the game ended as %+v", f)
	}
	if v := b.view(); v.Result.Reason != liarsdice.Aborted || v.Result.Summary != summary {
		b.t.Errorf("the view says %+v", v.Result)
	}
}

// An automatic bid or call does not count as an action of the player.
func TestGameOfOneIsAborted(t *testing.T) {
	b := play(t, "", "2", "3")
	b.bid("ann", "2x2")
	b.pass(10 * time.Minute) // turns run out
	b.never("The game was aborted: only Ann played, so it does not count")
	c := play(t, "", "2", "3")
	c.pass(10 * time.Minute)
	c.never("The game was aborted: nobody played, so it does not count")
	d := play(t, "", "2", "3")
	d.must("ann", `{"bid": {"count": 1, "face": 2}}`)
	d.leave("bob")
	d.never("The game was aborted: only Ann played, so it does not count")
}

// Among more than two players, those who never acted have no rank. The others are ranked among themselves.
func TestIdlePlayersAreLeftOut(t *testing.T) {
	b := play(t, "", "2 2", "3 3", "4 4")
	b.bid("ann", "1x2")
	b.must("bob", `{"liar": true}`) // it holds: Bob loses a die
	b.leave("bob")
	b.leave("ann")
	r := b.core.Final()
	if r == nil || r.End != record.Finished || !r.Rated || len(r.Result.Outcomes) != 2 {
		t.Fatalf("it ended as %+v", r)
	}
	for i, want := range []room.Outcome{{Player: "ann", Rank: 1}, {Player: "bob", Rank: 2}} {
		if o := r.Result.Outcomes[i]; o.Player != want.Player || o.Rank != want.Rank {
			t.Errorf("place %d: %+v", i, o)
		}
	}
	v := b.view()
	if v.Players[2].Rank != 0 || v.Players[0].Rank != 1 || v.Result.Winner != 0 || v.Result.Summary != "Ann wins, being the best of those who played" {
		t.Errorf("the view says %+v, %+v", v.Players, v.Result)
	}
}

// A table waits until all are ready. A game that has begun lives for as long as its turns may take.
func TestATableWaitsUntilItBegins(t *testing.T) {
	b := wait(t, 2, `{"players": 3, "turn_ms": 600000}`)
	if b.core.Phase() != core.PhaseWaiting {
		t.Errorf("two of three sit, and the room is %s", b.core.Phase())
	}
	b.step(core.Input{Kind: core.KindDetach, Player: "bob"})
	b.pass(rules.Spec().WaitingGrace)
	if n := len(b.core.Seats()); n != 1 {
		t.Errorf("%d sit at a table that one has left", n)
	}
	b.sit("bob")
	b.sit("cy")
	if b.core.Phase() != core.PhasePlaying {
		t.Errorf("all sit, and the room is %s", b.core.Phase())
	}
	for _, p := range []room.PlayerID{"ann", "bob", "cy"} {
		b.step(core.Input{Kind: core.KindDetach, Player: p})
	}
	for at := b.now; b.now < at+39*time.Minute; {
		b.pass(time.Minute)
		if in, _ := b.core.Due(b.now); in.Kind != 0 {
			t.Fatalf("after %v with nobody there %s is due", b.now-at, in.Kind.Name())
		}
	}
	b.now += 2 * time.Minute
	if in, _ := b.core.Due(b.now); in.Kind != core.KindClose && in.Kind != core.KindTimer {
		t.Errorf("after a turn of everybody's and ten minutes %q is due", in.Kind.Name())
	}
}

// Rooms of the first runtime go on, and are replayed, by the rules that they began with.
func TestRoomsOfTheFirstRuntimeKeepItsRules(t *testing.T) {
	b, err := openUnder(t, 1, `{"players": 2}`)
	if err != nil {
		t.Fatal(err)
	}
	b.core.Watch(1, nil)
	b.sit("ann")
	if b.sit("bob"); b.core.Phase() != core.PhasePlaying {
		t.Error("a full table waits")
	}
	b.hold("2 2", "3 3")
	b.bid("ann", "1x2")
	b.step(core.Input{Kind: core.KindDetach, Player: "bob"})
	b.pass(rules.Spec().Grace)
	b.ended(liarsdice.Abandoned, 1, 2)
}
