package actor

import (
	"context"
	"sync/atomic"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// session is the room's side of one client's presence, and what the edge holds of it.
type session struct {
	room  *liveRoom
	out   Sink
	hello Hello

	detached atomic.Bool // a detach is on its way
	wanting  atomic.Bool // so is a request for the whole view
	leaving  atomic.Bool // and a leave that nobody waits with

	// The rest belongs to the room's goroutine.
	watcher  core.WatcherID // of a spectator
	attached room.Index     // of a player: the input that attached it
	welcomed bool
	deferred bool // an answer waits for Flush
	gapped   bool // an act was missing: what came after it is not taken either
	class    core.ClassID
	slot     int    // in its class
	lost     uint64 // what the whole view on its way will tell
}

func newSession(r *liveRoom, h Hello, out Sink) *session {
	s := &session{room: r, out: out, hello: h}
	out.Deliver(&Bindings{Session: s, Refill: s.want, Stuck: s.stuck, Later: r.later})
	return s
}

func (s *session) stuck() { s.close(CloseStuck(), true) }

func (s *session) Act(ctx context.Context, act wire.Act) error {
	if err := s.begin(); err != nil {
		return err
	}
	err := s.room.in.send(ctx, actMessage{s, act})
	if err != nil {
		s.out.Credit().Settle()
	}
	return err
}

func (s *session) Post(act wire.Act) error {
	if err := s.begin(); err != nil {
		return err
	}
	s.room.in.post(queued{message: actMessage{s, act}})
	return nil
}

// begin counts an act, and ends a session that has too many without an answer.
func (s *session) begin() error {
	if s.detached.Load() {
		return ErrEnded
	}
	if !s.out.Credit().Begin() {
		s.close(CloseUnanswered(), false)
		return ErrEnded
	}
	return nil
}

func (s *session) Resync(context.Context) error {
	if s.detached.Load() {
		return ErrEnded
	}
	s.want()
	return nil
}

func (s *session) Leave(ctx context.Context) error {
	if s.detached.Load() {
		return ErrEnded
	}
	return s.room.in.send(ctx, leaveMessage{s})
}

func (s *session) PostLeave() error {
	if s.detached.Load() {
		return ErrEnded
	}
	if !s.leaving.Swap(true) { // one is enough: it ends the session
		s.room.in.post(queued{message: leaveMessage{s}})
	}
	return nil
}

func (s *session) Detach() { s.close(nil, true) }

// want asks for the whole view; one request is on its way at a time.
func (s *session) want() {
	if !s.wanting.Swap(true) {
		s.room.in.wants(s)
	}
}

// close ends the session from whichever side, once: the outbox at once, its place in the room when the
// room comes to it. It may be called from any goroutine.
func (s *session) close(err *CloseError, discard bool) {
	first := !s.detached.Swap(true) // before the end is heard: who hears it detaches, too
	if first && err != nil {
		s.room.o.Metrics.Closed(s.room.game, err.Code)
	}
	s.out.Deliver(&End{err, discard})
	if first {
		s.room.in.post(queued{message: detachMessage{s}})
	}
}

func (s *session) recipient() core.Recipient {
	if s.watcher != 0 {
		return core.Recipient{Watcher: s.watcher}
	}
	return core.Recipient{Player: s.hello.Player}
}

// CloseStuck ends the session of a reader that takes nothing.
func CloseStuck() *CloseError {
	return closing(wire.CloseTooSlow, "this connection does not read what it is sent: reconnect")
}

// CloseUnanswered ends the session of a client that has more than MaxUnanswered acts without an answer.
func CloseUnanswered() *CloseError {
	return closing(wire.CloseTooMany, "too many acts without an answer: wait for acks")
}

// closing makes a close whose reason fits a close frame.
func closing(code wire.CloseCode, reason string) *CloseError {
	return &CloseError{Code: code, Reason: wire.CloseReason(reason)}
}
