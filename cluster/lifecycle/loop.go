// Package lifecycle carries out the decisions of package ownership. Each node has one thin loop around the machines of its rooms.
// Everything that happens to a room is an event of its machine. The loop passes the resulting effects to the ports, whose answers are
// events again. Nothing else decides about a room. A single node runs the same loop.
package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Ports executes the effects of a loop's machines.
type Ports interface {
	// Do begins an effect of a room and does not block. It calls answer once, from any goroutine, perhaps before Do has returned,
	// unless the effect has no answer. Apart from the effects for its row and its end, a room has one effect under way at a time, so
	// a port may use its fields of Room without a lock while it works.
	Do(r *Room, e ownership.Effect, answer func(ownership.Event))
}

// Room is one room in a loop: its machine, and what the ports pass to each other for it.
type Room struct {
	ID     room.ID
	Header record.Header // of its creation or its log
	Kept   *record.Kept  // what Checkpoint, Load or the journal at the start has read; nil once it is served
	Time   time.Duration // room time at which it has stopped
	Final  *record.Final // its end, until the store has it
	Cargo  any           // what Replay has brought back, for Start

	ctx      context.Context // of the caller that makes the room, while the journal writes its header
	begin    func()          // lets a made room run
	stopped  bool            // Time is valid
	expelled bool            // it was dropped from memory
	claimed  bool            // it came from the store
	ahead    *loaded         // what the journal has of it, on its way since it has stopped; nil: it was not asked
	follows  string          // the folder of the owner from which it comes, once its copy is fed no more; "": it was not followed
	passed   bool            // its standby was told to take it
	yielded  bool            // its owner gave it to this node
	waits    map[uint64]clock.Timer
	settled  func() // is called when its end is stored, or never will be

	// Guarded by the loop.
	machine *ownership.Machine
	events  []ownership.Event // wait for the step under way
	working bool
	waiters []chan error
	idle    chan struct{} // closed when the room is Absent or Held; nil: nobody waits for that
	given   chan struct{} // closed when the room is not owned here any more, too
	again   time.Duration // when a sweep may want the room again
	shown   record.Epoch  // of the newest row that the store has shown
	strike  record.Strike // in it
}

// Options make a Loop.
type Options struct {
	Self  ownership.Self
	Ports Ports
	Fail  func(error)  // stops the node; it must not block
	Log   *slog.Logger // nil discards
	// Stepped is called after each step, under the loop's lock. It may be nil.
	Stepped func(r *Room, e ownership.Event, to ownership.State, effects []ownership.Effect)
}

// Loop runs the machines of a node's rooms. It has no goroutine: the caller that delivers an event steps the machine, one event at a
// time for each room. Its methods may be called from any goroutine.
type Loop struct {
	o Options

	mu       sync.Mutex
	rooms    map[room.ID]*Room
	draining bool
}

// New makes a loop without rooms.
func New(o Options) *Loop {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Fail == nil {
		o.Fail = func(error) {}
	}
	return &Loop{o: o, rooms: map[room.ID]*Room{}}
}

// Deliver gives an event to a room's machine. Before that it calls prepare, if not nil, with the room, under the loop's lock.
func (l *Loop) Deliver(id room.ID, e ownership.Event, prepare func(*Room)) {
	l.mu.Lock()
	r := l.room(id)
	if prepare != nil {
		prepare(r)
	}
	l.deliver(r, e)
}

// room finds or makes a room's entry. The caller holds the lock.
func (l *Loop) room(id room.ID) *Room {
	r := l.rooms[id]
	if r == nil {
		r = &Room{ID: id, machine: ownership.New(&l.o.Self)}
		l.rooms[id] = r
	}
	return r
}

// deliver steps a machine until no event waits for it. The caller holds the lock; deliver releases it.
func (l *Loop) deliver(r *Room, e ownership.Event) {
	r.events = append(r.events, e)
	if r.working {
		l.mu.Unlock()
		return
	}
	r.working = true
	for len(r.events) > 0 {
		e, r.events = r.events[0], r.events[1:]
		was := r.machine.State()
		effects := r.machine.Step(e)
		if l.o.Stepped != nil {
			l.o.Stepped(r, e, r.machine.State(), effects)
		}
		l.note(r, was)
		l.mu.Unlock()
		for _, effect := range effects {
			l.do(r, effect)
		}
		l.mu.Lock()
	}
	r.working, r.events = false, nil
	l.tidy(r)
	l.mu.Unlock()
}

// note logs that a room has become Held, which operators must know.
func (l *Loop) note(r *Room, was ownership.State) {
	if r.machine.State() == ownership.Held && was != ownership.Held && !r.machine.Held().Released {
		l.o.Log.Error("a room is kept but cannot be served", "room", r.ID, "game", r.Header.Game, "why", r.machine.Held().Why)
	}
}

