package actor

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// route sends committed outputs where they belong, in order. Who is in which class changes here too, by
// Welcome and Enter, so that membership and frames are one stream.
func (r *liveRoom) route(outputs []core.Output) {
	for _, o := range outputs {
		switch o := o.(type) {
		case core.Turned:
			r.turned(o)
		case core.Answered:
			r.answered(o)
		case core.Welcome:
			r.welcome(o)
		case core.Enter:
			r.enter(o)
		case core.Whole:
			r.whole(o)
		case core.Replaced:
			r.replaced(o)
		case core.Gone:
			r.goodbye(o)
		case core.Ended:
			r.ended(o)
		case core.RematchAgreed:
			r.dir.rematch(r, o)
		}
	}
}

// turned fans one turn out to a class. It is encoded once for each encoding in use.
func (r *liveRoom) turned(o core.Turned) {
	members := r.classes[o.Class]
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
	return &Say{Frame: f.Bytes(e), Fate: Drop, Seq: f.Seq, Events: f.Events}
}

// broadcast is what many sessions are told, by encoding.
type broadcast [wire.CBOR + 1]*Say

// in is the message in an encoding, which is made once.
func (b *broadcast) in(e wire.Encoding, make func() *Say) *Say {
	if b[e] == nil {
		b[e] = make()
	}
	return b[e]
}

// answered goes to the client that acted, if it is still the player's.
func (r *liveRoom) answered(o core.Answered) {
	s := r.active(o.Player)
	if s == nil || s.hello.Client != o.Client {
		return
	}
	defers := r.defers()
	if defers && !s.deferred {
		s.deferred = true
		r.deferred = append(r.deferred, s)
	}
	s.out.Deliver(&Say{Frame: o.Frame.Bytes(s.out.Encoding()), Fate: Answer, Deferred: defers})
}

// active is the player's session that hears the room now.
func (r *liveRoom) active(p room.PlayerID) *session {
	for _, s := range slices.Backward(r.players[p]) {
		if s.welcomed {
			return s
		}
	}
	return nil
}

func (r *liveRoom) to(to core.Recipient) *session {
	if to.Watcher != 0 {
		return r.watchers[to.Watcher]
	}
	return r.active(to.Player)
}

// welcome opens a session's stream. Older ones of the player end, and one whose client has gone again
// meanwhile hears nothing.
func (r *liveRoom) welcome(o core.Welcome) {
	s := r.watchers[o.To.Watcher]
	for _, of := range r.players[o.To.Player] {
		switch {
		case of.attached == o.Index:
			s = of
		case of.attached < o.Index:
			of.close(closeReplaced(), false)
			r.unclass(of)
		}
	}
	if s == nil {
		return
	}
	e := s.out.Encoding()
	s.welcomed = true
	r.unclass(s)
	r.enclass(s, o.Class)
	s.out.Deliver(&Welcomed{o.Point.Epoch, from(s, o), o.CSeq})
	s.out.Deliver(&Say{Frame: wire.AppendWelcome(nil, e, r.greeting(s, o))})
	for _, f := range o.Frames {
		s.out.Deliver(&Say{Frame: f.Bytes(e), Seq: place(f)})
	}
}

// from is the point that a welcomed client goes on from; 0: it begins with the whole view.
func from(s *session, o core.Welcome) room.Index {
	if !o.Recovered || s.hello.Resume == nil {
		return 0
	}
	return s.hello.Resume.Seq
}

// place is the point that a frame brings its reader to: that of an answer or of the end may be ahead of the view.
func place(f *core.Frame) room.Index {
	if f.Kind == core.FrameTurn || f.Kind == core.FrameState {
		return f.Seq
	}
	return 0
}

// greeting completes what the edge promises with what the room knows.
func (r *liveRoom) greeting(s *session, o core.Welcome) wire.Welcome {
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

func (r *liveRoom) enter(o core.Enter) {
	if s := r.to(o.To); s != nil {
		r.unclass(s)
		r.enclass(s, o.Class)
		s.out.Deliver(&Say{Frame: o.State.Bytes(s.out.Encoding()), Fate: Drop, Seq: o.State.Seq})
	}
}

func (r *liveRoom) whole(o core.Whole) {
	s := r.to(o.To)
	if s == nil {
		return
	}
	s.wanting.Store(false) // before the view is queued: a reader that falls behind right then may ask again
	s.out.Deliver(&View{o.State.Seq, func(lost uint64) []byte {
		s.lost = lost
		if lost > 0 {
			r.o.Metrics.LostEvents(r.game, lost)
		}
		return o.State.Bytes(s.out.Encoding())
	}})
}

func (r *liveRoom) replaced(o core.Replaced) {
	for _, s := range r.players[o.Player] {
		if s.hello.Client == o.Client && s.attached < o.Index {
			s.close(closeReplaced(), false)
			r.unclass(s)
		}
	}
}

func closeReplaced() *CloseError {
	return closing(wire.CloseReplaced, "this player has connected from elsewhere")
}

func (r *liveRoom) goodbye(o core.Gone) {
	err := closeLeft()
	if o.Reason == room.Kicked {
		err = closing(wire.CloseForbidden, "removed from the room by the operator")
	}
	for _, s := range r.players[o.Player] {
		if s.attached < o.Index {
			s.close(err, false)
			r.unclass(s)
		}
	}
}

func closeLeft() *CloseError { return closing(wire.CloseNormal, "the seat is given up") }

func (r *liveRoom) ended(o core.Ended) {
	var shared broadcast
	for s := range r.sessions() {
		if e := s.out.Encoding(); s.welcomed {
			s.out.Deliver(shared.in(e, func() *Say { return &Say{Frame: o.Frame.Bytes(e)} }))
		}
	}
}

// enclass makes s hear a class's turns.
func (r *liveRoom) enclass(s *session, c core.ClassID) {
	s.class, s.slot = c, len(r.classes[c])
	r.classes[c] = append(r.classes[c], s)
}

// unclass takes s out of its class, if it is in one.
func (r *liveRoom) unclass(s *session) {
	members := r.classes[s.class]
	if s.slot >= len(members) || members[s.slot] != s {
		return
	}
	last := len(members) - 1
	members[s.slot] = members[last]
	members[s.slot].slot = s.slot
	members[last] = nil
	if r.classes[s.class] = members[:last]; last == 0 {
		delete(r.classes, s.class)
	}
}

// later has a sink send what it has gathered once the room has said all it has to say at present.
func (r *liveRoom) later(f func()) { r.gathered = append(r.gathered, f) }

// dispatch lets the sinks send what they have gathered.
func (r *liveRoom) dispatch() {
	if len(r.gathered) == 0 {
		return
	}
	for _, f := range r.gathered {
		f()
	}
	clear(r.gathered)
	r.gathered = r.gathered[:0]
}
