package actor

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// sendCommitted commits what needs no log store, and sends what became ready to send at the commit of now.
func (r *liveRoom) sendCommitted() {
	i := r.core.Committed()
	if !r.durable {
		i = r.core.Point().Seq
	}
	r.commit(i)
}

// commit sends everything that waited for the commit of an index.
func (r *liveRoom) commit(i room.Index) {
	var out []core.Output
	if r.core.PendingOutputs() > 0 || i > r.core.Committed() {
		out = r.core.Commit(i)
	}
	r.info.committed.Store(uint64(r.core.Committed()))
	r.publish() // before anybody hears of it: who asks then is told no less
	r.tellCommitted()
	if len(r.traces) > 0 {
		r.traceCommitted()
		defer r.traceAnswered()
	}
	r.send(out)
	r.flushAnswers()
	r.flush()
}

// answerWaiters answers those whose commit has come.
func (r *liveRoom) answerWaiters() {
	i := r.core.Committed()
	kept := r.waiters[:0]
	for _, w := range r.waiters {
		if w.at > i {
			kept = append(kept, w)
			continue
		}
		w.done <- w.err
	}
	clear(r.waiters[len(kept):])
	r.waiters = kept
}

// send hands committed outputs to the sessions they are for, in order. Who is in which class changes here too, by Welcome and
// Enter, so that membership and frames are one stream.
func (r *liveRoom) send(outputs []core.Output) {
	for _, o := range outputs {
		switch o := o.(type) {
		case core.Turned:
			r.sendTurn(o)
		case core.Answered:
			r.sendAnswer(o)
		case core.Welcome:
			r.sendWelcome(o)
		case core.ClassChanged:
			if s := r.sessions.hearing(o.To); s != nil {
				r.sessions.joinClass(s, o.Class)
				s.out.Deliver(turn(o.State, s.out.Encoding()))
			}
		case core.Resynced:
			r.sendView(o)
		case core.Replaced:
			for _, s := range r.sessions.players[o.Player] {
				if s.hello.Client == o.Client && s.attached < o.Index {
					r.endSession(s, closeReplaced())
				}
			}
		case core.SeatLost:
			r.sendGone(o)
		case core.Ended:
			r.sendEnd(o)
		case core.RematchAgreed:
			r.dir.rematch(r, o)
		}
	}
}

// sendTurn fans one turn out to a class. It is encoded once for each encoding in use.
func (r *liveRoom) sendTurn(o core.Turned) {
	members := r.sessions.classes[o.Class]
	var shared broadcast
	for _, s := range members {
		f, own := o.Frame, false
		if o.Private != nil {
			var private *core.Frame
			if private, own = o.Private[s.hello.Player]; own {
				f = private
			}
		}
		switch e := s.out.Encoding(); {
		case f == nil:
		case own:
			s.out.Deliver(turn(f, e))
		default:
			s.out.Deliver(shared.in(e, func() *Say { return turn(f, e) }))
		}
	}
	r.o.Metrics.Sent(r.game, len(members))
}

func turn(f *core.Frame, e wire.Encoding) *Say {
	return &Say{Frame: f.Bytes(e), Fate: Drop, Epoch: f.Epoch, Seq: f.Seq, Events: f.Events}
}

// broadcast is what many sessions are told, by encoding.
type broadcast [wire.CBOR + 1]*Say

// in is the message in an encoding. It is made once.
func (b *broadcast) in(e wire.Encoding, make func() *Say) *Say {
	if b[e] == nil {
		b[e] = make()
	}
	return b[e]
}

// heldAnswers are answers that wait for the next tick: a write costs more than all the rest of an act, and what the act did is
// not to be seen before that tick anyway.
type heldAnswers struct {
	tick     room.Index // the oldest tick that is not committed; 0: none
	sessions []*session // those with held answers
}

// longestHold bounds how long an answer waits for its tick.
const longestHold = 100 * time.Millisecond

// sendAnswer answers the client that acted, if it is still the player's.
func (r *liveRoom) sendAnswer(o core.Answered) {
	s := r.sessions.active(o.Player)
	if s == nil || s.hello.Client != o.Client {
		return
	}
	hold := r.core.Ticking() && time.Duration(r.core.Rules().Spec().TickRate)*longestHold >= time.Second
	if hold && !s.held {
		s.held = true
		r.answers.sessions = append(r.answers.sessions, s)
	}
	s.out.Deliver(&Say{Frame: o.Frame.Bytes(s.out.Encoding()), Fate: Answer, Hold: hold})
}

