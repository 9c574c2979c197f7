package cluster

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// silentEnd handles the frames of a stream that nobody uses.
type silentEnd[F any] struct{}

func (silentEnd[F]) Frame(F)    {}
func (silentEnd[F]) Down(error) {}

// wired starts nodes of a grid that talk over real links on loopback.
func wired(t *testing.T, names ...string) *grid {
	g := newGrid(t)
	for _, name := range names {
		calls := link.NewMux()
		n := g.add(name)
		n.calls = calls
		calls.EncodeError(n.encodeError)
		n.serveRooms()
		n.serveMatches()
		n.serveNodes()
		links, err := link.New(link.Options{
			Self:     &linkpb.Greeting{Node: name, Boot: string(n.self.Boot), Label: "test", Machine: "m", Store: "sqlite"},
			Security: link.Security{Insecure: true}, Calls: calls,
			Owner: func(*link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return silentEnd[*linkpb.EdgeFrame]{} },
			Edge:  func(*link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return silentEnd[*linkpb.OwnerFrame]{} },
		})
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		n.links, n.self.Link = links, ln.Addr().String()
		links.Serve(ln)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			links.Close(ctx)
		})
	}
	for _, n := range g.all() {
		n.reach()
	}
	for _, n := range g.all() {
		gridUntil(t, "all links are up", func() bool {
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
	gridUntil(t, "b is gone, and a list says so", func() bool {
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
