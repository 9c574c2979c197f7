package match

import (
	"context"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	roommatch "github.com/roomring/roomring/room/match"
)

const (
	messageSize = 4096                   // tickets or rooms of one message
	handAgain   = 500 * time.Millisecond // between two tries to hand tickets over
	handTries   = 10                     // after which they are kept until the ring changes again
)

// ticketKey is a request that may be asked again.
type ticketKey struct {
	player room.PlayerID
	ticket string
}

// seenTicket is a ticket that was answered by way of this node. The node tells it to the next matchmaker if that one dies.
type seenTicket struct {
	game  string
	room  room.ID
	maker string        // the last that knew it
	until time.Duration // by the clock
}

// see remembers what a matchmaker has answered. A ticket does not become younger by being asked again.
func (m *Matcher) see(want actor.Match, id room.ID, maker string) {
	if want.Ticket == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := ticketKey{want.Player, want.Ticket}
	t, ok := m.tickets.Get(k)
	if !ok || t.room != id {
		t = &seenTicket{game: want.Game, room: id, until: m.o.Clock.Now() + roommatch.TicketAge}
		m.tickets.Add(k, t)
	}
	t.maker = maker
}

// seen is what this node remembers of a request, if anything.
func (m *Matcher) seen(want actor.Match) []roommatch.Ticket {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := ticketKey{want.Player, want.Ticket}
	if t, ok := m.tickets.Get(k); ok && t.game == want.Game {
		return t.appendTo(nil, k, m.o.Clock.Now())
	}
	return nil
}

// appendTo adds the ticket as nodes tell it each other, unless it is too old.
func (t *seenTicket) appendTo(all []roommatch.Ticket, k ticketKey, now time.Duration) []roommatch.Ticket {
	if left := t.until - now; left > 0 {
		all = append(all, roommatch.Ticket{Player: k.player, Ticket: k.ticket, Game: t.game, Room: t.room, Left: left})
	}
	return all
}

// RingChanged has KeepTickets hand tickets over. It does not block.
func (m *Matcher) RingChanged() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// KeepTickets hands tickets over whenever the ring has changed, until ctx ends: the next matchmaker answers a request that comes again
// the same.
func (m *Matcher) KeepTickets(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.changed:
		}
		for try := 1; !m.handTickets(ctx) && try < handTries && clock.Sleep(ctx, m.o.Clock, handAgain); try++ {
		}
	}
}

// HandOver tells the matchmakers of now what this node knows of matches, before its rooms leave it.
func (m *Matcher) HandOver(ctx context.Context) {
	m.handFilled(ctx)
	m.handTickets(ctx)
}

// handTickets gives the tickets of all games to the matchmakers by this node's ring: those that this node has answered, and those that
// were answered by way of it. It keeps what they do not take, and reports whether they have taken all.
func (m *Matcher) handTickets(ctx context.Context) (all bool) {
	m.handing.Lock()
	defer m.handing.Unlock()
	all = m.handSeen(ctx)
	byMaker := map[string][]roommatch.Ticket{}
	for _, t := range m.local.Export(func(game string) bool {
		maker := m.maker(game)
		return maker != m.o.Calls.Self() && maker != ""
	}) {
		maker := m.maker(t.Game)
		byMaker[maker] = append(byMaker[maker], t)
	}
	for maker, tickets := range byMaker {
		for some := range slices.Chunk(tickets, messageSize) {
			if !m.handTo(ctx, maker, some) {
				m.local.Import(some)
				all = false
			}
		}
	}
	return all
}

// handSeen tells the matchmakers of now what those before them have answered by way of this node.
func (m *Matcher) handSeen(ctx context.Context) (all bool) {
	byMaker := map[string][]roommatch.Ticket{}
	now := m.o.Clock.Now()
	m.mu.Lock()
	for _, k := range m.tickets.Keys() {
		t, _ := m.tickets.Peek(k)
		if maker := m.maker(t.game); maker != t.maker && maker != "" {
			byMaker[maker] = t.appendTo(byMaker[maker], k, now)
		}
	}
	m.mu.Unlock()
	all = true
	for maker, tickets := range byMaker {
		for some := range slices.Chunk(tickets, messageSize) {
			if !m.handTo(ctx, maker, some) {
				all = false
				continue
			}
			m.mu.Lock()
			for _, t := range some {
				if seen, ok := m.tickets.Peek(ticketKey{t.Player, t.Ticket}); ok {
					seen.maker = maker
				}
			}
			m.mu.Unlock()
		}
	}
	return all
}

func (m *Matcher) handTo(ctx context.Context, maker string, tickets []roommatch.Ticket) bool {
	_, err := rpc.Ask(ctx, m.o.Calls, maker, ticketsQuestion, tickets)
	if err != nil {
		m.o.Log.Debug("tickets were not handed over", "to", maker, "tickets", len(tickets), "err", err)
	}
	return err == nil
}

// handFilled tells the matchmakers of now which rooms were filled last: who asks while such a room is on its way waits for it. It is a
// hint, so it is told once, of the newest.
func (m *Matcher) handFilled(ctx context.Context) {
	byMaker := map[string]map[string]filledRoom{}
	m.mu.Lock()
	for _, pool := range slices.Backward(m.filled.Keys()) { // the newest first
		last, _ := m.filled.Peek(pool)
		maker := m.maker(last.Game)
		if byMaker[maker] == nil {
			byMaker[maker] = map[string]filledRoom{}
		}
		if len(byMaker[maker]) < messageSize {
			byMaker[maker][pool] = last
		}
	}
	m.mu.Unlock()
	for maker, rooms := range byMaker {
		if maker == "" || maker == m.o.Calls.Self() {
			continue
		}
		if _, err := rpc.Ask(ctx, m.o.Calls, maker, filledQuestion, rooms); err != nil {
			m.o.Log.Debug("rooms that were filled last were not handed over", "to", maker, "err", err)
		}
	}
}
