package relay

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

// session is one client of this node in one room, wherever the room is now. It is the actor.Session that the socket holds. The machine
// of package edge decides, and the session does what it asks for. Acts and frames go past the machine, by the route that it has
// opened.
type session struct {
	e   *Edge
	id  room.ID
	out *actor.Outbox

	open atomic.Pointer[opened] // the route that acts take; nil while there is none

	mu      sync.Mutex
	machine edge.Machine
	hello   actor.Hello
	feed    *actor.Feed // the outbox's newest
	route   route       // the newest; nil before the first
	answer  chan<- error
	search  context.Context // of the search under way; nil: none
	stop    context.CancelFunc
	alarm   clock.Timer
}

// route is one way of a session to its room, here or elsewhere. Only attach, act and leave may block.
type route interface {
	attach(ctx context.Context) // waits for the answer, which the session hears
	act(ctx context.Context, act wire.Act) error
	resync()
	leave()
	detach() // may be called again, and before attach has returned
}

// opened is a route that acts go by.
type opened struct {
	route
	number uint64
	free   bool // every act goes by it
}

// attempt is what every route is made of. Its feed carries what the room says to the client until the session has another route.
type attempt struct {
	s      *session
	self   route
	number uint64
	hello  actor.Hello
	feed   *actor.Feed
}

// hears tells the session an event of the route.
func (a *attempt) hears(e edge.Event) {
	e.Route = a.number
	a.s.step(a.self, e)
}

// step tells the machine an event and does what it asks for. From is the route that the event comes from, if that may be an older
// one.
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
		s.hello.Token = "" // the room has seen it
	}
	s.mu.Unlock()
	for _, do := range later {
		do()
	}
}

// apply does at once what changes where the outbox reads and the client's acts go. It returns the rest, which may block or call back.
// The lock is held.
func (s *session) apply(from route, f edge.Effect) (later func()) {
	switch f.Do {
	case edge.Find:
		return func() {
			if !s.e.tasks.Go(func(ctx context.Context) { s.find(ctx, f) }) {
				s.step(nil, edge.Event{What: edge.Stopped})
			}
		}
	case edge.Attach:
		s.route = s.newRoute(f)
		r, ctx := s.route, s.search
		return func() { r.attach(ctx) }
	case edge.Open:
		if s.search, s.stop = nil, nil; f.Again {
			s.e.reattached.Add(1)
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

// newRoute makes the next route. The outbox hears it alone from now on. Its hello resumes after what the client has been sent. The lock
// is held.
func (s *session) newRoute(f edge.Effect) route {
	a := attempt{s: s, number: f.Route, hello: s.hello}
	a.hello.Coming = f.Coming
	if a.hello.Again = f.Again; f.Again {
		a.hello.Resume = s.out.Resume()
	}
	s.feed = actor.NewFeed(s.out)
	a.feed = s.feed
	if f.Node == s.e.o.Node {
		return newLocal(a)
	}
	return newRemote(a, f.Node)
}

// mute cuts the outbox off from the present route: what that still says goes nowhere.
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

// find says which node has the room, and, when one may, waits until the attach there has its answer. Ctx ends when the Edge closes.
func (s *session) find(ctx context.Context, f edge.Effect) {
	ctx, cancel := context.WithCancel(ctx)
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
	if f.Node != "" {
		if f.Node != s.e.o.Node {
			s.e.o.Locator.Remember(s.id, f.Node)
		}
		s.step(nil, edge.Event{What: edge.Found, Node: f.Node})
		return
	}
	node, err := s.e.o.Locator.Locate(ctx, s.id)
	switch {
	case err == nil:
		s.step(nil, edge.Event{What: edge.Found, Node: node})
	case ctx.Err() != nil:
		s.step(nil, edge.Event{What: edge.Stopped})
	default:
		missed := edge.Event{What: edge.Missed, Err: err, Final: final(err)}
		if away, ok := errors.AsType[*actor.UnreachableError](err); ok {
			missed.Node = away.Next
		}
		s.step(nil, missed)
	}
}

// Act hands an action to the room. While the session has no route nothing happens: the act gets no answer, so the client sends it
// again after the next welcome.
func (s *session) Act(ctx context.Context, act wire.Act) error {
	r := s.open.Load()
	if r == nil || !r.free && !s.admits(r, act) {
		return s.pending()
	}
	err := r.act(ctx, act)
	if errors.Is(err, actor.ErrEnded) { // of the route, which may not be the end of the session
		return s.pending()
	}
	return err
}

// admits reports whether an act may go by a route that is not free.
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

// pending is nil until the session is over.
func (s *session) pending() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.machine.State() == edge.Over {
		return actor.ErrEnded
	}
	return nil
}

// closeFor is the close that a session ends with; nil: its client has ended it.
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
