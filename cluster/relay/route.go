package relay

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/roomring/roomring/cluster/edge"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// answered tells the machine the answer to an attach. Next is where the room is or will be, if that node knows.
func (a *attempt) answered(ctx context.Context, err error, next string) {
	switch {
	case err == nil:
		a.hears(edge.Event{What: edge.Attached})
	case ctx.Err() != nil:
		a.hears(edge.Event{What: edge.Stopped})
	case errors.Is(err, actor.ErrNotFound):
		a.hears(edge.Event{What: edge.Refused, Node: next, Err: &actor.UnreachableError{Reason: "the room is on its way to another node: retry"}})
	default:
		a.hears(edge.Event{What: edge.Refused, Node: next, Err: err, Final: final(err)})
	}
}

// ended tells the machine that the room has ended the session at this route: for good, or because the room moves, to next if that is known.
func (a *attempt) ended(why *actor.CloseError, discard bool, next string) {
	if why.Moved() {
		a.hears(edge.Event{What: edge.Lost, Err: why, Node: next})
		return
	}
	a.hears(edge.Event{What: edge.Ended, Err: why, Discard: discard})
}

// hearsEpoch tells the machine an epoch that the client is about to be told.
func (a *attempt) hearsEpoch(e record.Epoch) {
	if e > 0 {
		a.hears(edge.Event{What: edge.Raised, Epoch: e})
	}
}

// localRoute leads to a room of this node. It is the room's sink: it passes all on to the outbox but ends that are not the client's.
type localRoute struct {
	attempt
	session actor.Remote // under the session's lock until the route is open
}

func newLocal(a attempt) route {
	r := &localRoute{attempt: a}
	r.self = r
	return r
}

func (r *localRoute) attach(ctx context.Context) {
	_, err := r.s.e.o.Rooms.AttachSink(ctx, r.s.id, r.hello, r)
	r.answered(ctx, err, nextOf(r.s.e.o.Rooms, r.s.id, err))
}

func (r *localRoute) Encoding() wire.Encoding  { return r.feed.Encoding() }
func (r *localRoute) Credit() *actor.Credit    { return r.feed.Credit() }
func (r *localRoute) Stats() actor.OutboxStats { return r.feed.Stats() }

// Deliver tells the session what becomes of the route before the client hears it.
func (r *localRoute) Deliver(e actor.Event) {
	switch e := e.(type) {
	case *actor.Say: // the most frequent
		r.hearsEpoch(e.Epoch)
	case *actor.View:
		r.hearsEpoch(e.Epoch)
	case *actor.Bindings:
		r.s.mu.Lock()
		r.session = e.Session // the client may act as soon as it is welcomed
		r.s.mu.Unlock()
	case *actor.Welcomed:
		r.hears(edge.Event{What: edge.Welcomed, Epoch: e.Epoch, CSeq: e.CSeq})
	case *actor.End:
		if e.Why != nil { // nil: this side has detached it
			r.ended(e.Why, e.Discard, nextOf(r.s.e.o.Rooms, r.s.id, e.Why))
		}
		return
	}
	r.feed.Deliver(e)
}

func (r *localRoute) act(ctx context.Context, act wire.Act) error { return r.session.Act(ctx, act) }
func (r *localRoute) resync()                                     { _ = r.session.Resync(context.Background()) }
func (r *localRoute) leave()                                      { _ = r.session.PostLeave() }

func (r *localRoute) detach() {
	r.s.mu.Lock()
	session := r.session
	r.s.mu.Unlock()
	if session != nil {
		session.Detach()
	}
}

// remoteRoute leads to a room of another node, over a stream.
type remoteRoute struct {
	attempt
	stream *stream       // nil: there is none to that node
	first  chan struct{} // holds one: the owner has said something

	mu      sync.Mutex // a detach follows the attach
	session uint64     // its number in the stream; 0: it has not begun
	gone    bool
}

func newRemote(a attempt, node string) route {
	r := &remoteRoute{attempt: a, stream: a.s.e.stream(node), first: make(chan struct{}, 1)}
	r.self = r
	r.feed.Deliver(&actor.Bindings{Refill: r.resync, Stuck: r.s.stuck})
	return r
}

func (r *remoteRoute) attach(ctx context.Context) {
	if !r.ask() {
		r.answered(ctx, errLinkLost, "")
		return
	}
	select {
	case <-r.first:
	case <-ctx.Done():
		r.hears(edge.Event{What: edge.Stopped})
	}
}

// ask sends the attach, unless the route has been given up. False: there is no stream.
func (r *remoteRoute) ask() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		r.answerCame()
		return true
	}
	if r.stream == nil || !r.stream.add(r) {
		return false
	}
	r.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Attach{Attach: attachFrame(r.s.id, r.feed.Encoding(), r.hello)}})
	return true
}