// flushAnswers sends the held answers once a tick is committed, or none will come. Most have gone out with its turn by then.
func (r *liveRoom) flushAnswers() {
	due := r.answers.tick > 0 && r.answers.tick <= r.core.Committed()
	if due {
		r.answers.tick = 0
	}
	if len(r.answers.sessions) == 0 || !due && r.core.Ticking() {
		return
	}
	for _, s := range r.answers.sessions {
		s.held = false
		s.out.Deliver(Flush{})
	}
	clear(r.answers.sessions)
	r.answers.sessions = r.answers.sessions[:0]
}

// sendWelcome opens a session's stream. Older sessions of the player end, and a client that has gone meanwhile hears nothing.
func (r *liveRoom) sendWelcome(o core.Welcome) {
	s := r.sessions.spectators[o.To.Watcher]
	for _, of := range r.sessions.players[o.To.Player] {
		switch {
		case of.attached == o.Index:
			s = of
		case of.attached < o.Index:
			r.endSession(of, closeReplaced())
		}
	}
	if s == nil {
		return
	}
	e := s.out.Encoding()
	s.welcomed = true
	r.sessions.joinClass(s, o.Class)
	from := room.Index(0) // the client begins with the whole view
	if o.Recovered && s.hello.Resume != nil {
		from = s.hello.Resume.Seq
	}
	s.out.Deliver(&Welcomed{o.Point.Epoch, from, o.CSeq})
	s.out.Deliver(&Say{Frame: wire.AppendWelcome(nil, e, r.welcome(s, o))})
	for _, f := range o.Frames {
		say := &Say{Frame: f.Bytes(e)}
		if f.Kind == core.FrameTurn || f.Kind == core.FrameState { // the index of an answer or of the end may be ahead of the view
			say.Epoch, say.Seq = f.Epoch, f.Seq
		}
		s.out.Deliver(say)
	}
}

// welcome completes what the edge promises with what the room knows.
func (r *liveRoom) welcome(s *session, o core.Welcome) wire.Welcome {
	limits := s.hello.Limits
	limits.Unanswered = MaxUnanswered
	token := s.hello.Token
	s.hello.Token = "" // it is said once: neither memory nor a core dump need hold it
	return wire.Welcome{
		Room: string(r.id), Game: r.game, Player: string(s.hello.Player), Seat: o.Seat,
		Epoch: uint64(o.Point.Epoch), Seq: uint64(o.Point.Seq), CSeq: uint64(o.CSeq),
		Now: uint64(r.now().Milliseconds()), Heartbeat: uint64(s.hello.Heartbeat.Milliseconds()), Limits: limits,
		Recovered: o.Recovered, Node: r.o.Node, Token: token,
	}
}

func (r *liveRoom) sendView(o core.Resynced) {
	s := r.sessions.hearing(o.To)
	if s == nil {
		return
	}
	s.wantView.Store(false) // before the view is queued: a reader that falls behind right then may ask again
	s.out.Deliver(&View{o.State.Epoch, o.State.Seq, func(lost uint64) []byte {
		s.lost = lost
		if lost > 0 {
			r.o.Metrics.LostEvents(r.game, lost)
		}
		return o.State.Bytes(s.out.Encoding())
	}})
}

// sendGone ends the sessions of a player whose seat is gone.
func (r *liveRoom) sendGone(o core.SeatLost) {
	err := closeLeft()
	if o.Reason == room.Kicked {
		err = closing(wire.CloseForbidden, "removed from the room by the operator")
	}
	for _, s := range r.sessions.players[o.Player] {
		if s.attached < o.Index {
			r.endSession(s, err)
		}
	}
}

// endSession ends a session that hears no more turns.
func (r *liveRoom) endSession(s *session, why *CloseError) {
	s.close(why, false)
	r.sessions.leaveClass(s)
}

func (r *liveRoom) sendEnd(o core.Ended) {
	var shared broadcast
	for s := range r.sessions.all() {
		if e := s.out.Encoding(); s.welcomed {
			s.out.Deliver(shared.in(e, func() *Say { return &Say{Frame: o.Frame.Bytes(e)} }))
		}
	}
}

// flush lets the sinks send what they hold.
func (r *liveRoom) flush() {
	if len(r.flushes) == 0 {
		return
	}
	for _, f := range r.flushes {
		f()
	}
	clear(r.flushes)
	r.flushes = r.flushes[:0]
}
