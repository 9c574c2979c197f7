package liarsdice_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/record"
)

func TestBidsRise(t *testing.T) {
	b := play(t, "", "2 3 4", "2 3 4", "5 5 5")
	steps := []struct {
		by    int
		claim string
		code  string
	}{
		{1, "1x2", "not_your_turn"},
		{0, "0x2", "bad_bid"}, {0, "-1x2", "bad_bid"}, {0, "1x0", "bad_bid"}, {0, "1x7", "bad_bid"}, {0, "1x1", "bad_bid"}, {0, "10x2", "too_many"},
		{0, "2x4", ""},
		{0, "3x4", "not_your_turn"},
		{1, "2x4", "too_low"}, {1, "2x3", "too_low"}, {1, "1x6", "too_low"},
		{1, "2x5", ""},
		{2, "3x2", ""},
		{0, "9x6", ""},
		{1, "9x6", "too_low"}, {1, "10x2", "too_many"},
	}
	for _, s := range steps {
		if s.code != "" {
			b.refuse(people[s.by], bidding(s.claim), s.code)
		} else {
			b.bid(people[s.by], s.claim)
		}
	}
	v := b.at(liarsdice.Bidding, 1)
	if v.Bid != (liarsdice.Bid{Seat: 0, Claim: liarsdice.Claim{Count: 9, Face: 6}}) || len(v.Bids) != 4 || v.Bids[4] != v.Bid || v.Bids[1].Count != 2 {
		t.Errorf("the bids are shown as %v, the last as %v", v.Bids, v.Bid)
	}
	if v.Least.Count != 0 {
		t.Errorf("%v can still be bid", v.Least)
	}
	b.said(`bid{"seat":0,"count":9,"face":6}`)
}

func TestLeastBid(t *testing.T) {
	b := play(t, `"wild_ones": false`, "2 3 4", "2 3 4")
	least := func(count, face int) {
		t.Helper()
		if got := b.view().Least; got != (liarsdice.Claim{Count: count, Face: face}) {
			t.Errorf("the least bid is %v, not %dx%d", got, count, face)
		}
	}
	least(1, 1)
	b.bid("ann", "1x1")
	least(1, 2)
	b.bid("bob", "1x6")
	least(2, 1)
	if got := play(t, "", "2", "2").view().Least; got.Face != 2 {
		t.Errorf("with wild ones the first bid may be on %d", got.Face)
	}
}

