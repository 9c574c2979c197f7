package liarsdice_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room/games/liarsdice"
)

// FuzzActions sends lines of text as three players' actions, and lets a second go by between them. Nothing may
// panic, a refused action may change nothing, and the dice on the table are always those that players hold.
func FuzzActions(f *testing.F) {
	f.Add("{\"bid\":{\"count\":1,\"face\":2}}\n{\"liar\":true}\n{\"ready\":true}")
	f.Add("{\"bid\":{\"count\":2,\"face\":6}}\n{\"bid\":{\"count\":3,\"face\":2}}\n{\"spot_on\":true}\n{\"ready\":false}")
	f.Add("{\"bid\":{\"count\":9223372036854775807,\"face\":6}}\n{\"bid\":{\"count\":-1,\"face\":-6}}\nnull\n[]")
	f.Add(strings.Repeat("{\"liar\":true}\n{\"bid\":{\"count\":6,\"face\":6}}\n", 20))
	f.Fuzz(func(t *testing.T, script string) {
		b := wait(t, 3, `{"players": 3, "dice": 2, "turn_ms": 2000, "reveal_ms": 2000}`)
		for _, line := range strings.SplitN(script, "\n", 64) {
			for _, p := range people[:3] {
				before := b.state()
				over := b.core.Final() != nil
				if code := b.act(p, line); (code != "" || over) && b.state() != before {
					t.Fatalf("%s, refused as %q, changed\n%s to\n%s", line, code, before, b.state())
				}
				b.sound()
			}
			b.pass(time.Second)
			b.sound()
		}
	})
}

// sound checks what holds at any time of a game.
func (b *table) sound() {
	b.t.Helper()
	g, v := b.game(), b.view()
	total := 0
	for _, h := range g.Table {
		total += h.Count
		if len(h.Dice) != 0 && (len(h.Dice) != h.Count || g.Status != liarsdice.Bidding) || g.Status == liarsdice.Bidding && len(h.Dice) != h.Count {
			b.t.Fatalf("%s holds %v while they have %d dice and the game is %s", h.ID, h.Dice, h.Count, g.Status)
		}
		if h.Count > g.Options.Dice || (h.Rank == 0) != (h.Count > 0 && g.Status != liarsdice.Over) {
			b.t.Fatalf("%s has %d dice and rank %d while %s", h.ID, h.Count, h.Rank, g.Status)
		}
	}
	if v.Total != total || (v.Reveal.Call != "") != (g.Reveal != nil) || v.Status == liarsdice.Bidding && v.Players[v.Turn].Dice == 0 {
		b.t.Fatalf("%d dice are shown as %+v", total, v)
	}
}
