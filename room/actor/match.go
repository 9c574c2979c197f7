package actor

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
)

// Seats is where a Matchmaker finds seats: in this node's rooms, or in those of a whole cluster.
type Seats interface {
	// Seat keeps a seat for the player in the fullest open room. ErrNotFound: no room has one.
	Seat(ctx context.Context, want Match) (Info, error)
	// Renew keeps the player's seat in that room again. ErrNotFound: the player can have none there any more.
	Renew(ctx context.Context, id room.ID, want Match) (Info, error)
	// Make makes a room with a seat kept for the player.
	Make(ctx context.Context, want Match) (Info, error)
}

// Matchmaker brings together players who want the same. It serves the requests of equal game and options one
// at a time, so that players who come together are put together, and remembers tickets.
type Matchmaker struct {
	o     MatchmakerOptions
	seats Seats

	mu      sync.Mutex                  // held for moments only
	turns   map[string]*matchTurn       // by MatchmakerOptions.Pool
	tickets map[ticketKey]*list.Element // of *ticket
	order   list.List                   // used last first
}

// MatchmakerOptions make a Matchmaker.
type MatchmakerOptions struct {
	Pool      func(want Match) string // the same for requests that may be put together; nil: for those that say the same
	Clock     clock.Clock             // nil: clock.System
	Tickets   int                     // remembered; 0 means 65,536
	TicketAge time.Duration           // and for how long; 0 means 10 min
}

// matchTurn is whose turn it is among the requests of one key. It is there while any of them is.
type matchTurn struct {
	token    chan struct{} // holds one token: who has taken it is served
	requests int
}

type ticketKey struct {
	player room.PlayerID
	ticket string
}

// ticket is what one request was answered, or is being.
type ticket struct {
	key     ticketKey
	game    string
	done    chan struct{} // closed when it is answered
	room    room.ID       // empty: no room could be found for it
	expires time.Duration
}

// NewMatchmaker makes a Matchmaker that remembers nothing yet.
func NewMatchmaker(o MatchmakerOptions, s Seats) *Matchmaker {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Pool == nil {
		o.Pool = func(want Match) string { return want.spelt() }
	}
	o.Tickets = cmp.Or(o.Tickets, defaultTickets)
	o.TicketAge = cmp.Or(o.TicketAge, defaultTicketAge)
	return &Matchmaker{o: o, seats: s, turns: map[string]*matchTurn{}, tickets: map[ticketKey]*list.Element{}}
}

// Match finds or makes a room with a seat kept for the player. Asking again with the same ticket answers the same
// room as long as the player can still have a seat in it. It waits for those who want the same and came before.
func (m *Matchmaker) Match(ctx context.Context, want Match) (Info, error) {
	if want.Ticket == "" {
		return m.find(ctx, want)
	}
	k := ticketKey{want.Player, want.Ticket}
	for {
		t, mine := m.remember(k, want.Game)
		if mine {
			return m.answerTicket(ctx, t, want)
		}
		select {
		case <-t.done:
		case <-ctx.Done():
			return Info{}, ctx.Err()
		}
		if t.room != "" {
			info, err := m.seats.Renew(ctx, t.room, want)
			if !errors.Is(err, ErrNotFound) {
				return info, err
			}
		}
		m.forget(t)
	}
}

func (m *Matchmaker) answerTicket(ctx context.Context, t *ticket, want Match) (Info, error) {
	defer close(t.done)
	info, err := m.find(ctx, want)
	if err != nil {
		m.forget(t)
		return info, err
	}
	t.room = info.ID
	return info, nil
}

// find takes its turn among the requests of the key. An empty room that was made for somebody who has gone
// meanwhile ends by itself.
func (m *Matchmaker) find(ctx context.Context, want Match) (Info, error) {
	done, err := m.turn(ctx, m.o.Pool(want))
	if err != nil {
		return Info{}, err
	}
	defer done()
	info, err := m.seats.Seat(ctx, want)
	if errors.Is(err, ErrNotFound) {
		return m.seats.Make(ctx, want)
	}
	return info, err
}

// turn waits until every request of the key that came before has been served; done passes the turn on.
func (m *Matchmaker) turn(ctx context.Context, key string) (done func(), err error) {
	m.mu.Lock()
	t := m.turns[key]
	if t == nil {
		t = &matchTurn{token: make(chan struct{}, 1)}
		t.token <- struct{}{}
		m.turns[key] = t
	}
	t.requests++
	m.mu.Unlock()
	select {
	case <-t.token:
		return func() {
			t.token <- struct{}{}
			m.gone(key, t)
		}, nil
	case <-ctx.Done():
		m.gone(key, t)
		return nil, ctx.Err()
	}
}

// Busy reports whether it serves such a request at present.
func (m *Matchmaker) Busy(want Match) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.turns[m.o.Pool(want)] != nil
}

func (m *Matchmaker) gone(key string, t *matchTurn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.requests--; t.requests == 0 {
		delete(m.turns, key)
	}
}

// remember finds or makes a ticket; mine says that the caller is to answer it.
func (m *Matchmaker) remember(k ticketKey, game string) (t *ticket, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Clock.Now()
	if e := m.tickets[k]; e != nil {
		if t := e.Value.(*ticket); t.expires > now {
			m.order.MoveToFront(e)
			return t, false
		}
		m.drop(e)
	}
	t = &ticket{key: k, game: game, done: make(chan struct{}), expires: now + m.o.TicketAge}
	m.put(t)
	return t, true
}

func (m *Matchmaker) put(t *ticket) {
	m.tickets[t.key] = m.order.PushFront(t)
	for m.order.Len() > m.o.Tickets {
		m.drop(m.order.Back())
	}
}

func (m *Matchmaker) drop(e *list.Element) {
	m.order.Remove(e)
	delete(m.tickets, e.Value.(*ticket).key)
}

// forget lets go of a ticket that no room could be found for, or whose room has ended.
func (m *Matchmaker) forget(t *ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.tickets[t.key]; e != nil && e.Value == t {
		m.drop(e)
	}
}
