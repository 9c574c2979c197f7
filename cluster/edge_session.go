package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/roomring/roomring/cluster/edge"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
)

// session is one client of this node in one room, wherever the room is now. It is the actor.Session that the socket holds:
// the machine of package edge decides, and what it asks for is done here. Acts and frames go past the machine, by the
// route that it has opened.
type session struct {
	e   *edges
	id  room.ID
	out *actor.Outbox

	open atomic.Pointer[opened] // the route that acts take; nil while there is none

	mu      sync.Mutex
	machine edge.Machine
	hello   actor.Hello
	feed    *actor.Feed // the outbox's newest
	route   route       // the newest; nil before the first
	answer  chan<- error
	search  context.Context // that is under way; nil: none
	stop    context.CancelFunc
	alarm   clock.Timer
}

// route is one attach of a session to a room, here or elsewhere. Only attach, act and leave may block.
type route interface {
	attach(ctx context.Context) // and wait for the answer, which the session hears
	act(ctx context.Context, act wire.Act) error
	resync()
	leave()
	detach() // it may be called again, and before attach has returned
}

// opened is a route that acts go by.
type opened struct {
	route
	number uint64
	free   bool // every act does
}

// attempt is what a route is made of. Its feed hears what the room says until the session has another route.
type attempt struct {
	s      *session
	self   route
	number uint64
	hello  actor.Hello
	feed   *actor.Feed
}

// hears has the session hear of the route.
func (a *attempt) hears(e edge.Event) {
	e.Route = a.number
	a.s.step(a.self, e)
}

// step has the machine hear an event, and does what it asks for. From is the route that the event comes from, if it may
// be an older one.
func (s *session) step(from route, e edge.Event) {
	s.mu.Lock()
	effects := s.machine.Step(s.e.o.Clock.Now(), e)
	var later []func()
	for _, f := range effects {
		if do := s.apply(from, f); do != nil {
			later = append(later, do)
		}
	}
	if e.What == edge.Welcomed {
		s.hello.Token = "" // it has been said
	}
	s.mu.Unlock()
	for _, do := range later {
		do()
	}
}

// apply does what the outbox and the client's acts go by at once, and returns the rest: what may block or call back. The
// lock is held.
func (s *session) apply(from route, f edge.Effect) (later func()) {
	switch f.Do {
	case edge.Find:
		return func() {
			if !s.e.start(func() { s.find(f) }) {
				s.step(nil, edge.Event{What: edge.Stopped})
			}
		}
	case edge.Attach:
		s.route = s.newRoute(f)
		r, ctx := s.route, s.search
		return func() { r.attach(ctx) }
	case edge.Open:
		if s.search, s.stop = nil, nil; f.Again {
			s.e.o.Counts.reattached.Add(1)
		}
		s.open.Store(&opened{s.route, f.Route, f.Free})
	case edge.Mute:
		s.mute()
	case edge.Detach:
		if from == nil {
			from = s.route
		}
		return from.detach
	case edge.Depart:
		return s.route.leave
	case edge.Forget:
		return func() { s.e.o.Locator.Forget(s.id, f.Node) }
	case edge.Alarm:
		s.setAlarm(f)
	case edge.Answer:
		s.answer <- f.Err // it has room for this one
		s.answer = nil
	case edge.End:
		return s.end(f)
	}
	return nil
}

// newRoute makes the next route, which alone the outbox hears from now on. Its hello goes on from what the client has been
// sent. The lock is held.
func (s *session) newRoute(f edge.Effect) route {
	a := attempt{s: s, number: f.Route, hello: s.hello}
	if a.hello.Again = f.Again; f.Again {
		a.hello.Resume = s.out.Resume()
	}
	s.feed = actor.NewFeed(s.out)
	a.feed = s.feed
	if f.Node == s.e.o.Node {
		return newHere(a)
	}
	return newThere(a, f.Node)
}

// mute takes the outbox from the present route: what that still says goes nowhere.
func (s *session) mute() {
	s.open.Store(nil)
	s.feed = actor.NewFeed(s.out)
	s.feed.Deliver(&actor.Bindings{Refill: func() {}, Stuck: s.stuck})
}