// TestCalls proves what a call costs or wins, and who opens the next round.
func TestCalls(t *testing.T) {
	for _, c := range []struct {
		name, options string
		hands         []string
		bid, call     string
		counted       int
		right         bool
		loser, winner int
		left          []int
		opens         int
	}{
		{"a bid that holds", "", []string{"2 2", "2 3", "4 4"}, "3x2", "liar", 3, false, 1, -1, []int{2, 1, 2}, 1},
		{"more than was bid", "", []string{"2 2", "2 2", "4 4"}, "3x2", "liar", 4, false, 1, -1, []int{2, 1, 2}, 1},
		{"a lie", "", []string{"2 2", "3 3", "4 4"}, "3x2", "liar", 2, true, 0, -1, []int{1, 2, 2}, 0},
		{"ones count", "", []string{"2 1", "1 3", "4 4"}, "3x2", "liar", 3, false, 1, -1, []int{2, 1, 2}, 1},
		{"ones do not", `"wild_ones": false`, []string{"2 1", "1 3", "4 4"}, "3x2", "liar", 1, true, 0, -1, []int{1, 2, 2}, 0},
		{"plain ones are bid", `"wild_ones": false`, []string{"2 1", "1 3", "4 4"}, "2x1", "liar", 2, false, 1, -1, []int{2, 1, 2}, 1},
		{"exact", "", []string{"2 2", "2 3", "4 4"}, "3x2", "spot_on", 3, true, -1, 1, []int{2, 3, 2}, 1},
		{"exact with all one began with", `"dice": 2`, []string{"2 2", "2 3", "4 4"}, "3x2", "spot_on", 3, true, -1, -1, []int{2, 2, 2}, 1},
		{"one too many", "", []string{"2 2", "2 1", "4 4"}, "3x2", "spot_on", 4, false, 1, -1, []int{2, 1, 2}, 1},
		{"one too few", "", []string{"2 2", "3 3", "4 4"}, "3x2", "spot_on", 2, false, 1, -1, []int{2, 1, 2}, 1},
		{"the last die of the bidder", "", []string{"2", "3 3", "4 4"}, "3x2", "liar", 1, true, 0, -1, []int{0, 2, 2}, 1},
		{"the last die of the caller", "", []string{"2 2", "2", "4 4"}, "3x2", "liar", 3, false, 1, -1, []int{2, 0, 2}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := play(t, c.options, c.hands...)
			b.bid("ann", c.bid)
			b.must("bob", `{"`+c.call+`": true}`)
			v := b.at(liarsdice.Revealed, -1)
			r := v.Reveal
			if r.Call != c.call || r.By != 1 || r.Bid != v.Bid || r.Counted != c.counted || r.Right != c.right || r.Loser != c.loser || r.Winner != c.winner {
				t.Errorf("the reveal is %+v", r)
			}
			for seat, text := range c.hands {
				if !slices.Equal(r.Dice[seat], numbers(text)) {
					t.Errorf("seat %d showed %v, not %s", seat, r.Dice[seat], text)
				}
			}
			if out := c.loser >= 0 && c.left[max(c.loser, 0)] == 0; out != r.Out || out && v.Players[c.loser].Rank != 3 {
				t.Errorf("out is %v: %+v", r.Out, v.Players)
			}
			b.counts(c.left...)
			b.said(`call{"seat":1,"call":"` + c.call + `"}`)
			b.toDeadline()
			v = b.at(liarsdice.Bidding, c.opens)
			if v.Round != 2 || v.Reveal.Call != "" || len(v.Bids) != 0 {
				t.Errorf("the next round begins with %+v", v)
			}
			for seat, n := range c.left {
				if mine := b.sees(seat).Mine; len(mine) != n || !slices.IsSorted(mine) {
					t.Errorf("seat %d with %d dice sees %v", seat, n, mine)
				}
			}
		})
	}
}

func TestWrongCalls(t *testing.T) {
	b := play(t, `"spot_on": false`, "2", "3", "4")
	b.refuse("ann", `{"liar": true}`, "no_bid")
	b.refuse("bob", `{"liar": true}`, "not_your_turn")
	b.bid("ann", "1x2")
	b.refuse("bob", `{"spot_on": true}`, "no_spot_on")
	b.refuse("ann", `{"liar": true}`, "not_your_turn")
	b.refuse("bob", `{"ready": true}`, "not_now")
	b.must("bob", `{"liar": true}`) // and is out
	b.refuse("bob", `{"ready": true}`, "out")
	b.refuse("ann", bidding("1x2"), "not_now")
	b.toDeadline()
	b.refuse("bob", bidding("1x2"), "out")
	for _, bad := range []string{`{}`, `{"liar": false}`, `{"bid": null}`, `{"liar": true, "ready": true}`, `{"bid": {"count": 1, "face": 2}, "liar": true}`, `{"roll": true}`, `{"bid": {"count": 1.5, "face": 2}}`, `7`} {
		b.refuse("ann", bad, "bad_action")
	}
}

func TestLastDice(t *testing.T) {
	b := play(t, "", "2 2", "3", "4")
	b.bid("ann", "2x2")
	b.must("bob", `{"liar": true}`)
	b.said(`out{"seat":1,"rank":3}`)
	b.toDeadline()
	b.hold("5 5", "", "6")
	b.bid("ann", "1x5")
	b.bid("cy", "2x6") // Bob is passed over
	b.must("ann", `{"liar": true}`)
	r := b.ended(liarsdice.LastDice, 1, 3, 2)
	if !strings.Contains(r.Summary, "Ann wins with 2 dice") || string(r.Data) != `{"rounds":2}` || r.Outcomes[0].Score != 2 || r.Outcomes[0].Name != "Ann" {
		t.Errorf("the result is %+v", r)
	}
	v := b.view()
	if v.Result.Winner != 0 || !slices.Equal(v.Reveal.Dice[2], []int{6}) || v.Players[0].Rank != 1 || len(b.sees(0).Mine) != 0 {
		t.Errorf("the view is %+v", v)
	}
	if !b.core.Final().Rated {
		t.Error("the game is not rated")
	}
}

