package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room/actor"
)

func TestANodeDrawsItsOwnIDs(t *testing.T) {
	g := newGrid(t, "a", "b", "c", "d", "e")
	for _, n := range g.all() {
		for range 100 {
			if id := n.Place("pair"); n.Ring().Owner(id) != n.Cluster.self {
				t.Fatalf("%s drew %s, which is %s's", n.Cluster.self, id, n.Ring().Owner(id))
			}
		}
	}
	g.set(func() { g.nodes["a"].self.State = members.Draining })
	if g.nodes["a"].Place("pair") == "" {
		t.Error("a node that is not on the ring draws none")
	}
	g.nodes["b"].ring = ring.New(nil)
	if g.nodes["b"].Place("pair") == "" {
		t.Error("a node without a ring draws none")
	}
}

// 1,000 rooms at once spread evenly, though no node tells its load meanwhile, and every node finds them all.
func TestManyRoomsAtOnceSpread(t *testing.T) {
	g := newGrid(t, "a", "b", "c")
	nodes := g.all()
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
				t.Fatalf("%s does not find %s: %+v, %v", n.Cluster.self, info.ID, got, err)
			}
		}
	}
	for _, n := range nodes {
		if at[n.Cluster.self] < 270 || at[n.Cluster.self] > 400 {
			t.Errorf("not spread: %v", at)
		}
	}
}

func TestARoomIsMadeWhereThereIsPlace(t *testing.T) {
	g := newGrid(t)
	g.add("draining").o.Rooms.Drain()
	g.add("full", func(_ *Options, o *actor.Options) { o.MaxRooms = 1 }).make(actor.Create{Game: "pair"})
	g.add("hung")
	g.add("cut")
	g.add("good")
	g.set(func() { g.hung["hung"] = true })
	for _, n := range g.all() {
		n.o.Forward = 200 * time.Millisecond
		if n.Cluster.self != "cut" {
			g.separate(n.Cluster.self, "cut")
		}
	}
	for _, from := range []string{"draining", "full", "good"} {
		for range 10 {
			if info, err := g.nodes[from].Rooms().Create(t.Context(), actor.Create{Game: "pair"}); err != nil || info.Node != "good" {
				t.Fatalf("from %s it was made at %q: %v", from, info.Node, err)
			}
		}
	}
}

func TestWhatNoNodeWouldMakeIsAskedOnce(t *testing.T) {
	g := newGrid(t, "a", "b", "c", "d")
	for range 10 {
		before := g.asked("rooms.create")
		_, err := g.nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "pair", Options: json.RawMessage(`{"bad":true}`)})
		if bad, ok := errors.AsType[*actor.OptionsError](err); !ok || bad.Reason != "bad options" {
			t.Errorf("bad options: %v", err)
		}
		if g.asked("rooms.create") > before+1 {
			t.Error("bad options were carried from node to node")
		}
	}
	if _, err := g.nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "nothing"}); !errors.Is(err, actor.ErrUnknownGame) {
		t.Errorf("a game that nobody knows: %v", err)
	}
	for _, n := range []string{"a", "c", "d"} {
		serve(g.nodes[n].Cluster, roomsCreate, func(context.Context, actor.Create) (actor.Info, error) { return actor.Info{}, actor.ErrUnknownGame })
	}
	serve(g.nodes["b"].Cluster, roomsCreate, func(context.Context, actor.Create) (actor.Info, error) { return actor.Info{}, actor.ErrTooMany })
	for range 10 {
		if _, err := g.nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "new"}); !errors.Is(err, actor.ErrTooMany) {
			t.Errorf("a game that only a full node has: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.set(func() { g.hung["b"], g.hung["c"], g.hung["d"] = true, true, true })
	before := g.asked("rooms.create")
	if info, err := g.nodes["a"].Rooms().Create(ctx, actor.Create{Game: "pair"}); err == nil && info.Node != "a" {
		t.Errorf("made at %s after its end", info.Node)
	}
	if n := g.asked("rooms.create") - before; n > 1 {
		t.Errorf("%d nodes were asked after the end", n)
	}
}

func TestNobodyHasPlace(t *testing.T) {
	g := newGrid(t, "a", "b")
	for _, n := range g.all() {
		n.o.Rooms.Drain()
	}
	if _, err := g.nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "pair"}); !errors.Is(err, actor.ErrDraining) {
		t.Errorf("all drain: %v", err)
	}
}

func TestEveryActiveNodeIsAskedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l loads
		var all []members.Member
		active := map[string]bool{"self": false}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"self", "a", "b", "c", "d", "e"}), 0, 6, rapid.ID).Draw(t, "nodes") {
			m := members.Member{Name: name, State: rapid.SampledFrom([]members.State{members.Joining, members.Active, members.Draining}).Draw(t, "state")}
			m.Load = rapid.Float64Range(0, 100).Draw(t, "load")
			active[name] = m.State == members.Active
			all = append(all, m)
		}
		order := l.order(all, "self", 0)
		seen := map[string]int{}
		for _, n := range order {
			if seen[n]++; seen[n] > 1 || !active[n] && n != "self" {
				t.Fatalf("%v of %v", order, all)
			}
		}
		for n, is := range active {
			if (is || n == "self") && seen[n] != 1 {
				t.Fatalf("%s is not in %v", n, order)
			}
		}
		if len(order) > 1 && active[order[0]] && active[order[1]] && order[1] != "self" {
			if l.nodes[order[0]].told > l.nodes[order[1]].told {
				t.Fatalf("the more loaded of two comes first: %v of %v", order, all)
			}
		}
	})
}

func TestAnEstimateIsTakenBack(t *testing.T) {
	l := loads{nodes: map[string]*load{}}
	m, now := members.Member{Name: "a", Load: 10, Weight: 2}, time.Minute
	l.of(m, now)
	l.add("a", 1)
	l.add("a", 5)
	if got := l.of(m, now); got != 8 {
		t.Errorf("10 told and 6 placed at weight 2 are %v, want 8", got)
	}
	m.Load = 14
	if got := l.of(m, now); got != 7.5 {
		t.Errorf("4 of 6 are told: %v, want half of 14 and half of the other 2", got)
	}
	if got := l.of(m, now+loadsAge+time.Second); got != 7 {
		t.Errorf("nothing changed for long: %v, want 7", got)
	}
}
