package node

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/admin"
)

// listed is a set of rooms that answers List and Info alone.
type listed []actor.Info

func (l listed) Info(_ context.Context, id room.ID) (actor.Info, error) {
	for _, i := range l {
		if i.ID == id {
			return i, nil
		}
	}
	return actor.Info{}, actor.ErrNotFound
}

func (l listed) List(_ context.Context, f actor.Filter) (actor.Listing, error) {
	var out actor.Listing
	for _, i := range l {
		if i.ID > f.After && len(out.Rooms) < f.Limit {
			out.Rooms = append(out.Rooms, i)
		}
	}
	return out, nil
}

func ringOf(names ...string) *ring.Ring {
	var nodes []ring.Node
	for _, n := range names {
		nodes = append(nodes, ring.Node{Name: n})
	}
	return ring.New(nodes)
}

func TestFlowsAddUpToWhatMoves(t *testing.T) {
	nodes := func(t *rapid.T, label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 5, rapid.ID[string]).Draw(t, label)
	}
	rapid.Check(t, func(t *rapid.T) {
		now, then := ringOf(nodes(t, "now")...), ringOf(nodes(t, "then")...)
		var sum float64
		for _, f := range flows(now.Arcs(), then.Arcs()) {
			if f.Share <= 0 || f.From == f.To {
				t.Fatalf("a flow of nothing: %+v", f)
			}
			sum += f.Share
		}
		if want := ring.Moved(now, then); math.Abs(sum-want) > 1e-9 {
			t.Fatalf("the flows add up to %v, but %v moves", sum, want)
		}
	})
}

func TestWhatIfANodeLeftOrCame(t *testing.T) {
	now := ringOf("a", "b", "c")
	var rooms listed
	for i := range 2500 { // more than two pages
		rooms = append(rooms, actor.Info{ID: room.ID(fmt.Sprintf("%016d", i)), Node: now.Owner(room.ID(fmt.Sprintf("%016d", i))), Phase: core.PhasePlaying})
	}
	rooms[0].Phase = core.PhaseOver
	o := clusterAdmin{self: "a", ring: func() *ring.Ring { return now }, rooms: rooms}
	for _, change := range []admin.RingChange{
		{Leave: []string{"b"}}, {Join: []admin.RingNode{{Name: "d", Weight: 2}}}, {Leave: []string{"a"}, Join: []admin.RingNode{{Name: "a", Weight: 0.5}}},
	} {
		got, err := o.WhatIf(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		then, want := applyChange(now, change), 0
		for _, r := range rooms[1:] {
			if now.Owner(r.ID) != then.Owner(r.ID) {
				want++
			}
		}
		if got.Rooms != want || want == 0 {
			t.Errorf("%+v: %d rooms would move, want %d", change, got.Rooms, want)
		}
		if len(got.Nodes) != len(then.Nodes()) || len(got.Flows) == 0 {
			t.Errorf("%+v: %+v", change, got)
		}
	}
	gone, err := o.WhatIf(t.Context(), admin.RingChange{Leave: []string{"a", "b", "c"}})
	if err != nil || gone.Share != 1 || gone.Rooms != 2499 || gone.Flows[0].To != "" {
		t.Errorf("everybody leaves: %+v, %v", gone, err)
	}
}

func TestWhereARoomIs(t *testing.T) {
	now := ringOf("a", "b", "c")
	here := actor.Info{ID: "0123456789abcdef", Node: "z", Epoch: 7}
	o := clusterAdmin{ring: func() *ring.Ring { return now }, rooms: listed{here}}
	got, err := o.Where(t.Context(), here.ID)
	if err != nil || got.Node != "z" || got.Epoch != 7 || len(got.Nodes) != 3 || got.Nodes[0] != now.Owner(here.ID) {
		t.Errorf("%+v, %v", got, err)
	}
	if none, err := o.Where(t.Context(), "fedcba9876543210"); err != nil || none.Node != "" || none.Nodes[0] != now.Owner("fedcba9876543210") {
		t.Errorf("of no room: %+v, %v", none, err)
	}
}