// tidy drops what the ports keep of a room that is Absent or Held, and wakes those that wait for it. It forgets a room of which
// nothing is left here.
func (l *Loop) tidy(r *Room) {
	if r.given != nil && !owned(r.machine.State()) {
		close(r.given)
		r.given = nil
	}
	if s := r.machine.State(); s != ownership.Absent && s != ownership.Held {
		return
	}
	if r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
	r.ahead = nil
	r.Kept, r.Cargo, r.Final, r.ctx, r.begin, r.settled, r.stopped, r.claimed, r.expelled, r.follows, r.passed, r.yielded = nil, nil, nil, nil, nil, nil, false, false, false, "", false, false
	if r.machine.Blank() && r.again == 0 && len(r.waiters) == 0 && l.rooms[r.ID] == r {
		delete(l.rooms, r.ID)
	}
}

func (l *Loop) do(r *Room, e ownership.Effect) {
	switch e.Do {
	case ownership.Reply:
		l.mu.Lock()
		waiters := r.waiters
		r.waiters = nil
		l.mu.Unlock()
		for _, w := range waiters {
			w <- e.Err
		}
	case ownership.Fail:
		l.o.Fail(e.Err)
	default:
		l.o.Ports.Do(r, e, func(answer ownership.Event) {
			answer.Kind, answer.N = ownership.Answer, e.N
			l.mu.Lock()
			if row := answer.Row; row.Epoch >= r.shown {
				r.shown, r.strike = row.Epoch, row.Strike
			}
			l.deliver(r, answer)
		})
	}
}

// ErrDraining says that a node that is giving its rooms away accepts no others.
var ErrDraining = errors.New("this node gives its rooms away")

// Await delivers an event as Deliver does, and blocks until the machine's next Reply for the room. It returns ctx's error when ctx ends
// first; what has begun goes on. It returns ErrDraining at once while the node drains.
func (l *Loop) Await(ctx context.Context, id room.ID, e ownership.Event, prepare func(*Room)) error {
	l.mu.Lock()
	draining := l.draining
	l.mu.Unlock()
	if draining {
		return ErrDraining
	}
	return l.await(ctx, id, e, prepare)
}

// await is Await for nodes that may be draining.
func (l *Loop) await(ctx context.Context, id room.ID, e ownership.Event, prepare func(*Room)) error {
	reply := make(chan error, 1)
	l.mu.Lock()
	r := l.room(id)
	if prepare != nil {
		prepare(r)
	}
	r.waiters = append(r.waiters, reply)
	l.deliver(r, e)
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Arrived blocks while a room is arriving: being made, claimed or restored here. Coming: and while this node follows it. It returns ctx's
// error when ctx ends first.
func (l *Loop) Arrived(ctx context.Context, id room.ID, coming bool) error {
	l.mu.Lock()
	r := l.rooms[id]
	if !r.arrives(coming) {
		l.mu.Unlock()
		return nil
	}
	reply := make(chan error, 1)
	r.waiters = append(r.waiters, reply)
	l.mu.Unlock()
	select {
	case <-reply:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// arrived reports whether Arrived need not block.
func (l *Loop) arrived(id room.ID, coming bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.rooms[id].arrives(coming)
}

// arrives reports whether a room is on its way here. One that is being seized is not while the store does not answer. R may be nil.
func (r *Room) arrives(coming bool) bool {
	if r == nil {
		return false
	}
	switch s := r.machine.State(); s {
	case ownership.Seizing:
		return r.machine.Tries() == 0
	case ownership.Learning, ownership.Following:
		return coming
	default:
		return arriving(s)
	}
}

// next is the folder of the node that has a room, or that this node gives it to; "": none is known. Heir: this node follows it with a
// whole copy.
func (l *Loop) next(id room.ID) (folder string, heir bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[id]
	if r == nil {
		return "", false
	}
	switch r.machine.State() {
	case ownership.Yielding:
		return r.machine.Heir(), false
	case ownership.Learning, ownership.Following:
		folder, _ = r.machine.Owner()
		return folder, r.machine.State() == ownership.Following
	}
	return "", false
}

// owned reports whether this node serves the room or is about to, or has not given it away yet.
func owned(s ownership.State) bool {
	return arriving(s) || s == ownership.Owning || s == ownership.Yielding || s == ownership.Releasing
}

// followed reports whether another node's owner feeds a copy here.
func followed(s ownership.State) bool {
	return s == ownership.Learning || s == ownership.Following || s == ownership.Seizing
}

func arriving(s ownership.State) bool {
	return s == ownership.Creating || s == ownership.Asking || s == ownership.Restoring
}

// State returns a room's state and, if it is Held, why.
func (l *Loop) State(id room.ID) (ownership.State, ownership.HeldError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[id]
	if r == nil {
		return ownership.Absent, ownership.HeldError{}
	}
	return r.machine.State(), r.machine.Held()
}

// tries returns how often what a room waits for has failed.
func (l *Loop) tries(id room.ID) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.rooms[id]; r != nil {
		return r.machine.Tries()
	}
	return 0
}

// Held calls each, under the loop's lock, for every room that is kept but cannot be served.
func (l *Loop) Held(each func(r *Room, held ownership.HeldError)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.rooms {
		if r.machine.State() == ownership.Held {
			each(r, r.machine.Held())
		}
	}
}

// count counts the rooms for whose machine fits returns true.
func (l *Loop) count(fits func(*ownership.Machine) bool) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.rooms {
		if fits(r.machine) {
			n++
		}
	}
	return n
}
