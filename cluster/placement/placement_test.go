package placement_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/placement"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room/actor"
)

func TestANodeDrawsItsOwnIDs(t *testing.T) {
	g := grid.New(t, "a", "b", "c", "d", "e")
	for _, n := range g.All() {
		for range 100 {
			if id := n.Place("pair"); n.Nodes.Ring().Owner(id) != n.Name {
				t.Fatalf("%s drew %s, which is %s's", n.Name, id, n.Nodes.Ring().Owner(id))
			}
		}
	}
	g.Set(func() { g.Nodes["a"].Member.State = members.Draining })
	if g.Nodes["a"].Place("pair") == "" {
		t.Error("a node that is not on the ring draws none")
	}
	g.Nodes["b"].Ring = ring.New(nil)
	if g.Nodes["b"].Place("pair") == "" {
		t.Error("a node without a ring draws none")
	}
}

// 1,000 rooms at once spread evenly, though no node tells its load meanwhile, and every node finds them all.
func TestManyRoomsAtOnceSpread(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	nodes := g.All()
	var mu sync.Mutex
	var made []actor.Info
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			info, err := nodes[rand.IntN(3)].Rooms().Create(t.Context(), actor.Create{Game: "pair"})
			if err != nil {
				t.Errorf("create: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			made = append(made, info)
		})
	}
	wg.Wait()
	at := map[string]int{}
	for _, info := range made {
		at[info.Node]++
		for _, n := range nodes {
			if got, err := n.Rooms().Info(t.Context(), info.ID); err != nil || got.Node != info.Node {
				t.Fatalf("%s does not find %s: %+v, %v", n.Name, info.ID, got, err)
			}
		}
	}
	for _, n := range nodes {
		if at[n.Name] < 270 || at[n.Name] > 400 {
			t.Errorf("not spread: %v", at)
		}
	}
}

func TestARoomIsMadeWhereThereIsPlace(t *testing.T) {
	g := grid.New(t)
	short := func(s *grid.Setup) { s.Cluster.Forward = 200 * time.Millisecond }
	g.Add("draining", short).Directory.Drain()
	g.Add("full", short, func(s *grid.Setup) { s.Rooms.MaxRooms = 1 }).Make(actor.Create{Game: "pair"})
	g.Add("hung", short)
	g.Add("cut", short)
	g.Add("good", short)
	g.Set(func() { g.Hung["hung"] = true })
	for _, n := range g.All() {
		if n.Name != "cut" {
			g.Separate(n.Name, "cut")
		}
	}
	for _, from := range []string{"draining", "full", "good"} {
		for range 10 {
			if info, err := g.Nodes[from].Rooms().Create(t.Context(), actor.Create{Game: "pair"}); err != nil || info.Node != "good" {
				t.Fatalf("from %s it was made at %q: %v", from, info.Node, err)
			}
		}
	}
}

func TestWhatNoNodeWouldMakeIsAskedOnce(t *testing.T) {
	g := grid.New(t, "a", "b", "c", "d")
	for range 10 {
		before := g.Asked("rooms.create")
		_, err := g.Nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "pair", Options: json.RawMessage(`{"bad":true}`)})
		if bad, ok := errors.AsType[*actor.OptionsError](err); !ok || bad.Reason != "bad options" {
			t.Errorf("bad options: %v", err)
		}
		if g.Asked("rooms.create") > before+1 {
			t.Error("bad options were carried from node to node")
		}
	}
	if _, err := g.Nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "nothing"}); !errors.Is(err, actor.ErrUnknownGame) {
		t.Errorf("a game that nobody knows: %v", err)
	}
	for _, n := range []string{"a", "c", "d"} {
		rpc.Serve(g.Nodes[n].Calls, placement.Create, func(context.Context, actor.Create) (actor.Info, error) { return actor.Info{}, actor.ErrUnknownGame })
	}
	rpc.Serve(g.Nodes["b"].Calls, placement.Create, func(context.Context, actor.Create) (actor.Info, error) { return actor.Info{}, actor.ErrTooMany })
	for range 10 {
		if _, err := g.Nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "new"}); !errors.Is(err, actor.ErrTooMany) {
			t.Errorf("a game that only a full node has: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.Set(func() { g.Hung["b"], g.Hung["c"], g.Hung["d"] = true, true, true })
	before := g.Asked("rooms.create")
	if info, err := g.Nodes["a"].Rooms().Create(ctx, actor.Create{Game: "pair"}); err == nil && info.Node != "a" {
		t.Errorf("made at %s after its end", info.Node)
	}
	if n := g.Asked("rooms.create") - before; n > 1 {
		t.Errorf("%d nodes were asked after the end", n)
	}
}

func TestNobodyHasPlace(t *testing.T) {
	g := grid.New(t, "a", "b")
	for _, n := range g.All() {
		n.Directory.Drain()
	}
	if _, err := g.Nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "pair"}); !errors.Is(err, actor.ErrDraining) {
		t.Errorf("all drain: %v", err)
	}
}
