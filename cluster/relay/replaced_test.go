//go:build !race

package relay

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// hasty is an owner that says of an attach what the test tells it to.
type hasty struct{ attached chan uint64 }

func (hasty) Peer() link.Peer { return link.Peer{Node: "b"} }
func (h hasty) Send(f *linkpb.EdgeFrame) {
	if f.GetAttach() != nil {
		h.attached <- f.Session
	}
}

// everywhereB says of every room that it is at node b.
type everywhereB struct{}

func (everywhereB) Locate(context.Context, room.ID) (string, error) { return "b", nil }
func (everywhereB) Forget(room.ID, string)                          {}
func (everywhereB) Remember(room.ID, string)                        {}

// TestASessionThatEndsBeforeItsAttach has a room welcome a client and end its session for a newer one before the node
// has said yes to the attach, which it then never does.
func TestASessionThatEndsBeforeItsAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEdge(EdgeOptions{Node: "a", Locator: everywhereB{}})
		defer e.Close()
		to := hasty{make(chan uint64, 1)}
		s := e.open(to)
		go func() {
			session := []uint64{<-to.attached}
			s.Frame(&linkpb.OwnerFrame{Sessions: session, What: &linkpb.OwnerFrame_Welcomed{Welcomed: &linkpb.Welcomed{Point: &linkpb.Point{Epoch: 1}}}})
			s.Frame(&linkpb.OwnerFrame{Sessions: session, What: &linkpb.OwnerFrame_End{End: &linkpb.End{Code: uint32(wire.CloseReplaced)}}})
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		box := actor.NewOutbox(actor.OutboxOptions{})
		begun := time.Now()
		session, err := e.Attach(ctx, "r", actor.Hello{Player: "p", Client: "c"}, box)
		if err != nil || time.Since(begun) > 0 {
			t.Fatalf("the attach ended after %v with %v", time.Since(begun), err)
		}
		if why, over := box.End(); !over || why.Code != wire.CloseReplaced {
			t.Errorf("the client hears %v, %v", why, over)
		}
		session.Detach()
	})
}

// TestAFlappingClient attaches one client hundreds of times by way of another node, in virtual time: whom the room has
// replaced hears so at once.
func TestAFlappingClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		c := w.connect("a", "b")
		id := w.create("b", "adding")
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		const times = 300
		boxes := make(chan *actor.Outbox, times)
		for i := range times {
			go func() {
				h := w.hello("p")
				h.Attempt = uint64(i + 1)
				box := actor.NewOutbox(actor.OutboxOptions{})
				if s, err := w.nodes["a"].edge.Attach(ctx, id, h, box); err != nil && i == times-1 {
					t.Errorf("the last is refused: %v", err)
				} else if err == nil && i%3 == 0 && i < times-1 {
					s.Detach()
				}
				boxes <- box
			}()
		}
		ended := 0
		for range times {
			box := <-boxes
			synctest.Wait()
			for n := 1; n > 0; {
				_, n = box.Take(nil, 1<<20)
			}
			if _, over := box.End(); over {
				ended++
			}
		}
		if took := time.Since(begun); took > time.Second || ended < times-1 {
			t.Errorf("after %v %d of %d have heard their end", took, ended, times)
		}
		c.cut(0)
	})
}
