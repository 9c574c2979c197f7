package relay

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

// remote is the session of a client whose socket is at another node. It is the room's sink, and hears the edge's frames.
type remote struct {
	owner    *ownerStream
	number   uint64
	room     room.ID
	to       *fanout
	encoding wire.Encoding
	cancel   context.CancelFunc // of its attach
	later    func(f func())     // see actor.Bindings

	credit actor.Credit  // acts that the room has not answered
	sent   atomic.Uint64 // bytes

	mu      sync.Mutex
	session actor.Remote        // nil until it is attached
	early   []*linkpb.EdgeFrame // came before
	gone    bool                // the edge has detached it

	// Under the fanout's lock.
	ended    bool
	deferred [][]byte           // answers that wait for something else to go out
	last     *linkpb.OwnerFrame // the last that is for this session
}

// handle does what the edge's client wants. What comes before the room has let the client in waits for that.
func (r *remote) handle(f *linkpb.EdgeFrame) {
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

// do hands one frame to the room. Its errors say that the session has ended, and the edge has been told why.
func (r *remote) do(f *linkpb.EdgeFrame) {
	switch what := f.What.(type) {
	case *linkpb.EdgeFrame_Act:
		act := wire.Act{CSeq: what.Act.GetCseq(), Data: what.Act.GetData(), Trace: what.Act.GetTrace()}
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

// attached takes the room's yes.
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

// detach ends the session: the edge's client has gone.
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

// What follows implements actor.Sink.

func (r *remote) Encoding() wire.Encoding { return r.encoding }

func (r *remote) Credit() *actor.Credit { return &r.credit }

// Stats are what this node knows. The outbox with all that waits is at the edge.
func (r *remote) Stats() actor.OutboxStats {
	return actor.OutboxStats{Unanswered: r.credit.Open(), Sent: r.sent.Load()}
}

// Deliver sends what the room says over the link.
func (r *remote) Deliver(e actor.Event) {
	switch e := e.(type) {
	case *actor.Say:
		r.say(e)
	case actor.Flush:
		r.flush()
	case *actor.View: // encoded as if nothing was lost: the edge adds how much was
		frame := e.Encode(0)
		r.sent.Add(uint64(len(frame)))
		r.tell(&linkpb.OwnerFrame{What: &linkpb.OwnerFrame_View{View: &linkpb.View{Frame: frame, Epoch: uint64(e.Epoch), Seq: uint64(e.Seq)}}})
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
	if len(m.Frame) == 0 { // the edge counts one act less too
		g.now(r, answer(nil))
		return
	}
	if !g.joins(r, m) {
		g.begin(r, &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{
			Frame: m.Frame, Fate: linkpb.Fate(m.Fate), Epoch: uint64(m.Epoch), Seq: uint64(m.Seq), Events: uint32(m.Events),
		}}})
		g.said = m
	}
}

// answer is an answer to one session; a nil frame stands in place of one.
func answer(frame []byte) *linkpb.OwnerFrame {
	return &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{Frame: frame, Fate: linkpb.Fate_ANSWER}}}
}

// tell sends something to this session alone, after what was said before.
func (r *remote) tell(f *linkpb.OwnerFrame) {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if r.ended {
		return
	}
	r.sendDeferred()
	r.to.begin(r, f)
}

// flush sends the answers that wait. The last one goes with what the room says to others.
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

// sendDeferred queues the answers that wait. They are for this session alone, so a message that more sessions may still join need not
// go before them, unless it is for this session too. The fanout's lock is held.
func (r *remote) sendDeferred() {
	for _, frame := range r.deferred {
		r.credit.Done()
		r.to.alone(r, answer(frame))
	}
	r.deferred = nil
}

// end ends the session and tells the edge, unless the edge has ended it.
func (r *remote) end(why *actor.CloseError, discard bool) {
	next := ""
	if why != nil {
		next = nextOf(r.owner.o.Rooms, r.room, why)
	}
	r.to.mu.Lock()
	if r.ended {
		r.to.mu.Unlock()
		return
	}
	if why != nil {
		r.sendDeferred()
		r.to.now(r, &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_End{End: &linkpb.End{
			Moved: why.Moved(), Code: uint32(why.Code), Reason: why.Reason, Over: encodeOver(why.Over), Discard: discard, Next: next,
		}}})
	}
	r.ended, r.deferred = true, nil
	r.to.mu.Unlock()
	r.owner.forget(r)
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
