package cluster

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// remote is the session of a client whose socket another node has: the room's sink for it, and what the edge's
// frames are handed to.
type remote struct {
	owner    *owner
	number   uint64
	room     room.ID
	to       *gatherer
	encoding wire.Encoding
	cancel   context.CancelFunc // of its attach
	later    func(f func())     // see actor.Bindings

	credit actor.Credit  // acts that the room has not answered
	sent   atomic.Uint64 // bytes

	mu      sync.Mutex
	session actor.Remote        // nil until it is attached
	early   []*linkpb.EdgeFrame // that came before
	gone    bool                // the edge has detached it

	// Under the gatherer's lock.
	ended    bool
	deferred [][]byte           // answers that wait for something else to go out
	last     *linkpb.OwnerFrame // that it is among the sessions of
}

// take does what the edge's client wants. What comes before the attach is done waits for it.
func (r *remote) take(f *linkpb.EdgeFrame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.session != nil:
		r.do(f)
	case len(r.early) < 2*actor.MaxUnanswered:
		r.early = append(r.early, f)
	default:
		r.gone = true // so that the room loses it when it is attached
		r.end(actor.CloseUnanswered(), false)
	}
}

// do hands over one frame. An error says that the session has ended, and why has been said.
func (r *remote) do(f *linkpb.EdgeFrame) {
	switch what := f.What.(type) {
	case *linkpb.EdgeFrame_Act:
		act := wire.Act{CSeq: what.Act.GetCseq(), Data: what.Act.GetData()}
		if fault := what.Act.GetFault(); fault != nil {
			act.Fault = &wire.Fault{Code: fault.GetCode(), Reason: fault.GetReason()}
		}
		_ = r.session.Post(act)
	case *linkpb.EdgeFrame_Resync:
		_ = r.session.Resync(context.Background())
	case *linkpb.EdgeFrame_Leave:
		_ = r.session.PostLeave()
	}
}

// attached is when the room has said yes.
func (r *remote) attached(session actor.Remote) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		session.Detach()
		return
	}
	r.owner.to.Send(&linkpb.OwnerFrame{Sessions: []uint64{r.number}, What: &linkpb.OwnerFrame_Attached{Attached: &linkpb.Nothing{}}})
	r.session = session
	for _, f := range r.early {
		r.do(f)
	}
	r.early = nil
}

// detach is when the edge's client has gone.
func (r *remote) detach() {
	r.cancel()
	r.mu.Lock()
	r.gone, r.early = true, nil
	session := r.session
	r.mu.Unlock()
	if session != nil {
		session.Detach()
	}
}

// The rest is actor.Sink.

func (r *remote) Encoding() wire.Encoding { return r.encoding }

func (r *remote) Credit() *actor.Credit { return &r.credit }

// Stats are what this node knows: what waits is in the edge's outbox.
func (r *remote) Stats() actor.OutboxStats {
	return actor.OutboxStats{Unanswered: r.credit.Open(), Sent: r.sent.Load()}
}

// Deliver puts what the room says on the link.
func (r *remote) Deliver(e actor.Event) {
	switch e := e.(type) {
	case *actor.Say:
		r.say(e)
	case actor.Flush:
		r.flush()
	case *actor.View: // encoded as if nothing was lost: the edge knows how much was
		frame := e.Encode(0)
		r.sent.Add(uint64(len(frame)))
		r.tell(&linkpb.OwnerFrame{What: &linkpb.OwnerFrame_View{View: &linkpb.View{Frame: frame, Seq: uint64(e.Seq)}}})
	case *actor.Welcomed:
		r.tell(&linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Welcomed{Welcomed: &linkpb.Welcomed{
			Point: &linkpb.Point{Epoch: uint64(e.Epoch)}, Cseq: uint64(e.CSeq), From: uint64(e.From),
		}}})
	case *actor.Bindings:
		r.later = e.Later
	case *actor.End:
		r.end(e.Why, e.Discard)
	}
}

func (r *remote) say(m *actor.Say) {
	g := r.to
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.ended {
		return
	}
	r.sent.Add(uint64(len(m.Frame)))
	if m.Hold {
		r.deferred = append(r.deferred, m.Frame)
		return
	}
	r.sendDeferred()
	if m.Fate == actor.Answer {
		r.credit.Done()
	}
	if len(m.Frame) == 0 { // the edge counts one act less, too
		g.now(r, answer(nil))
		return
	}
	if !g.joins(r, m) {
		g.begin(r, &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{
			Frame: m.Frame, Fate: linkpb.Fate(m.Fate), Seq: uint64(m.Seq), Events: uint32(m.Events),
		}}})
		g.said = m
	}
}

