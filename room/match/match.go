// Package match brings together players who want the same game with the same options.
//
// A Maker serves the requests of one pool one at a time, so that players who come together get into one room. It remembers
// tickets, so that a repeated request gets the same room. It finds rooms through Seats: Local covers the rooms of one node,
// package cluster those of all nodes.
package match

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
)

// Defaults of Options.
const (
	Tickets   = 65_536
	TicketAge = 10 * time.Minute
)

// Options are the options of a Maker. Pool is required.
type Options struct {
	Pool      func(want actor.Match) string // equal for requests that may share a room; see actor.Directory.Pool
	Clock     clock.Clock                   // nil: clock.System
	Tickets   int                           // how many tickets are remembered; 0 means 65,536
	TicketAge time.Duration                 // how long a ticket is remembered; 0 means 10 min
}

// Seats finds and keeps seats in rooms.
type Seats interface {
	// Seat keeps a seat for the player in the fullest open room. ErrNotFound: no room has one.
	Seat(ctx context.Context, want actor.Match) (actor.Info, error)
	// Renew keeps the player's seat in that room again. ErrNotFound: the player can no longer have one there.
	Renew(ctx context.Context, id room.ID, want actor.Match) (actor.Info, error)
	// Make makes a room with a seat kept for the player.
	Make(ctx context.Context, want actor.Match) (actor.Info, error)
}

// Maker makes matches. Its methods may be called from any goroutine.
type Maker struct {
	pool    func(want actor.Match) string
	seats   Seats
	tickets *tickets

	mu     sync.Mutex // held for moments only
	queues map[string]*queue
}

// New makes a Maker that remembers no tickets yet.
func New(o Options, s Seats) *Maker {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	return &Maker{
		pool: o.Pool, seats: s, queues: map[string]*queue{},
		tickets: newTickets(o.Clock, cmp.Or(o.Tickets, Tickets), cmp.Or(o.TicketAge, TicketAge)),
	}
}

// Match finds or makes a room with a seat kept for the player. A repeated request with the same ticket gets the same room
// as long as the player can still have a seat in it. Match waits for the earlier requests of the same pool. It returns the
// errors of Seats and of ctx.
func (m *Maker) Match(ctx context.Context, want actor.Match) (actor.Info, error) {
	if want.Ticket == "" {
		return m.find(ctx, want)
	}
	for {
		t, isNew := m.tickets.get(want)
		if isNew {
			return m.answer(ctx, t, want)
		}
		select {
		case <-t.done:
		case <-ctx.Done():
			return actor.Info{}, ctx.Err()
		}
		if t.room != "" {
			info, err := m.seats.Renew(ctx, t.room, want)
			if !errors.Is(err, actor.ErrNotFound) {
				return info, err
			}
		}
		m.tickets.forget(t)
	}
}

// answer finds a room for a new ticket. Requests with the same ticket wait for it.
func (m *Maker) answer(ctx context.Context, t *ticket, want actor.Match) (actor.Info, error) {
	defer close(t.done)
	info, err := m.find(ctx, want)
	if err != nil {
		m.tickets.forget(t)
		return info, err
	}
	t.room = info.ID
	return info, nil
}

// find waits in the queue of the pool and then finds or makes a room. A room that was made for a player who has gone
// meanwhile stays empty and ends by itself.
func (m *Maker) find(ctx context.Context, want actor.Match) (actor.Info, error) {
	done, err := m.wait(ctx, m.pool(want))
	if err != nil {
		return actor.Info{}, err
	}
	defer done()
	info, err := m.seats.Seat(ctx, want)
	if errors.Is(err, actor.ErrNotFound) {
		return m.seats.Make(ctx, want)
	}
	return info, err
}

// queue lets the requests of one pool through one at a time, in the order they came. It exists as long as it has requests.
type queue struct {
	token    chan struct{} // holds one token; the request that takes it is served
	requests int
}

// wait returns when all earlier requests of the pool have been served, or with ctx's error. The caller calls done to let the
// next request through.
func (m *Maker) wait(ctx context.Context, pool string) (done func(), err error) {
	m.mu.Lock()
	q := m.queues[pool]
	if q == nil {
		q = &queue{token: make(chan struct{}, 1)}
		q.token <- struct{}{}
		m.queues[pool] = q
	}
	q.requests++
	m.mu.Unlock()
	select {
	case <-q.token:
		return func() {
			q.token <- struct{}{}
			m.leave(pool, q)
		}, nil
	case <-ctx.Done():
		m.leave(pool, q)
		return nil, ctx.Err()
	}
}

func (m *Maker) leave(pool string, q *queue) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q.requests--; q.requests == 0 {
		delete(m.queues, pool)
	}
}

// Busy reports whether a request of the same pool is waiting or being served.
func (m *Maker) Busy(want actor.Match) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queues[m.pool(want)] != nil
}