func TestStart(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		b := wait(t, 2, `{"players": 3, "dice": 4}`)
		b.at(liarsdice.Waiting, -1)
		b.refuse("ann", bidding("1x2"), "waiting")
		b.refuse("ann", `{"liar": true}`, "waiting")
		b.sit("cy")
		b.counts(4, 4, 4)
		if v := b.view(); v.Status != liarsdice.Bidding || v.Round != 1 || v.Total != 12 || !b.core.Locked() {
			t.Errorf("the full table is %+v", v)
		}
		if err := b.join("dee"); err == nil {
			t.Error("somebody joined a game that had started")
		}
	})
	t.Run("ready", func(t *testing.T) {
		b := wait(t, 1, "")
		b.must("ann", `{"ready": true}`)
		b.at(liarsdice.Waiting, -1) // alone
		b.sit("bob")
		b.at(liarsdice.Waiting, -1)
		b.must("bob", `{"ready": true}`)
		if v := b.view(); v.Status != liarsdice.Bidding || v.Players[0].Ready {
			t.Errorf("two who are ready have %+v", v)
		}
	})
	t.Run("countdown", func(t *testing.T) {
		b := wait(t, 3, `{"start_ms": 10000}`)
		b.pass(time.Minute)
		b.must("bob", `{"ready": true}`)
		began := b.now
		if v := b.view(); v.DeadlineMS != (began + 10*time.Second).Milliseconds() {
			t.Errorf("the countdown ends at %d", v.DeadlineMS)
		}
		b.pass(4 * time.Second)
		b.sit("dee")
		b.must("cy", `{"ready": true}`)
		b.pass(5 * time.Second)
		b.at(liarsdice.Waiting, -1)
		b.pass(time.Second)
		b.counts(5, 5, 5, 5)
	})
	t.Run("not ready after all", func(t *testing.T) {
		b := wait(t, 2, "")
		b.must("bob", `{"ready": true}`)
		b.must("bob", `{"ready": false}`)
		b.pass(40 * time.Second)
		if v := b.at(liarsdice.Waiting, -1); v.DeadlineMS != 0 {
			t.Errorf("the countdown goes on: %+v", v)
		}
	})
	t.Run("the one who was not ready leaves", func(t *testing.T) {
		b := wait(t, 3, "")
		b.must("ann", `{"ready": true}`)
		b.must("bob", `{"ready": true}`)
		b.leave("cy")
		b.counts(5, 5)
	})
	t.Run("the others leave", func(t *testing.T) {
		b := wait(t, 2, "")
		b.must("ann", `{"ready": true}`)
		b.leave("bob")
		b.pass(time.Minute)
		b.at(liarsdice.Waiting, -1)
		b.sit("cy")
		if v := b.view(); v.Players[1].Player != "cy" || v.DeadlineMS != 0 {
			t.Errorf("the table is %+v", v)
		}
	})
}

