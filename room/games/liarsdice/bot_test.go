package liarsdice

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// TestBotsPlayOn proves that built-in opponents play on to the end, by legal actions, while a person only looks on.
func TestBotsPlayOn(t *testing.T) {
	for seed := range byte(20) {
		options := fmt.Sprintf(`{"bots": 5, "dice": 4, "turn_ms": 2000, "reveal_ms": 1000, "wild_ones": %t, "spot_on": %t}`, seed%2 == 0, seed%3 > 0)
		machine, _, err := core.Open(core.Config{Rules: Rules(), Header: record.Header{
			Game: "liarsdice", Version: Version, Runtime: core.RuntimeVersion, Options: []byte(options), Seed: [32]byte{seed},
		}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []core.Input{{Kind: core.KindJoin, Player: "ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c"}} {
			if _, err := machine.Step(in); err != nil {
				t.Fatal(err)
			}
		}
		if machine.Phase() != core.PhasePlaying {
			t.Fatalf("a table full of built-in opponents is %s", machine.Phase())
		}
		run(t, machine)
	}
}

func run(t *testing.T, machine *core.Core) {
	t.Helper()
	for range 5000 {
		in, _ := machine.Due(time.Hour)
		if machine.Final() != nil {
			break
		}
		g := machine.Game().(*Game)
		last, some := g.last()
		round := g.Round
		if _, err := machine.Step(in); err != nil {
			t.Fatal(err)
		}
		if p := machine.Panicked(); p != nil {
			t.Fatalf("%s\n%s", p.Value, p.Stack)
		}
		if now, ok := g.last(); some && ok && round == g.Round && now != last && !now.raises(last.Claim) {
			t.Fatalf("%v was bid after %v", now, last)
		}
		if b, ok := g.last(); ok && g.Status == Bidding && (b.Count > g.total() || b.Face < g.Options.lowest()) {
			t.Fatalf("%v was bid of %d dice", b, g.total())
		}
	}
	if f := machine.Final(); f == nil || f.Result.Reason != LastDice || f.Rated {
		t.Fatalf("the game ended as %+v", f)
	}
}

// TestDecide proves what a built-in opponent does in clear cases.
func TestDecide(t *testing.T) {
	opts := defaults()
	view := func(total int, bid Claim, mine ...int) View {
		return View{Options: opts, Total: total, Bid: Bid{Seat: 1, Claim: bid}, Mine: mine}
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		if a := decide(view(10, Claim{9, 6}, 2, 2, 3, 3, 4), r); !a.Liar {
			t.Errorf("without a six of its own it answers nine sixes of ten by %+v", a)
		}
		if a := decide(view(6, Claim{6, 6}, 6, 6, 6, 6, 6), r); a.Bid != nil {
			t.Errorf("it bids %v above the highest bid", a.Bid)
		}
		if a := decide(view(10, Claim{1, 5}, 5, 5, 5, 1, 1), r); a.Bid == nil {
			t.Errorf("it calls a bid that it knows to hold: %+v", a)
		}
		if a := decide(view(6, Claim{}, 4, 4, 4), r); a.Bid == nil || a.Bid.Face != 4 || a.Bid.Count > 4 {
			t.Errorf("with three fours it opens by %+v", a.Bid)
		}
	}
}

func TestOdds(t *testing.T) {
	v := View{Options: defaults(), Total: 3, Mine: []int{5}}
	for _, c := range []struct{ count, holds, exact int }{
		{1, 1_000_000, 444_444}, {2, 555_556, 444_444}, {3, 111_111, 111_111}, {4, 0, 0},
	} {
		holds, exact := odds(v, Claim{c.count, 5})
		if abs(holds-c.holds) > 5 || abs(exact-c.exact) > 5 {
			t.Errorf("%d fives hold with %d and are exact with %d, not %d and %d", c.count, holds, exact, c.holds, c.exact)
		}
	}
	sum := 0
	for _, p := range spread(59, 6) {
		sum += p
	}
	if abs(sum-certain) > 5000 {
		t.Errorf("all that can be adds up to %d", sum)
	}
}

func abs(n int) int { return max(n, -n) }
