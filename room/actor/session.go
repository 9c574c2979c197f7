package actor

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// session is one client's presence in a room. The edge holds it as a Remote; the room's goroutine owns the rest.
type session struct {
	room  *liveRoom
	out   Sink
	hello Hello

	detached atomic.Bool // a detachMessage is on its way
	wantView atomic.Bool // so is a request for the whole view
	leaves   atomic.Bool // so is a leaveMessage that nobody waits with

	// The rest belongs to the room's goroutine.
	spectator core.WatcherID // 0: a player
	attached  room.Index     // of a player: the input that attached it
	welcomed  bool
	held      bool // it has answers that wait for a Flush
	gapped    bool // an act was missing: what comes after it is not taken either
	class     core.ClassID
	slot      int    // in its class
	lost      uint64 // what the whole view on its way will tell
}

func newSession(r *liveRoom, h Hello, out Sink) *session {
	s := &session{room: r, out: out, hello: h}
	out.Deliver(&Bindings{
		Session: s, Refill: s.requestView,
		Stuck: func() { s.close(CloseStuck(), true) },
		Later: func(f func()) { r.flushes = append(r.flushes, f) },
	})
	return s
}

func (s *session) Act(ctx context.Context, act wire.Act) error {
	if err := s.count(); err != nil {
		return err
	}
	err := s.room.mail.send(ctx, actMessage{s, act})
	if err != nil {
		s.out.Credit().Done()
	}
	return err
}

func (s *session) Post(act wire.Act) error {
	if err := s.count(); err != nil {
		return err
	}
	s.room.mail.post(queued{message: actMessage{s, act}})
	return nil
}

// count counts an act, and ends a session that has too many without an answer.
func (s *session) count() error {
	if s.detached.Load() {
		return ErrEnded
	}
	if !s.out.Credit().Begin() {
		s.close(CloseUnanswered(), false)
		return ErrEnded
	}
	return nil
}

// Credit counts a session's acts that have no answer yet: MaxUnanswered may have none. Its methods may be called from any
// goroutine.
type Credit struct{ open atomic.Int32 }

// Begin counts an act that is handed to the room; false means that too many have no answer yet.
func (c *Credit) Begin() bool { return c.open.Add(1) <= MaxUnanswered }

// Done takes back an act that has its answer or will have none. An act that was sent again may have two answers: the count
// never falls below zero.
func (c *Credit) Done() {
	for {
		n := c.open.Load()
		if n <= 0 || c.open.CompareAndSwap(n, n-1) {
			return
		}
	}
}

// Open is how many acts have no answer.
func (c *Credit) Open() int { return int(max(c.open.Load(), 0)) }

// retire makes the credit unlimited.
func (c *Credit) retire() { c.open.Store(-1 << 30) }

func (s *session) Resync(context.Context) error {
	if s.detached.Load() {
		return ErrEnded
	}
	s.requestView()
	return nil
}

// requestView asks for the whole view. One request is on its way at a time.
func (s *session) requestView() {
	if !s.wantView.Swap(true) {
		s.room.mail.tell(func(c *control) { c.views = append(c.views, s) })
	}
}

func (s *session) Leave(ctx context.Context) error {
	if s.detached.Load() {
		return ErrEnded
	}
	return s.room.mail.send(ctx, leaveMessage{s})
}

func (s *session) PostLeave() error {
	if s.detached.Load() {
		return ErrEnded
	}
	if !s.leaves.Swap(true) { // one is enough: it ends the session
		s.room.mail.post(queued{message: leaveMessage{s}})
	}
	return nil
}

func (s *session) Detach() { s.close(nil, true) }

// close ends the session, once, from whichever side. The outbox hears it at once, and the room when it comes to the message.
// It may be called from any goroutine.
func (s *session) close(err *CloseError, discard bool) {
	first := !s.detached.Swap(true) // before the end is heard: who hears it detaches, too
	if first && err != nil {
		s.room.o.Metrics.Closed(s.room.game, err.Code)
	}
	s.out.Deliver(&End{err, discard})
	if first {
		s.room.mail.post(queued{message: detachMessage{s}})
	}
}

func (s *session) recipient() core.Recipient {
	if s.spectator != 0 {
		return core.Recipient{Watcher: s.spectator}
	}
	return core.Recipient{Player: s.hello.Player}
}

// sessions are those of one room. Only the room's goroutine uses them.
type sessions struct {
	players       map[room.PlayerID][]*session // by age: the core has attached the last
	spectators    map[core.WatcherID]*session
	classes       map[core.ClassID][]*session // whom a class's turns go to
	lastSpectator core.WatcherID
}

func newSessions() sessions {
	return sessions{
		players: map[room.PlayerID][]*session{}, spectators: map[core.WatcherID]*session{}, classes: map[core.ClassID][]*session{},
	}
}

// all are those in the room, welcomed or not.
func (a *sessions) all() iter.Seq[*session] {
	return func(yield func(*session) bool) {
		for _, list := range a.players {
			for _, s := range list {
				if !yield(s) {
					return
				}
			}
		}
		for _, s := range a.spectators {
			if !yield(s) {
				return
			}
		}
	}
}

func (a *sessions) addPlayer(s *session, attached room.Index) {
	s.attached = attached
	a.players[s.hello.Player] = append(a.players[s.hello.Player], s)
}

func (a *sessions) addSpectator(s *session) {
	a.lastSpectator++
	s.spectator = a.lastSpectator
	a.spectators[s.spectator] = s
}

// newest reports whether s is the session of its player that the core has attached.
func (a *sessions) newest(s *session) bool {
	list := a.players[s.hello.Player]
	return len(list) > 0 && list[len(list)-1] == s
}

// remove reports whether s was there.
func (a *sessions) remove(s *session) bool {
	if s.spectator != 0 {
		if a.spectators[s.spectator] != s {
			return false
		}
		delete(a.spectators, s.spectator)
		a.leaveClass(s)
		return true
	}
	list := a.players[s.hello.Player]
	i := slices.Index(list, s)
	if i < 0 {
		return false
	}
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		a.players[s.hello.Player] = list
	} else {
		delete(a.players, s.hello.Player)
	}
	a.leaveClass(s)
	return true
}

// active is the player's session that hears the room now; nil: none does.
func (a *sessions) active(p room.PlayerID) *session {
	for _, s := range slices.Backward(a.players[p]) {
		if s.welcomed {
			return s
		}
	}
	return nil
}

// hearing is the session that hears what is said to a recipient; nil: none does.
func (a *sessions) hearing(to core.Recipient) *session {
	if to.Watcher != 0 {
		return a.spectators[to.Watcher]
	}
	return a.active(to.Player)
}

// joinClass makes s hear a class's turns, and no other's.
func (a *sessions) joinClass(s *session, c core.ClassID) {
	a.leaveClass(s)
	s.class, s.slot = c, len(a.classes[c])
	a.classes[c] = append(a.classes[c], s)
}

// leaveClass removes s from its class, if it is in one.
func (a *sessions) leaveClass(s *session) {
	members := a.classes[s.class]
	if s.slot >= len(members) || members[s.slot] != s {
		return
	}
	last := len(members) - 1
	members[s.slot] = members[last]
	members[s.slot].slot = s.slot
	members[last] = nil
	if a.classes[s.class] = members[:last]; last == 0 {
		delete(a.classes, s.class)
	}
}

// count tells the metrics of a session that has come (1) or gone (-1).
func (r *liveRoom) count(s *session, delta int) {
	r.o.Metrics.Sessions(r.game, delta)
	if s.hello.Edge != "" {
		r.o.Metrics.Remote(r.game, delta)
	}
}
