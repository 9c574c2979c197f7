package cluster

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
)

// seat is one client of this node in one room, wherever the room is now. It is the actor.Session that the socket holds.
// Its way to the room is a leg; when that is lost it looks for the room and takes another, and the client sees a second
// welcome.
type seat struct {
	e   *edges
	id  room.ID
	out *actor.Outbox

	now atomic.Pointer[leg] // the way that acts take; nil while there is none

	mu       sync.Mutex
	hello    actor.Hello
	feed     *actor.Feed // the outbox's newest
	leg      *leg        // attached or attaching
	looking  bool        // for its room, again
	stop     func()      // ends the looking; nil: nothing to end
	leaving  bool        // the client has given up its seat, as far as it knows
	welcomed bool        // ever
	over     bool
}

// way is how a leg's room is spoken to.
type way interface {
	act(ctx context.Context, act wire.Act) error
	resync()
	leave(ctx context.Context) error
	detach() // never blocks, and may be called again
}

// leg is one attach of a seat to a room, here or elsewhere.
type leg struct {
	way
	seat  *seat
	again bool // not the seat's first that was welcomed: see gate
	gate  gate

	reply    chan error    // holds the first answer to the attach, or why the leg was lost before it
	welcomed chan struct{} // closed by the first welcome
	gone     chan struct{} // closed when the leg is lost

	// Under the seat's lock.
	attached, greeted bool
	failed            error // why it leads nowhere
}

// Act hands an action to the room. While the seat has no room nothing happens: the act has no answer, so the client
// sends it again after the next welcome.
func (s *seat) Act(ctx context.Context, act wire.Act) error {
	l := s.now.Load()
	if l == nil {
		return s.pending()
	}
	if l.again && !l.gate.admits(act.CSeq) {
		return nil
	}
	return s.heard(l.act(ctx, act))
}

func (s *seat) Resync(context.Context) error {
	if l := s.now.Load(); l != nil {
		l.resync()
	}
	return s.pending()
}

func (s *seat) Leave(ctx context.Context) error {
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	l := s.now.Load()
	if l == nil {
		return s.pending()
	}
	return s.heard(l.leave(ctx))
}

// heard turns the end of a leg, which is not the end of the seat, into silence.
func (s *seat) heard(err error) error {
	if errors.Is(err, actor.ErrEnded) {
		return s.pending()
	}
	return err
}

// pending is nil while the seat has or looks for a room.
func (s *seat) pending() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return actor.ErrEnded
	}
	return nil
}

func (s *seat) Detach() { s.end(nil, true) }

// end ends the seat from this side: the outbox, and its place in the room.
func (s *seat) end(why *actor.CloseError, discard bool) {
	if l, first := s.finish(nil, why, discard); first && l != nil {
		l.detach()
	}
}

// ended is when the room has ended a leg for good.
func (s *seat) ended(l *leg, why *actor.CloseError, discard bool) {
	s.finish(l, why, discard)
}

// finish ends the outbox. Of a leg that is not the seat's present one, nothing is heard.
func (s *seat) finish(by *leg, why *actor.CloseError, discard bool) (was *leg, first bool) {
	s.mu.Lock()
	if by != nil && !by.attached {
		by.fail(why) // for its attach to say
	}
	if s.over || by != nil && (by != s.leg || !by.attached) {
		s.mu.Unlock()
		return nil, false
	}
	if s.leg != nil && s.leg.attached {
		was = s.leg // else who attaches it takes it back
	}
	s.over, s.leg = true, nil
	s.now.Store(nil)
	if s.stop != nil {
		s.stop()
	}
	feed := actor.NewFeed(s.out)
	s.mu.Unlock()
	feed.End(why, discard)
	return was, true
}

// answer is the first word on an attach.
func (l *leg) answer(err error) {
	select {
	case l.reply <- err:
	default:
	}
}

// lost is when a leg leads nowhere any more, and the room may go on elsewhere.
func (s *seat) lost(l *leg, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.failed != nil {
		return
	}
	l.fail(why)
	if s.over || s.leg != l || !l.attached {
		return
	}
	s.drop()
	if s.looking {
		return // who looks for the room waits for the welcome too, and goes on looking
	}
	if s.looking = s.e.start(s.look); !s.looking {
		s.over = true
		s.feed.End(closeRestart(), false)
	}
}

// fail notes why a leg leads nowhere; the seat's lock is held.
func (l *leg) fail(why error) {
	if l.failed == nil {
		l.failed = why
		close(l.gone)
		l.answer(why)
	}
}

// drop takes the outbox from the present leg: what that still says goes nowhere. The lock is held.
func (s *seat) drop() {
	s.leg = nil
	s.now.Store(nil)
	s.feed = actor.NewFeed(s.out)
	s.feed.Bind(actor.Bindings{Refill: func() {}, Stuck: s.stuck})
}

func (s *seat) stuck() { s.end(actor.CloseStuck(), true) }

// look finds the room again, as often as it is lost again right after the welcome.
func (s *seat) look() {
	for {
		l, err := s.welcome()
		if err != nil {
			if s.e.ctx.Err() != nil {
				err = closeRestart()
			}
			s.end(closeFor(err), false)
			return
		}
		s.e.o.Counts.reattached.Add(1)
		if leaving, settled := s.settle(l); settled {
			if leaving {
				_ = l.leave(s.e.ctx) // an error: the leg is lost, and with the next one the seat is given up
			}
			return
		}
	}
}

