package cluster

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// wired starts nodes of a grid that talk over real links on loopback.
func wired(t *testing.T, names ...string) *grid {
	g := newGrid(t)
	for _, name := range names {
		g.wire(name, "m")
	}
	for _, n := range g.all() {
		n.reach()
	}
	for _, n := range g.all() {
		until(t, "all links are up", func() bool {
			up := 0
			for _, s := range n.links.States() {
				if s.Up {
					up++
				}
			}
			return up == len(names)-1
		})
	}
	return g
}

// wire starts a node on a machine.
func (g *grid) wire(name, machine string) *gridNode {
	g.t.Helper()
	calls := link.NewMux()
	n := g.add(name)
	n.calls = calls
	calls.EncodeError(n.encodeError)
	n.serveRooms()
	n.serveMatches()
	n.serveNodes()
	links, err := link.New(link.Options{
		Self:     &linkpb.Greeting{Node: name, Boot: string(n.self.Boot), Label: "test", Machine: machine, Store: "sqlite"},
		Security: link.Security{Insecure: true}, Calls: calls,
		Owner: func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return n.owners.open(to) },
		Edge:  func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return n.edges.open(to) },
	})
	if err != nil {
		g.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	n.links, n.self.Link = links, ln.Addr().String()
	links.Serve(ln)
	g.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		links.Close(ctx)
	})
	return n
}

// TestANodeThatDoesNotFitStaysOffTheRing starts a node with SQLite on another machine: it says what is needed, and the
// others do not mind.
func TestANodeThatDoesNotFitStaysOffTheRing(t *testing.T) {
	g := wired(t, "a", "b")
	stranger := g.wire("c", "another")
	g.set(func() { stranger.self.State, stranger.joined = members.Joining, 2 })
	for _, n := range g.all() {
		n.reach()
	}
	if err := stranger.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if why := stranger.Unready(); len(why) != 1 || !strings.Contains(why[0], "nodes on several machines need PostgreSQL") || !strings.Contains(why[0], "--store") {
		t.Errorf("it is not ready because of %q", why)
	}
	if state := stranger.members.Self().State; state != members.Joining {
		t.Errorf("its state is %v", state)
	}
	for _, name := range []string{"a", "b"} {
		n := g.nodes[name]
		until(t, "the others know why it has no link", func() bool {
			s := n.links.States()
			return len(s) == 2 && s[1].Unfit
		})
		if n.fit(); len(n.Unready()) > 0 || n.members.Self().State != members.Active {
			t.Errorf("%s: %v %q", name, n.members.Self().State, n.Unready())
		}
		nodes, err := n.Nodes(t.Context())
		if err != nil || len(nodes) != 3 || nodes[2].State != "joining" || len(nodes[2].Unready) != 1 || !strings.Contains(nodes[2].Unready[0], "PostgreSQL") {
			t.Errorf("%s shows the operator %+v, %v", name, nodes, err)
		}
		if l, err := n.Rooms().List(t.Context(), actor.Filter{}); err != nil || l.Partial {
			t.Errorf("%s: partial %v, %v", name, l.Partial, err)
		}
		if _, err := n.Rooms().Info(t.Context(), randomID()); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("%s asks for a room that never was: %v", name, err)
		}
	}
	g.set(func() { g.nodes["a"].gone, g.nodes["b"].gone = true, true })
	stranger.reach()
	until(t, "it goes on by itself when the others have left", func() bool {
		return len(stranger.Unready()) == 0 && stranger.members.Self().State == members.Active
	})
}

func TestOverRealLinks(t *testing.T) {
	g := wired(t, "a", "b", "c")
	if rooms := meet(t, g, actor.Match{Game: "party"}, 48); len(rooms) != 6 {
		t.Errorf("48 players are in %d rooms of 8", len(rooms))
	}
	made := g.nodes["b"].make(actor.Create{Game: "pair", Private: true})
	for _, n := range g.all() {
		if info, err := n.Rooms().Info(t.Context(), made.ID); err != nil || info.Node != "b" {
			t.Errorf("%s: %+v, %v", n.Cluster.self, info, err)
		}
		if info, err := n.Rooms().Find(t.Context(), made.Code); err != nil || info.ID != made.ID {
			t.Errorf("%s: %+v, %v", n.Cluster.self, info, err)
		}
		if l, err := n.Rooms().List(t.Context(), actor.Filter{Private: true}); err != nil || l.Partial || len(l.Rooms) != 7 {
			t.Errorf("%s lists %d rooms, partial %v: %v", n.Cluster.self, len(l.Rooms), l.Partial, err)
		}
		if nodes, err := n.Nodes(t.Context()); err != nil || len(nodes) != 3 || len(nodes[0].Unready) > 0 || len(nodes[2].Links) != 2 {
			t.Errorf("%s sees %+v, %v", n.Cluster.self, nodes, err)
		}
		if _, err := n.Rooms().Info(t.Context(), randomID()); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("no such room: %v", err)
		}
	}
	err := g.nodes["a"].Rooms().Signal(t.Context(), made.ID, "sing", nil)
	if refused, ok := errors.AsType[*room.Refusal](err); !ok || refused.Code != "unknown" {
		t.Errorf("an unknown signal: %v", err)
	}
	if err := g.nodes["b"].links.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	until(t, "b is gone, and a list says so", func() bool {
		l, err := g.nodes["a"].Rooms().List(t.Context(), actor.Filter{})
		return err == nil && l.Partial
	})
	if _, err := g.nodes["a"].Rooms().Info(t.Context(), made.ID); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("a room at a node that is gone: %v", err)
	}
	if info, err := g.nodes["a"].Rooms().Create(t.Context(), actor.Create{Game: "pair"}); err != nil || info.Node == "b" {
		t.Errorf("a room without b: %+v, %v", info, err)
	}
}

// TestGossipIsWrongAboutADeath has gossip take a node for dead that is only slow: its rooms stay in sight.
func TestGossipIsWrongAboutADeath(t *testing.T) {
	g := wired(t, "a", "b")
	a, b := g.nodes["a"], g.nodes["b"]
	known, unknown := b.make(actor.Create{Game: "pair"}), b.make(actor.Create{Game: "pair"})
	if _, err := a.Locate(t.Context(), known.ID); err != nil {
		t.Fatal(err)
	}
	g.set(func() { b.gone = true })
	a.reach()
	for _, id := range []room.ID{known.ID, unknown.ID} {
		if node, err := a.Locate(t.Context(), id); err != nil || node != "b" {
			t.Errorf("a room of b is at %q, %v", node, err)
		}
	}
	if l, err := a.Rooms().List(t.Context(), actor.Filter{}); err != nil || l.Partial || len(l.Rooms) != 2 {
		t.Errorf("%d rooms, partial %v: %v", len(l.Rooms), l.Partial, err)
	}
	nodes, err := a.Nodes(t.Context())
	if err != nil || len(nodes) != 2 || len(nodes[1].Unready) != 1 || !strings.Contains(nodes[1].Unready[0], "gossip") {
		t.Errorf("nodes: %+v, %v", nodes, err)
	}
}

// TestWatchesAcrossALink watches a room at another node until it ends.
func TestWatchesAcrossALink(t *testing.T) {
	g := wired(t, "a", "b")
	a, b := g.nodes["a"], g.nodes["b"]
	info, err := b.o.Rooms.Create(t.Context(), actor.Create{Game: "pair"})
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