// answerCame ends the wait for an answer.
func (r *remoteRoute) answerCame() {
	select {
	case r.first <- struct{}{}:
	default:
	}
}

func attachFrame(id room.ID, e wire.Encoding, h actor.Hello) *linkpb.Attach {
	a := &linkpb.Attach{
		Room: string(id), Encoding: uint32(e), Player: string(h.Player), Name: h.Name, Client: string(h.Client),
		Attempt: h.Attempt, Spectate: h.Spectate, Code: h.Code, Again: h.Again,
		HeartbeatMs: h.Heartbeat.Milliseconds(), LimitMessage: int64(h.Limits.Message), LimitRate: int64(h.Limits.Rate),
		LimitBytes: int64(h.Limits.Bytes),
		Token:      h.Token, Coming: h.Coming,
	}
	if h.Resume != nil {
		a.Resume = &linkpb.Point{Epoch: uint64(h.Resume.Epoch), Seq: uint64(h.Resume.Seq)}
	}
	return a
}

// handle does what the owner says to this session itself; messages to its client do not come here. Only the link's reader calls it.
func (r *remoteRoute) handle(f *linkpb.OwnerFrame) {
	switch what := f.What.(type) {
	case *linkpb.OwnerFrame_Attached:
		r.answerCame()
		r.hears(edge.Event{What: edge.Attached})
	case *linkpb.OwnerFrame_Refused:
		r.stream.forget(r.session)
		r.answerCame()
		r.answered(context.Background(), refused(what.Refused), what.Refused.Next)
	case *linkpb.OwnerFrame_Welcomed:
		w := what.Welcomed
		to := &actor.Welcomed{Epoch: record.Epoch(w.GetPoint().GetEpoch()), From: room.Index(w.From), CSeq: record.CSeq(w.Cseq)}
		r.answerCame() // it is a yes, and the room may end the session before its node says so
		r.hears(edge.Event{What: edge.Welcomed, Epoch: to.Epoch, CSeq: to.CSeq})
		r.feed.Deliver(to)
	case *linkpb.OwnerFrame_View:
		r.hearsEpoch(record.Epoch(what.View.Epoch))
		r.feed.Deliver(&actor.View{Epoch: record.Epoch(what.View.Epoch), Seq: room.Index(what.View.Seq), Encode: func(lost uint64) []byte {
			r.s.e.lostEvents.Add(lost)
			return wire.WithLost(r.feed.Encoding(), what.View.Frame, lost)
		}})
	case *linkpb.OwnerFrame_End:
		r.stream.forget(r.session) // as the owner has
		r.answerCame()
		if why := closeError(what.End.Code, what.End.Reason, what.End.Over); what.End.Moved {
			r.hears(edge.Event{What: edge.Lost, Err: why, Node: what.End.Next})
		} else {
			r.hears(edge.Event{What: edge.Ended, Err: why, Discard: what.End.Discard})
		}
	}
}

// refused makes the error of an owner's refusal.
func refused(r *linkpb.Refused) error {
	switch {
	case r.NotHere:
		return actor.ErrNotFound
	case r.Moved:
		return &actor.UnreachableError{Reason: r.Reason}
	}
	return closeError(r.Code, r.Reason, r.Over)
}

func closeError(code uint32, reason string, over []byte) *actor.CloseError {
	why := &actor.CloseError{Code: wire.CloseCode(code), Reason: reason}
	if len(over) > 0 {
		var o wire.Over
		if json.Unmarshal(over, &o) == nil {
			why.Over = &o
		}
	}
	return why
}

func (r *remoteRoute) send(f *linkpb.EdgeFrame) {
	f.Session = r.session
	r.stream.to.Send(f)
}

// act never waits: at most actor.MaxUnanswered acts of a client are under way.
func (r *remoteRoute) act(_ context.Context, act wire.Act) error {
	if !r.feed.Credit().Begin() {
		r.hears(edge.Event{What: edge.Close, Err: actor.CloseUnanswered()})
		return actor.ErrEnded
	}
	frame := &linkpb.Act{Cseq: act.CSeq, Data: act.Data, Trace: act.Trace}
	if act.Fault != nil {
		frame.Fault = &linkpb.Fault{Code: act.Fault.Code, Reason: act.Fault.Reason}
	}
	r.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Act{Act: frame}})
	return nil
}

func (r *remoteRoute) resync() {
	r.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Resync{Resync: &linkpb.Nothing{}}})
}

func (r *remoteRoute) leave() {
	r.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Leave{Leave: &linkpb.Nothing{}}})
}

func (r *remoteRoute) detach() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
	if r.session > 0 && r.stream.forget(r.session) {
		r.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Detach{Detach: &linkpb.Nothing{}}})
	}
}