func TestReveal(t *testing.T) {
	reveal := func(t *testing.T) *table {
		b := play(t, `"reveal_ms": 6000`, "2 2 2", "3 3 3", "4 4 4")
		b.bid("ann", "9x2")
		b.must("bob", `{"liar": true}`)
		return b
	}
	t.Run("ready", func(t *testing.T) {
		b := reveal(t)
		for _, p := range people[:2] {
			b.must(p, `{"ready": true}`)
		}
		if v := b.at(liarsdice.Revealed, -1); !v.Players[1].Ready || v.Players[2].Ready {
			t.Errorf("ready are %+v", v.Players)
		}
		b.must("cy", `{"ready": true}`)
		b.at(liarsdice.Bidding, 0)
	})
	t.Run("time", func(t *testing.T) {
		b := reveal(t)
		b.must("ann", `{"ready": true}`)
		b.pass(6*time.Second - time.Millisecond)
		b.at(liarsdice.Revealed, -1)
		b.pass(time.Millisecond)
		b.at(liarsdice.Bidding, 0)
	})
	t.Run("who is not there is not waited for", func(t *testing.T) {
		b := reveal(t)
		b.must("ann", `{"ready": true}`)
		b.must("bob", `{"ready": true}`)
		b.step(core.Input{Kind: core.KindDetach, Player: "cy"})
		if v := b.at(liarsdice.Bidding, 0); v.Players[2].Online {
			t.Error("Cy is shown as connected")
		}
	})
	t.Run("of built-in opponents alone", func(t *testing.T) {
		b := wait(t, 2, `{"players": 4, "bots": 2, "dice": 2, "turn_ms": 1000}`)
		g := b.game()
		for seat, n := range []int{0, 0, 2, 2} {
			g.Table[seat].Count, g.Table[seat].Dice = n, slices.Repeat([]int{3}, n)
		}
		g.Table[0].Rank, g.Table[1].Rank, g.Turn = 3, 4, 3
		b.set(g)
		for b.view().Status == liarsdice.Bidding {
			b.pass(100 * time.Millisecond)
		}
		b.must("ann", `{"ready": true}`)
		b.at(liarsdice.Revealed, -1)
		b.must("bob", `{"ready": true}`)
		if v := b.view(); v.Status != liarsdice.Bidding || v.Round != 2 {
			t.Errorf("those who look on cannot go on: %+v", v)
		}
	})
	t.Run("who leaves is not waited for", func(t *testing.T) {
		b := reveal(t)
		b.must("bob", `{"ready": true}`)
		b.must("cy", `{"ready": true}`)
		b.leave("ann") // who would have opened
		b.at(liarsdice.Bidding, 1)
		b.counts(0, 3, 3)
	})
}

func TestTurnTimer(t *testing.T) {
	b := play(t, `"turn_ms": 20000`, "2", "3", "4 4 4 4")
	b.pass(20 * time.Second) // Ann's turn began with the time of the player whom the lot had chosen
	v := b.at(liarsdice.Bidding, 1)
	if v.Bid != (liarsdice.Bid{Seat: 0, Claim: liarsdice.Claim{Count: 1, Face: 2}, Auto: true}) || v.Players[0].Missed != 1 {
		t.Fatalf("after a missed turn there is %+v", v)
	}
	b.said(`missed{"seat":0}`)
	b.said(`bid{"seat":0,"count":1,"face":2,"auto":true}`)
	if left := time.Duration(v.DeadlineMS)*time.Millisecond - b.now; left != 20*time.Second {
		t.Errorf("Bob has %v", left)
	}
	b.bid("bob", "1x4")
	b.bid("cy", "1x5")
	b.pass(20 * time.Second) // Ann again: 1x6
	b.bid("bob", "2x2")
	b.bid("cy", "2x3")
	v = b.at(liarsdice.Bidding, 0)
	if left := time.Duration(v.DeadlineMS)*time.Millisecond - b.now; left != 5*time.Second || v.Players[0].Missed != 2 {
		t.Errorf("after two missed turns Ann has %v", left)
	}
	b.bid("ann", "6x6")
	if v := b.view(); v.Players[0].Missed != 0 {
		t.Error("Ann's missed turns are not forgotten")
	}
	b.pass(20 * time.Second) // there is no higher bid, so liar is called for Bob
	if v := b.at(liarsdice.Revealed, -1); v.Reveal.By != 1 || v.Reveal.Call != "liar" || v.Reveal.Loser != 0 {
		t.Errorf("the reveal is %+v", v.Reveal)
	}
}