func (s *session) stuck() {
	s.step(nil, edge.Event{What: edge.Close, Err: actor.CloseStuck(), Discard: true})
}

func (s *session) setAlarm(f edge.Effect) {
	if s.alarm != nil {
		s.alarm.Stop()
		s.alarm = nil
	}
	if f.At > 0 {
		s.alarm = s.e.o.Clock.AfterFunc(f.At-s.e.o.Clock.Now(), func() { s.step(nil, edge.Event{What: edge.Due}) })
	}
}

// end has the outbox end, and hear no route.
func (s *session) end(f edge.Effect) (later func()) {
	s.open.Store(nil)
	s.setAlarm(edge.Effect{})
	if s.stop != nil {
		s.stop()
	}
	feed, why := actor.NewFeed(s.out), closeFor(f.Err)
	return func() { feed.Deliver(&actor.End{Why: why, Discard: f.Discard}) }
}

// begun is the answer to who has begun the session.
func (s *session) begun(err error) (actor.Session, error) {
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, actor.ErrNotFound):
		return nil, err
	}
	return nil, closeFor(err)
}

// find says which node has the room, and, when one may, waits until the attach there has its answer.
func (s *session) find(f edge.Effect) {
	ctx, cancel := context.WithCancel(s.e.ctx)
	defer cancel()
	s.mu.Lock()
	over := s.machine.State() == edge.Over
	s.search, s.stop = ctx, cancel
	s.mu.Unlock()
	if over {
		return
	}
	if f.Wait > 0 && !clock.Sleep(ctx, s.e.o.Clock, rand.N(f.Wait)) {
		s.step(nil, edge.Event{What: edge.Stopped})
		return
	}
	if f.Again {
		select {
		case s.e.turns <- struct{}{}:
			defer func() { <-s.e.turns }()
		case <-ctx.Done():
			s.step(nil, edge.Event{What: edge.Stopped})
			return
		}
	}
	node, err := s.e.o.Locator.Locate(ctx, s.id)
	switch {
	case err == nil:
		s.step(nil, edge.Event{What: edge.Found, Node: node})
	case ctx.Err() != nil:
		s.step(nil, edge.Event{What: edge.Stopped})
	default:
		s.step(nil, edge.Event{What: edge.Missed, Err: err, Final: final(err)})
	}
}

// Act hands an action to the room. While the session has no route nothing happens: the act has no answer, so the client
// sends it again after the next welcome.
func (s *session) Act(ctx context.Context, act wire.Act) error {
	r := s.open.Load()
	if r == nil || !r.free && !s.admits(r, act) {
		return s.pending()
	}
	return s.heard(r.act(ctx, act))
}

// admits reports whether an act goes by a route that not every act does.
func (s *session) admits(r *opened, act wire.Act) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, ok := s.machine.Act(act.CSeq)
	return ok && number == r.number
}

func (s *session) Resync(context.Context) error {
	if r := s.open.Load(); r != nil {
		r.resync()
	}
	return s.pending()
}

func (s *session) Leave(context.Context) error {
	s.step(nil, edge.Event{What: edge.Leave})
	return s.pending()
}

func (s *session) Detach() { s.step(nil, edge.Event{What: edge.Close, Discard: true}) }

// heard turns the end of a route, which is not the end of the session, into silence.
func (s *session) heard(err error) error {
	if errors.Is(err, actor.ErrEnded) {
		return s.pending()
	}
	return err
}

// pending is nil while the session has or looks for a room.
func (s *session) pending() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.machine.State() == edge.Over {
		return actor.ErrEnded
	}
	return nil
}

// closeFor is the close that a session ends with; nil if its client has ended it.
func closeFor(err error) *actor.CloseError {
	late, inTime := errors.AsType[*edge.NotInTime](err)
	switch why, told := errors.AsType[*actor.CloseError](err); {
	case err == nil:
		return nil
	case errors.Is(err, edge.ErrStopped):
		return &actor.CloseError{Code: wire.CloseMoved, Reason: "the server is restarting: reconnect"}
	case inTime:
		return unreachable(late.Last)
	case told:
		return why
	case errors.Is(err, actor.ErrNotFound):
		return &actor.CloseError{Code: wire.CloseNoRoom, Reason: err.Error()}
	}
	return unreachable(err)
}
