package cluster

import (
	"context"
	"encoding/json"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// nearLeg leads to a room of this node. It is the room's sink: the outbox, but for the ends that are not the client's.
type nearLeg struct {
	leg
	*actor.Feed
	session actor.Remote
}

// tryHere attaches to a room of this node.
func (s *seat) tryHere(ctx context.Context) (*leg, error) {
	l := &nearLeg{}
	l.way = (*nearWay)(l)
	h, feed, err := s.begin(&l.leg)
	if err != nil {
		return nil, err
	}
	l.Feed = feed
	_, err = s.e.o.Rooms.AttachSink(ctx, s.id, h, l)
	if err == nil {
		err = s.attached(&l.leg)
	}
	if err != nil {
		s.giveUp(&l.leg)
	}
	return &l.leg, err
}

// Bind remembers the session: the client may act as soon as it is welcomed.
func (l *nearLeg) Bind(to actor.Bindings) {
	l.session = to.Session
	l.Feed.Bind(to)
}

// Welcomed opens the gate before the client hears.
func (l *nearLeg) Welcomed(epoch room.Epoch, from room.Index, cseq room.CSeq) {
	l.Feed.Welcomed(epoch, from, cseq)
	l.greet(cseq)
}

// End is the room's.
func (l *nearLeg) End(why *actor.CloseError, discard bool) {
	switch {
	case why == nil: // detached, from here
	case why.Moved():
		l.seat.lost(&l.leg, why)
	default:
		l.seat.ended(&l.leg, why, discard)
	}
}

// nearWay speaks to a room of this node.
type nearWay nearLeg

func (l *nearWay) act(ctx context.Context, act wire.Act) error { return l.session.Act(ctx, act) }
func (l *nearWay) resync()                                     { _ = l.session.Resync(context.Background()) }
func (l *nearWay) leave(ctx context.Context) error             { return l.session.Leave(ctx) }
func (l *nearWay) detach() {
	if l.session != nil {
		l.session.Detach()
	}
}

// farLeg leads to a room of another node, over a stream.
type farLeg struct {
	leg
	feed   *actor.Feed
	stream *stream
	number uint64
}

// tryThere attaches to a room of another node and waits for its yes or no.
func (s *seat) tryThere(ctx context.Context, node string) (*leg, error) {
	st := s.e.stream(node)
	if st == nil {
		return nil, errLinkLost
	}
	l := &farLeg{stream: st}
	l.way = (*farWay)(l)
	h, feed, err := s.begin(&l.leg)
	if err != nil {
		return nil, err
	}
	l.feed = feed
	feed.Bind(actor.Bindings{Refill: l.resync, Stuck: s.stuck})
	if !st.add(l) {
		err = errLinkLost
	} else {
		st.to.Send(&linkpb.EdgeFrame{Session: l.number, What: &linkpb.EdgeFrame_Attach{Attach: attachFrame(s.id, feed.Encoding(), h)}})
		select {
		case err = <-l.reply:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err == nil {
		err = s.attached(&l.leg)
	}
	if err != nil {
		s.giveUp(&l.leg)
	}
	return &l.leg, err
}

func attachFrame(id room.ID, e wire.Encoding, h actor.Hello) *linkpb.Attach {
	a := &linkpb.Attach{
		Room: string(id), Encoding: uint32(e), Player: string(h.Player), Name: h.Name, Client: string(h.Client),
		Attempt: h.Attempt, Spectate: h.Spectate, Code: h.Code, Again: h.Again,
		HeartbeatMs: h.Heartbeat.Milliseconds(), LimitMessage: int64(h.Limits.Message), LimitRate: int64(h.Limits.Rate),
		LimitBytes: int64(h.Limits.Bytes),
		Token:      h.Token,
	}
	if h.Resume != nil {
		a.Resume = &linkpb.Point{Epoch: uint64(h.Resume.Epoch), Seq: uint64(h.Resume.Seq)}
	}
	return a
}

// take does what the owner says to this session. The link's reader alone calls it.
func (l *farLeg) take(f *linkpb.OwnerFrame) {
	switch what := f.What.(type) {
	case *linkpb.OwnerFrame_Attached:
		l.answer(nil)
	case *linkpb.OwnerFrame_Refused:
		l.stream.forget(l.number)
		l.answer(refused(what.Refused))
	case *linkpb.OwnerFrame_Welcomed:
		w := what.Welcomed
		l.feed.Welcomed(room.Epoch(w.GetPoint().GetEpoch()), room.Index(w.From), room.CSeq(w.Cseq))
		l.greet(room.CSeq(w.Cseq))
	case *linkpb.OwnerFrame_Say:
		l.said(what.Say)
	case *linkpb.OwnerFrame_View:
		l.feed.View(room.Index(what.View.Seq), func(lost uint64) []byte {
			l.seat.e.o.Counts.lostEvents.Add(lost)
			return wire.WithLost(l.feed.Encoding(), what.View.Frame, lost)
		})
	case *linkpb.OwnerFrame_End:
		l.ended(what.End)
	}
}

func (l *farLeg) said(s *linkpb.Say) {
	if s.Fate == linkpb.Fate_ANSWER && len(s.Frame) == 0 {
		l.feed.Settle()
		return
	}
	l.feed.Push(s.Frame, actor.Fate(s.Fate), room.Index(s.Seq), int(s.Events))
}

// ended is when the owner has ended the session: it has forgotten it.
func (l *farLeg) ended(e *linkpb.End) {
	l.stream.forget(l.number)
	why := closeError(e.Code, e.Reason, e.Over)
	if e.Moved {
		l.seat.lost(&l.leg, why)
		return
	}
	l.seat.ended(&l.leg, why, e.Discard)
}

// refused is the error that an owner's no stands for.
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

// farWay speaks to a room of another node.
type farWay farLeg

func (l *farWay) send(f *linkpb.EdgeFrame) {
	f.Session = l.number
	l.stream.to.Send(f)
}

// act never waits: at most actor.MaxUnanswered acts of a client are under way.
func (l *farWay) act(_ context.Context, act wire.Act) error {
	if l.feed.Ended() {
		return actor.ErrEnded
	}
	if !l.feed.Begin() {
		l.seat.end(actor.CloseUnanswered(), false)
		return actor.ErrEnded
	}
	frame := &linkpb.Act{Cseq: act.CSeq, Data: act.Data}
	if act.Fault != nil {
		frame.Fault = &linkpb.Fault{Code: act.Fault.Code, Reason: act.Fault.Reason}
	}
	l.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Act{Act: frame}})
	return nil
}

func (l *farWay) resync() {
	l.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Resync{Resync: &linkpb.Nothing{}}})
}

func (l *farWay) leave(context.Context) error {
	l.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Leave{Leave: &linkpb.Nothing{}}})
	return nil
}

func (l *farWay) detach() {
	if l.stream.forget(l.number) {
		l.send(&linkpb.EdgeFrame{What: &linkpb.EdgeFrame_Detach{Detach: &linkpb.Nothing{}}})
	}
}