func TestLeaving(t *testing.T) {
	t.Run("voids the round", func(t *testing.T) {
		b := play(t, "", "2 2", "3 3", "4 4")
		b.bid("ann", "1x2")
		b.leave("ann")
		v := b.at(liarsdice.Bidding, 1)
		if v.Round != 2 || len(v.Bids) != 0 || v.Reveal.Call != "" || v.Players[0].Rank != 3 || !v.Players[0].Left || v.Total != 4 {
			t.Errorf("after Ann has left there is %+v", v)
		}
		b.said(`out{"seat":0,"rank":3,"left":true}`)
		b.bid("bob", "1x2")
		b.bid("cy", "1x3")
		b.at(liarsdice.Bidding, 1)
		b.leave("bob")
		b.ended(liarsdice.Abandoned, 3, 2, 1)
	})
	t.Run("in one's turn", func(t *testing.T) {
		b := play(t, "", "2 2", "3 3", "4 4")
		b.leave("ann")
		b.at(liarsdice.Bidding, 1)
	})
	t.Run("before the first bid", func(t *testing.T) {
		b := play(t, "", "2 2", "3 3")
		b.leave("ann")
		b.ended(liarsdice.Aborted)
		if v := b.view(); v.Players[0].Rank != 0 || v.Players[1].Rank != 0 || v.Result.Winner != -1 {
			t.Errorf("an aborted game ranks %+v", v.Players)
		}
	})
	t.Run("once out", func(t *testing.T) {
		b := play(t, "", "2", "3", "4")
		b.bid("ann", "3x2")
		b.must("bob", `{"liar": true}`)
		b.leave("ann")
		b.at(liarsdice.Revealed, -1)
		if v := b.view(); v.Players[0].Rank != 3 || !v.Players[0].Left {
			t.Errorf("Ann is %+v", v.Players[0])
		}
	})
	t.Run("by staying away", func(t *testing.T) {
		b := play(t, "", "2 2", "3 3")
		b.bid("ann", "1x2")
		b.must("bob", `{"liar": true}`)
		b.step(core.Input{Kind: core.KindDetach, Player: "bob"})
		b.pass(2 * rules.Spec().Grace)
		if v := b.view(); v.Players[1].Left || v.Players[1].Dice == 0 || v.Players[1].Missed == 0 {
			t.Errorf("who is away for two minutes is %+v", v.Players[1])
		}
		for range 100 {
			b.pass(time.Minute)
		}
		if f := b.core.Final(); f == nil || f.End != record.Finished || f.Result.Reason != liarsdice.LastDice {
			t.Errorf("turns that run out ended as %+v", f)
		}
	})
	t.Run("to built-in opponents", func(t *testing.T) {
		b := wait(t, 1, `{"players": 3, "bots": 2}`)
		b.hold("2 2", "3 3", "4 4 4")
		b.bid("ann", "1x2")
		b.leave("ann")
		if r := b.ended(liarsdice.Abandoned, 3, 2, 1); !r.Outcomes[1].Bot || r.Outcomes[0].Bot || b.core.Final().Rated {
			t.Errorf("the outcomes are %+v", r.Outcomes)
		}
	})
}

func TestOptions(t *testing.T) {
	for options, field := range map[string]string{
		`{"players": 1}`: "players", `{"players": 7}`: "players", `{"dice": 0}`: "dice", `{"dice": 11}`: "dice",
		`{"turn_ms": 99}`: "turn_ms", `{"turn_ms": 600001}`: "turn_ms", `{"reveal_ms": 1}`: "reveal_ms", `{"start_ms": -1}`: "start_ms",
		`{"bots": 6}`: "bots", `{"bots": -1}`: "bots", `{"players": 2, "bots": 2}`: "bots", `{"wild": true}`: "wild", `{"dice": "five"}`: "dice",
	} {
		_, err := open(t, options)
		if err == nil || !strings.Contains(err.Error(), `"`+field+`"`) {
			t.Errorf("options %s: %v", options, err)
		}
	}
	b, err := open(t, "")
	if err != nil {
		t.Fatal(err)
	}
	want := liarsdice.Options{Players: 6, Dice: 5, WildOnes: true, SpotOn: true, TurnMS: 30_000, RevealMS: 8000, StartMS: 20_000}
	if got := b.view().Options; got != want {
		t.Errorf("the defaults are %+v", got)
	}
}

func TestReservedIDs(t *testing.T) {
	b := wait(t, 1, `{"bots": 1}`)
	if err := b.join("roomring:bot5"); err == nil {
		t.Error("somebody took the id of a built-in opponent")
	}
}

// TestRestart restores a game from its snapshot at every step of a whole game.
func TestRestart(t *testing.T) {
	b := wait(t, 3, `{"players": 4, "bots": 1, "dice": 3, "turn_ms": 1000}`)
	for range 2000 {
		if b.core.Final() != nil {
			return
		}
		before := b.state()
		var g liarsdice.Game
		if err := json.Unmarshal([]byte(before), &g); err != nil {
			t.Fatal(err)
		}
		b.set(g)
		if after := b.state(); after != before {
			t.Fatalf("the game comes back as\n%s, not\n%s", after, before)
		}
		b.pass(time.Second)
	}
	t.Fatal("a game of nothing but missed turns does not end")
}
