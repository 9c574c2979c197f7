package cluster_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// meet has players ask for a match at once, each at another node, and tells who came into which room.
func meet(t *testing.T, g *grid.Grid, players int) map[room.ID]int {
	t.Helper()
	var mu sync.Mutex
	rooms := map[room.ID]int{}
	var wg sync.WaitGroup
	nodes := g.All()
	for i := range players {
		wg.Go(func() {
			info, err := nodes[i%len(nodes)].Rooms().Match(t.Context(), actor.Match{Game: "party", Player: room.PlayerID(fmt.Sprint("p", i))})
			if err != nil {
				t.Errorf("match: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			rooms[info.ID]++
		})
	}
	wg.Wait()
	return rooms
}

func TestOverRealLinks(t *testing.T) {
	g := grid.Wired(t, "a", "b", "c")
	if rooms := meet(t, g, 48); len(rooms) != 6 {
		t.Errorf("48 players are in %d rooms of 8", len(rooms))
	}
	made := g.Nodes["b"].Make(actor.Create{Game: "pair", Private: true})
	for _, n := range g.All() {
		if info, err := n.Rooms().Info(t.Context(), made.ID); err != nil || info.Node != "b" {
			t.Errorf("%s: %+v, %v", n.Name, info, err)
		}
		if info, err := n.Rooms().Find(t.Context(), made.Code); err != nil || info.ID != made.ID {
			t.Errorf("%s: %+v, %v", n.Name, info, err)
		}
		if l, err := n.Rooms().List(t.Context(), actor.Filter{Private: true}); err != nil || l.Partial || len(l.Rooms) != 7 {
			t.Errorf("%s lists %d rooms, partial %v: %v", n.Name, len(l.Rooms), l.Partial, err)
		}
		if nodes, err := n.Nodes.Infos(t.Context()); err != nil || len(nodes) != 3 || len(nodes[0].Unready) > 0 || len(nodes[2].Links) != 2 {
			t.Errorf("%s sees %+v, %v", n.Name, nodes, err)
		}
		if _, err := n.Rooms().Info(t.Context(), grid.RandomID()); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("no such room: %v", err)
		}
	}
	err := g.Nodes["a"].Rooms().Signal(t.Context(), made.ID, "sing", nil)
	if refused, ok := errors.AsType[*room.Refusal](err); !ok || refused.Code != "unknown" {
		t.Errorf("an unknown signal: %v", err)
	}
	if err := g.Nodes["b"].Links.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	testwait.Until(t, "b is gone, and a list says so", func() bool {
		l, err := g.Nodes["a"].Rooms().List(t.Context(), actor.Filter{})
		return err == nil && l.Partial
	})
	if _, err := g.Nodes["a"].Rooms().Info(t.Context(), made.ID); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("a room at a node that is gone: %v", err)
	}
	if info, err := g.Nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "pair"}); err != nil || info.Node == "b" {
		t.Errorf("a room without b: %+v, %v", info, err)
	}
}

// TestGossipIsWrongAboutADeath has gossip take a node for dead that is only slow: its rooms stay in sight.
func TestGossipIsWrongAboutADeath(t *testing.T) {
	g := grid.Wired(t, "a", "b")
	a, b := g.Nodes["a"], g.Nodes["b"]
	known, unknown := b.Make(actor.Create{Game: "pair"}), b.Make(actor.Create{Game: "pair"})
	if _, err := a.Locate.Locate(t.Context(), known.ID); err != nil {
		t.Fatal(err)
	}
	g.Set(func() { b.Gone = true })
	a.Nodes.Reach()
	for _, id := range []room.ID{known.ID, unknown.ID} {
		if node, err := a.Locate.Locate(t.Context(), id); err != nil || node != "b" {
			t.Errorf("a room of b is at %q, %v", node, err)
		}
	}
	if l, err := a.Rooms().List(t.Context(), actor.Filter{}); err != nil || l.Partial || len(l.Rooms) != 2 {
		t.Errorf("%d rooms, partial %v: %v", len(l.Rooms), l.Partial, err)
	}
	nodes, err := a.Nodes.Infos(t.Context())
	if err != nil || len(nodes) != 2 || len(nodes[1].Unready) != 1 || !strings.Contains(nodes[1].Unready[0], "gossip") {
		t.Errorf("nodes: %+v, %v", nodes, err)
	}
}

// TestWatchesAcrossALink watches a room at another node until it ends.
func TestWatchesAcrossALink(t *testing.T) {
	g := grid.Wired(t, "a", "b")
	a, b := g.Nodes["a"], g.Nodes["b"]
	info, err := b.Directory.Create(t.Context(), actor.Create{Game: "pair"})
	if err != nil {
		t.Fatal(err)
	}
	var seen []actor.RoomEvent
	err = a.Rooms().Watch(t.Context(), info.ID, func(e actor.RoomEvent) error {
		if seen = append(seen, e); e.Type == actor.EventWatching {
			return a.Rooms().Close(t.Context(), info.ID, "seen enough")
		}
		return nil
	})
	if err != nil || len(seen) < 3 || seen[len(seen)-1].Type != actor.EventOver {
		t.Errorf("the watch ended with %v after %+v", err, seen)
	}
	stop := errors.New("stop")
	if err := a.Rooms().Watch(t.Context(), "0123456789abcdef", func(actor.RoomEvent) error { return stop }); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("watching what is not there: %v", err)
	}
}
