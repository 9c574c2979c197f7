package cluster_test

import (
	"testing"

	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// TestTheOperatorSeesWhatWaitsElsewhere inspects a room whose clients have their sockets at two nodes; nobody reads what the
// room says to them.
func TestTheOperatorSeesWhatWaitsElsewhere(t *testing.T) {
	g := grid.Wired(t, "a", "b", "c")
	id := g.Nodes["a"].Make(actor.Create{Game: "pair"}).ID
	var out []*actor.Outbox
	for i, name := range []string{"a", "b", "b"} {
		o := actor.NewOutbox(actor.OutboxOptions{})
		h := actor.Hello{Client: record.ClientID(rune('a' + i)), Attempt: uint64(i), Spectate: true, Edge: name}
		s, err := g.Nodes[name].Rooms().Attach(t.Context(), id, h, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Detach()
		out = append(out, o)
	}
	for _, n := range g.All() {
		testwait.Until(t, n.Name+" sees all that waits", func() bool {
			in, err := n.Rooms().Inspect(t.Context(), id, actor.Look{})
			if err != nil || len(in.Sessions) != 3 {
				t.Fatalf("%d sessions: %v", len(in.Sessions), err)
			}
			for _, s := range in.Sessions {
				want := out[s.Attempt].Stats()
				if s.Queue.Messages == 0 || s.Queue.Messages != want.Messages || s.Queue.Bytes != want.Bytes {
					return false
				}
			}
			return true
		})
	}
	if err := g.Nodes["b"].Links.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Nodes["a"].Rooms().Inspect(t.Context(), id, actor.Look{}); err != nil {
		t.Errorf("with an edge away: %v", err)
	}
}
