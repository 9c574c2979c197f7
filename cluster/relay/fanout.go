package relay

import (
	"sync"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/actor"
)

// fanout queues what one room says to the sessions of one edge. The room hands the same message to one session after the other; the
// fanout makes one frame for all of them.
type fanout struct {
	to    OwnerEnd
	users int // sessions; under the ownerStream's lock

	mu      sync.Mutex
	open    *linkpb.OwnerFrame // the last message, which more sessions may join; nil: nothing waits
	said    *actor.Say         // what open says; nil: open is for one session
	awaited bool               // the room calls dispatch when it has said all
}

// begin queues a message that sessions may join, after the one before it. Only the room's goroutine may call it.
func (g *fanout) begin(r *remote, f *linkpb.OwnerFrame) {
	g.flush()
	f.Sessions = []uint64{r.number}
	g.open, g.said, r.last = f, nil, f
	if !g.awaited {
		g.awaited = true
		r.later(g.dispatch)
	}
}

// dispatch sends what waits here, and what the link holds.
func (g *fanout) dispatch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.awaited = false
	if f := g.open; f != nil {
		g.open, g.said = nil, nil
		g.to.Send(f)
	}
}

// alone queues a message for one session. Others may go on joining the open message.
func (g *fanout) alone(r *remote, f *linkpb.OwnerFrame) {
	if r.last == g.open {
		g.flush()
	}
	f.Sessions = []uint64{r.number}
	g.to.Defer(f)
}

// now sends a message for one session, after what it was told before. Any goroutine may call it.
func (g *fanout) now(r *remote, f *linkpb.OwnerFrame) {
	g.flush()
	f.Sessions = []uint64{r.number}
	g.to.Send(f)
}

// flush queues the open message, because another one follows.
func (g *fanout) flush() {
	if g.open != nil {
		g.to.Defer(g.open)
		g.open, g.said = nil, nil
	}
}

// joins adds a session to the open message if that says the very same.
func (g *fanout) joins(r *remote, m *actor.Say) bool {
	if g.open == nil || g.said != m || r.last == g.open {
		return false
	}
	g.open.Sessions = append(g.open.Sessions, r.number)
	r.last = g.open
	return true
}