// answer is an answer to one session, or nil in place of one.
func answer(frame []byte) *linkpb.OwnerFrame {
	return &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{Frame: frame, Fate: linkpb.Fate_ANSWER}}}
}

// tell says something to this session alone, after what was said before.
func (r *remote) tell(f *linkpb.OwnerFrame) {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if r.ended {
		return
	}
	r.sendDeferred()
	r.to.begin(r, f)
}

// flush sends the answers that wait, the last of them with what the room says to others.
func (r *remote) flush() {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if last := len(r.deferred) - 1; !r.ended && last >= 0 {
		frame := r.deferred[last]
		r.deferred = r.deferred[:last]
		r.sendDeferred()
		r.credit.Done()
		r.to.begin(r, answer(frame))
	}
}

// sendDeferred queues the answers that wait. They are for this session alone, so a message that is still gathering
// others' need not go before them, unless it is for this one too. The gatherer's lock is held.
func (r *remote) sendDeferred() {
	for _, frame := range r.deferred {
		r.credit.Done()
		r.to.alone(r, answer(frame))
	}
	r.deferred = nil
}

// end tells the edge, unless it was the edge that wanted it.
func (r *remote) end(why *actor.CloseError, discard bool) {
	if r.finish(why, discard) {
		r.owner.forget(r)
	}
}

func (r *remote) finish(why *actor.CloseError, discard bool) (first bool) {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if r.ended {
		return false
	}
	if why != nil {
		r.sendDeferred()
		r.to.now(r, &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_End{End: &linkpb.End{
			Moved: why.Moved(), Code: uint32(why.Code), Reason: why.Reason, Over: encodeOver(why.Over), Discard: discard,
		}}})
	}
	r.ended, r.deferred = true, nil
	return true
}

func encodeOver(over *wire.Over) []byte {
	if over == nil {
		return nil
	}
	b, err := json.Marshal(over)
	if err != nil {
		return nil // its result is no JSON: the close code says enough
	}
	return b
}

// gatherer queues what one room says to the sessions of one edge. The room hands the same message to one session
// after the other; here it becomes one frame for all of them.
type gatherer struct {
	to    ownerEnd
	users int // under the owner's lock

	mu      sync.Mutex
	open    *linkpb.OwnerFrame // what was said last: more sessions may join. nil: nothing waits
	said    *actor.Say         // what open says; nil: it is for one session
	awaited bool               // the room will call dispatch
}

// begin queues a message that sessions may join, after the one before it. The room's goroutine alone may call it.
func (g *gatherer) begin(r *remote, f *linkpb.OwnerFrame) {
	g.flush()
	f.Sessions = []uint64{r.number}
	g.open, g.said, r.last = f, nil, f
	g.await(r)
}

// await has the room call dispatch when it has said all. The room's goroutine alone may call it.
func (g *gatherer) await(r *remote) {
	if !g.awaited {
		g.awaited = true
		r.later(g.dispatch)
	}
}

// dispatch sends what waits, here and on the link.
func (g *gatherer) dispatch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.awaited = false
	if f := g.open; f != nil {
		g.open, g.said = nil, nil
		g.to.Send(f)
	}
}

// alone queues a message for one session without closing the open one to others.
func (g *gatherer) alone(r *remote, f *linkpb.OwnerFrame) {
	if r.last == g.open {
		g.flush()
	}
	f.Sessions = []uint64{r.number}
	g.to.Defer(f)
}

// now sends a message for one session after what it was told before. Any goroutine may call it.
func (g *gatherer) now(r *remote, f *linkpb.OwnerFrame) {
	g.flush()
	f.Sessions = []uint64{r.number}
	g.to.Send(f)
}

// flush queues the open message: another follows.
func (g *gatherer) flush() {
	if g.open != nil {
		g.to.Defer(g.open)
		g.open, g.said = nil, nil
	}
}

// joins adds a session to the open message, if that is the very same.
func (g *gatherer) joins(r *remote, m *actor.Say) bool {
	if g.open == nil || g.said != m || r.last == g.open {
		return false
	}
	g.open.Sessions = append(g.open.Sessions, r.number)
	r.last = g.open
	return true
}
