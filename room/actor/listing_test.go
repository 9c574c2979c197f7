package actor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
)

// crowd is a node with so many public rooms.
func crowd(t testing.TB, rooms int) *node {
	t.Helper()
	n := newNode(t, func(o *setup) { o.Durability, o.MaxRooms = room.Memory, rooms })
	for range rooms {
		n.create(actor.Create{Game: "pair"})
	}
	t.Cleanup(n.stop)
	return n
}

// BenchmarkList measures a page of rooms, of few rooms and of many.
func BenchmarkList(b *testing.B) {
	for _, rooms := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) {
			n := crowd(b, rooms)
			all := n.List(actor.Filter{Limit: 1})
			b.ReportAllocs()
			for b.Loop() {
				if got := n.List(actor.Filter{Open: true, After: all[0].ID, Limit: 50}); len(got) != 50 {
					b.Fatal(len(got))
				}
			}
		})
	}
}

// TestAPageCostsAPage: what a page allocates does not grow with the number of rooms.
func TestAPageCostsAPage(t *testing.T) {
	cost := func(rooms int) float64 {
		n := crowd(t, rooms)
		return testing.AllocsPerRun(20, func() { n.List(actor.Filter{Limit: 1}) })
	}
	if few, many := cost(5), cost(500); many > few {
		t.Errorf("a page of 5 rooms allocates %v times, of 500 rooms %v times", few, many)
	}
}

// TestListsFollowTheRooms makes, fills, ends and lists rooms of two games, public and private, and compares every list with
// the rooms themselves.
func TestListsFollowTheRooms(t *testing.T) {
	n := newNode(t)
	var ids []room.ID
	for i := range 60 {
		id := n.create(actor.Create{Game: []string{"pair", "counter"}[i%2], Private: i%5 == 0})
		ids = append(ids, id)
		if i%5 == 0 {
			continue
		}
		if i%3 == 0 {
			n.player(id, "ann")
		}
		if i%6 == 0 {
			n.player(id, "bob")
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, i := range r.Perm(len(ids))[:20] {
		if err := n.Close(t.Context(), ids[i], "enough"); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []actor.Filter{
		{}, {Open: true}, {Game: "pair"}, {Game: "pair", Open: true}, {Private: true}, {Private: true, Open: true}, {Private: true, Hidden: true},
		{Phase: core.PhaseOver}, {Game: "none"},
	} {
		testwait.Until(t, fmt.Sprintf("the list of %+v is right", f), func() bool {
			var want, got []room.ID
			for _, id := range ids {
				info, err := n.Info(id)
				if err == nil && (f.Game == "" || info.Game == f.Game) && (!f.Open || info.Open) && (f.Private || !info.Private) &&
					(!f.Hidden || info.Private) && (f.Phase == "" || info.Phase == f.Phase) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			for f.Limit = 7; ; f.After = got[len(got)-1] {
				page := n.List(f)
				for _, info := range page {
					got = append(got, info.ID)
				}
				if len(page) < f.Limit {
					f.After = ""
					return slices.Equal(got, want)
				}
			}
		})
	}
}
