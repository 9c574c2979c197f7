package match

import (
	"context"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	roommatch "github.com/roomring/roomring/room/match"
)

// Questions that tests answer otherwise.
const (
	FindQuestion = findQuestion
	BestQuestion = bestQuestion
	SeatQuestion = seatQuestion
)

type (
	FindAsk = findAsk
	SeatAsk = seatAsk
)

func (m *Matcher) Maker(game string) string { return m.maker(game) }

// Filled reports whether it knows the room that was filled last for such requests.
func (m *Matcher) Filled(want actor.Match) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.filled.Contains(m.o.Rooms.Pool(want))
}

func (m *Matcher) HandTickets(ctx context.Context) bool { return m.handTickets(ctx) }

// TakeTickets takes away all tickets that it has answered.
func (m *Matcher) TakeTickets() []roommatch.Ticket {
	return m.local.Export(func(string) bool { return true })
}

func (m *Matcher) See(want actor.Match, id room.ID, maker string) { m.see(want, id, maker) }

// Expire lets a ticket that was answered by way of this node become too old.
func (m *Matcher) Expire(player room.PlayerID, ticket string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, _ := m.tickets.Peek(ticketKey{player, ticket})
	t.until = m.o.Clock.Now()
}
