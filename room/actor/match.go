package actor

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
)

// matcher knows the open public rooms by what is played in them, and remembers tickets. Its lock is held
// for moments only; rooms are made outside it, one at a time for each key, so that players who come
// together are put together.
type matcher struct {
	mu      sync.Mutex
	open    map[string]map[*liveRoom]struct{} // by key
	making  map[string]chan struct{}          // closed when the room being made is there
	tickets map[ticketKey]*list.Element       // of *ticket
	order   list.List                         // used last first
}

type ticketKey struct {
	player room.PlayerID
	ticket string
}

// ticket is what one request was answered, or is being.
type ticket struct {
	key     ticketKey
	done    chan struct{} // closed when it is answered
	room    room.ID
	expires time.Duration
}

func (m *matcher) init() {
	m.open = map[string]map[*liveRoom]struct{}{}
	m.making = map[string]chan struct{}{}
	m.tickets = map[ticketKey]*list.Element{}
}

// matchKey is the same for equal games and options, however the options are spelt.
func matchKey(game string, options json.RawMessage) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(options))
	d.UseNumber()
	if d.Decode(&v) != nil || v == nil {
		return game + " {}"
	}
	canonical, err := json.Marshal(v)
	if err != nil {
		return game + " " + string(options)
	}
	return game + " " + string(canonical)
}

// note puts a room in or takes it out.
func (m *matcher) note(r *liveRoom, open bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rooms := m.open[r.matchKey]
	switch {
	case open && rooms == nil:
		m.open[r.matchKey] = map[*liveRoom]struct{}{r: {}}
	case open:
		rooms[r] = struct{}{}
	default:
		if delete(rooms, r); len(rooms) == 0 {
			delete(m.open, r.matchKey)
		}
	}
}

// seat reserves a seat in the fullest open room; ties go to the older room. It returns nil when there is none.
func (m *matcher) seat(key string, p room.PlayerID, now, until time.Duration) *liveRoom {
	m.mu.Lock()
	defer m.mu.Unlock()
	var best *liveRoom
	most := -1
	for r := range m.open[key] {
		n, ok := r.seats.fill(p, now)
		if ok && (n > most || n == most && r.older(best)) {
			best, most = r, n
		}
	}
	if best == nil || !best.seats.reserve(p, now, until) {
		return nil
	}
	return best
}

func (r *liveRoom) older(o *liveRoom) bool {
	if c := r.header.Created.Compare(o.header.Created); c != 0 {
		return c < 0
	}
	return r.id < o.id
}

// make tells whether the caller is to make a room for the key; if not, it waits for the returned channel.
func (m *matcher) make(key string) (wait <-chan struct{}, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.making[key]; c != nil {
		return c, false
	}
	m.making[key] = make(chan struct{})
	return nil, true
}

func (m *matcher) made(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.making[key])
	delete(m.making, key)
}

// remember finds or makes a ticket; mine says that the caller is to answer it.
func (m *matcher) remember(k ticketKey, now time.Duration, o *Options) (t *ticket, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.tickets[k]; e != nil {
		if t := e.Value.(*ticket); t.expires > now {
			m.order.MoveToFront(e)
			return t, false
		}
		m.drop(e)
	}
	t = &ticket{key: k, done: make(chan struct{}), expires: now + o.TicketAge}
	m.tickets[k] = m.order.PushFront(t)
	for m.order.Len() > o.Tickets {
		m.drop(m.order.Back())
	}
	return t, true
}

func (m *matcher) drop(e *list.Element) {
	m.order.Remove(e)
	delete(m.tickets, e.Value.(*ticket).key)
}

// forget lets go of a ticket that no room could be found for, or whose room has ended.
func (m *matcher) forget(t *ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.tickets[t.key]; e != nil && e.Value == t {
		m.drop(e)
	}
}

// Match finds or makes a room and keeps a seat in it for the player for Options.Reserve. Asking again with
// the same ticket answers the same room as long as the player can still have a seat in it. Errors are those of Create.
func (d *Directory) Match(ctx context.Context, want Match) (Info, error) {
	if want.Ticket == "" {
		return d.match(ctx, want)
	}
	k := ticketKey{want.Player, want.Ticket}
	for {
		t, mine := d.matches.remember(k, d.o.Clock.Now(), &d.o)
		if mine {
			return d.answerTicket(ctx, t, want)
		}
		select {
		case <-t.done:
		case <-ctx.Done():
			return Info{}, ctx.Err()
		}
		if info, ok := d.again(t, want.Player); ok {
			return info, nil
		}
		d.matches.forget(t)
	}
}

func (d *Directory) answerTicket(ctx context.Context, t *ticket, want Match) (Info, error) {
	defer close(t.done)
	info, err := d.match(ctx, want)
	if err != nil {
		d.matches.forget(t)
		return info, err
	}
	t.room = info.ID
	return info, nil
}

// again renews what a ticket was answered.
func (d *Directory) again(t *ticket, p room.PlayerID) (Info, bool) {
	r := d.lookup(t.room)
	if r == nil {
		return Info{}, false
	}
	info, ok := r.public()
	now := d.o.Clock.Now()
	if !ok || info.Phase == room.PhaseOver || !r.seats.reserve(p, now, now+d.o.Reserve) {
		return Info{}, false
	}
	return info, true
}

func (d *Directory) match(ctx context.Context, want Match) (Info, error) {
	key := matchKey(want.Game, want.Options)
	for {
		now := d.o.Clock.Now()
		if r := d.matches.seat(key, want.Player, now, now+d.o.Reserve); r != nil {
			if info, ok := r.public(); ok && !d.failing(r) {
				return info, nil
			}
			r.seats.release(want.Player)
			return Info{}, ErrUnreachable
		}
		wait, mine := d.matches.make(key)
		if mine {
			defer d.matches.made(key)
			return d.Create(ctx, Create{Game: want.Game, Options: want.Options, By: want.Player, Reserve: []room.PlayerID{want.Player}})
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return Info{}, ctx.Err()
		}
	}
}
