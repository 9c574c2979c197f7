package actor

import (
	"time"

	"github.com/roomring/roomring/room"
)

// Ticket is what a Matchmaker remembers of a request that it has answered.
type Ticket struct {
	Player room.PlayerID
	Ticket string
	Game   string
	Room   room.ID
	Left   time.Duration // for which it is remembered
}

// HandOver takes the answered tickets of games out of the memory, those used last first. Requests that are being served
// keep theirs.
func (m *Matchmaker) HandOver(of func(game string) bool) []Ticket {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Clock.Now()
	var out []Ticket
	for e := m.order.Front(); e != nil; {
		t := e.Value.(*ticket)
		this := e
		e = e.Next()
		if !of(t.game) || !t.answered() {
			continue
		}
		m.drop(this)
		if left := t.expires - now; left > 0 {
			out = append(out, Ticket{t.key.player, t.key.ticket, t.game, t.room, left})
		}
	}
	return out
}

// TakeOver remembers tickets that another Matchmaker has handed over, as HandOver gives them. One that is known here
// already, or is being answered, stays as it is.
func (m *Matchmaker) TakeOver(tickets []Ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Clock.Now()
	for i := range tickets {
		t := &tickets[len(tickets)-1-i] // so that the one used last is in front
		k := ticketKey{t.Player, t.Ticket}
		if m.tickets[k] == nil {
			m.put(&ticket{key: k, game: t.Game, done: closed, room: t.Room, expires: now + min(t.Left, m.o.TicketAge)})
		}
	}
}

// closed is the done of tickets that were answered elsewhere.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// answered reports whether a room has been found for it.
func (t *ticket) answered() bool {
	select {
	case <-t.done:
		return t.room != ""
	default:
		return false
	}
}