// settle ends the looking, unless the leg is lost already.
func (s *seat) settle(l *leg) (leaving, settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.failed != nil && !s.over {
		return false, false
	}
	s.looking = false
	return s.leaving && !s.over, true
}

// welcome attaches the seat again and waits until the room has welcomed the client.
func (s *seat) welcome() (*leg, error) {
	ctx, cancel := clock.WithTimeout(s.e.ctx, s.e.o.Clock, s.e.o.Reattach)
	defer cancel()
	defer s.until(cancel)()
	for n := 1; ; n++ {
		l, err := s.find(ctx, n)
		if err != nil {
			return nil, err
		}
		select {
		case <-l.welcomed:
			return l, nil
		case <-l.gone:
		case <-ctx.Done():
			return nil, unreachable(nil)
		}
	}
}

// until has the end of the seat call stop, until what it returns is called.
func (s *seat) until(stop func()) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		stop()
	}
	s.stop = stop
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stop = nil
	}
}

func closeRestart() *actor.CloseError {
	return &actor.CloseError{Code: wire.CloseMoved, Reason: "the server is restarting: reconnect"}
}

// closeFor is the close that a failed search ends with.
func closeFor(err error) *actor.CloseError {
	if why, ok := errors.AsType[*actor.CloseError](err); ok {
		return why
	}
	if errors.Is(err, actor.ErrNotFound) {
		return &actor.CloseError{Code: wire.CloseNoRoom, Reason: err.Error()}
	}
	return unreachable(err)
}

// find attaches the seat, trying until something final is said, Reattach is over or ctx ends. Try number 0 waits for
// nothing.
func (s *seat) find(ctx context.Context, first int) (*leg, error) {
	end := s.e.o.Clock.Now() + s.e.o.Reattach
	var why error
	for n := first; ; n++ {
		if n > 0 && !clock.Sleep(ctx, s.e.o.Clock, jitter(n)) {
			return nil, unreachable(why)
		}
		l, err := s.try(ctx)
		if err == nil || final(err) {
			return l, err
		}
		if why == nil || ctx.Err() == nil {
			why = err // what is said when time is up says less
		}
		if ctx.Err() != nil || s.e.o.Clock.Now() > end {
			return nil, unreachable(why)
		}
	}
}

// try attaches once, when it is the session's turn.
func (s *seat) try(ctx context.Context) (*leg, error) {
	if s.known() {
		select {
		case s.e.turns <- struct{}{}:
			defer func() { <-s.e.turns }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	node, err := s.e.o.Locator.Locate(ctx, s.id)
	if err != nil {
		return nil, err
	}
	l, err := s.tryAt(ctx, node)
	if errors.Is(err, actor.ErrNotFound) {
		s.e.o.Locator.Forget(s.id, node)
		err = &actor.UnreachableError{Reason: "the room is on its way to another node: retry"}
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *seat) tryAt(ctx context.Context, node string) (*leg, error) {
	if node == s.e.o.Node {
		return s.tryHere(ctx)
	}
	return s.tryThere(ctx, node)
}

// known reports whether the client was welcomed before.
func (s *seat) known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.welcomed
}

// begin makes the next leg the seat's. Its hello goes on from what the client has been sent.
func (s *seat) begin(l *leg) (h actor.Hello, feed *actor.Feed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return h, nil, actor.ErrEnded
	}
	l.seat, l.again = s, s.welcomed
	l.reply, l.welcomed, l.gone = make(chan error, 1), make(chan struct{}), make(chan struct{})
	h = s.hello
	if h.Again = s.welcomed; h.Again {
		h.Resume = s.out.Resume()
	}
	s.leg, s.feed = l, actor.NewFeed(s.out)
	return h, s.feed, nil
}

// attached is when the room has said yes. An error: the leg was lost meanwhile.
func (s *seat) attached(l *leg) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enter(l)
}

// enter lets the client act on a leg: when the room has said yes, or with the welcome if that is sooner. The lock is held.
func (s *seat) enter(l *leg) error {
	switch {
	case l.failed != nil:
		return l.failed
	case l.attached:
		return nil // and it may have ended since, which the outbox tells
	case s.over:
		return actor.ErrEnded
	}
	l.attached = true
	s.now.Store(l)
	return nil
}

// giveUp takes back a leg whose attach has failed.
func (s *seat) giveUp(l *leg) {
	s.mu.Lock()
	if s.leg == l {
		s.drop()
	}
	s.mu.Unlock()
	l.detach()
}

// greet is when the room welcomes the client on a leg; the client has not read that yet.
func (l *leg) greet(cseq room.CSeq) {
	l.gate.open(uint64(cseq))
	s := l.seat
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leg != l || s.enter(l) != nil {
		return
	}
	l.answer(nil) // it is a yes, and the room may end the session before it says so
	s.welcomed, s.hello.Token = true, ""
	if !l.greeted {
		l.greeted = true
		close(l.welcomed)
	}
}
