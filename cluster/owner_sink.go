package cluster

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"unsafe"

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
	bound    actor.Bindings

	begun atomic.Int32  // acts that the room has not answered
	sent  atomic.Uint64 // bytes

	mu      sync.Mutex
	session actor.Remote        // nil until it is attached
	early   []*linkpb.EdgeFrame // that came before
	gone    bool                // the edge has detached it

	// Under the gatherer's lock.
	ended  bool
	hushed [][]byte           // answers that wait for something else to go out
	last   *linkpb.OwnerFrame // that it is among the sessions of
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
		r.End(actor.CloseUnanswered(), false)
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

func (r *remote) Bind(to actor.Bindings) { r.bound = to }

func (r *remote) Welcomed(epoch room.Epoch, from room.Index, cseq room.CSeq) {
	r.tell(&linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Welcomed{Welcomed: &linkpb.Welcomed{
		Point: &linkpb.Point{Epoch: uint64(epoch)}, Cseq: uint64(cseq), From: uint64(from),
	}}})
}

func (r *remote) Push(frame []byte, fate actor.Fate, seq room.Index, events int) {
	g := r.to
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.ended {
		return
	}
	r.sent.Add(uint64(len(frame)))
	r.unhush()
	if fate == actor.Answer {
		r.begun.Add(-1)
	}
	if !g.joins(r, frame, fate) {
		g.begin(r, say(&linkpb.Say{Frame: frame, Fate: linkpb.Fate(fate), Seq: uint64(seq), Events: uint32(events)}))
	}
}

// View is encoded as if nothing was lost: the edge knows how much was.
func (r *remote) View(seq room.Index, encode func(lost uint64) []byte) {
	frame := encode(0)
	r.sent.Add(uint64(len(frame)))
	r.tell(&linkpb.OwnerFrame{What: &linkpb.OwnerFrame_View{View: &linkpb.View{Frame: frame, Seq: uint64(seq)}}})
}

// tell says something to this session alone, after what was said before.
func (r *remote) tell(f *linkpb.OwnerFrame) {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if r.ended {
		return
	}
	r.unhush()
	r.to.begin(r, f)
}

func (r *remote) Hush(frame []byte) bool {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if r.ended {
		return false
	}
	r.sent.Add(uint64(len(frame)))
	r.hushed = append(r.hushed, frame)
	return true
}

func (r *remote) Rouse() {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if last := len(r.hushed) - 1; !r.ended && last >= 0 {
		frame := r.hushed[last]
		r.hushed = r.hushed[:last]
		r.unhush()
		r.begun.Add(-1)
		r.to.begin(r, say(&linkpb.Say{Frame: frame, Fate: linkpb.Fate_ANSWER}))
	}
}

// unhush queues the answers that wait. They are for this session alone, so a message that is still gathering
// others' need not go before them, unless it is for this one too. The gatherer's lock is held.
func (r *remote) unhush() {
	for _, frame := range r.hushed {
		r.begun.Add(-1)
		r.to.alone(r, say(&linkpb.Say{Frame: frame, Fate: linkpb.Fate_ANSWER}))
	}
	r.hushed = nil
}

func (r *remote) Begin() bool { return r.begun.Add(1) <= actor.MaxUnanswered }

// Settle has the edge count one act less.
func (r *remote) Settle() {
	r.begun.Add(-1)
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if !r.ended {
		r.unhush()
		r.to.now(r, say(&linkpb.Say{Fate: linkpb.Fate_ANSWER}))
	}
}

// End tells the edge, unless it was the edge that wanted it.
func (r *remote) End(why *actor.CloseError, discard bool) {
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
		r.unhush()
		r.to.now(r, &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_End{End: &linkpb.End{
			Moved: why.Moved(), Code: uint32(why.Code), Reason: why.Reason, Over: encodeOver(why.Over), Discard: discard,
		}}})
	}
	r.ended, r.hushed = true, nil
	return true
}

func (r *remote) Ended() bool {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	return r.ended
}

// Stats are what this node knows: what waits is in the edge's outbox.
func (r *remote) Stats() actor.OutboxStats {
	return actor.OutboxStats{Unanswered: int(r.begun.Load()), Sent: r.sent.Load()}
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
	say     *linkpb.Say        // of open, if it is one
	awaited bool               // the room will call dispatch
}

// begin queues a message that sessions may join, after the one before it. The room's goroutine alone may call it.
func (g *gatherer) begin(r *remote, f *linkpb.OwnerFrame) {
	g.flush()
	f.Sessions = []uint64{r.number}
	g.open, g.say, r.last = f, f.GetSay(), f
	g.await(r)
}

// await has the room call dispatch when it has said all. The room's goroutine alone may call it.
func (g *gatherer) await(r *remote) {
	if !g.awaited {
		g.awaited = true
		r.bound.Later(g.dispatch)
	}
}

// dispatch sends what waits, here and on the link.
func (g *gatherer) dispatch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.awaited = false
	if f := g.open; f != nil {
		g.open, g.say = nil, nil
		g.to.Send(f)
	}
}

// alone queues a message for one session without closing the open one to others.
func (g *gatherer) alone(r *remote, f *linkpb.OwnerFrame) {
	if r.last == g.open {
		g.flush()
	}
	f.Sessions = []uint64{r.number}
	g.to.Hush(f)
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
		g.to.Hush(g.open)
		g.open, g.say = nil, nil
	}
}

// joins adds a session to the open message, if that is the very same.
func (g *gatherer) joins(r *remote, frame []byte, fate actor.Fate) bool {
	if g.open == nil || g.say == nil || r.last == g.open || g.say.Fate != linkpb.Fate(fate) || !same(g.say.Frame, frame) {
		return false
	}
	g.open.Sessions = append(g.open.Sessions, r.number)
	r.last = g.open
	return true
}

// same reports whether two messages are the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

func say(what *linkpb.Say) *linkpb.OwnerFrame {
	return &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Say{Say: what}}
}
