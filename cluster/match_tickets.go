package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/match"
)

const (
	ticketsAtOnce = 4096                   // in one message
	ticketsAgain  = 500 * time.Millisecond // between two tries to hand tickets over
	ticketsTries  = 10                     // after which they are kept until the ring changes again
)

// ticketKey is a request that is asked again.
type ticketKey struct {
	player room.PlayerID
	ticket string
}

// myTicket is one that was answered by way of this node, which tells it to the next matchmaker should that one die.
type myTicket struct {
	game  string
	room  room.ID
	maker string        // the last that knew it
	until time.Duration // by the clock
}

// keepTicket remembers what a matchmaker has answered. That it is asked again makes a ticket no younger.
func (c *Cluster) keepTicket(want actor.Match, id room.ID, maker string) {
	if want.Ticket == "" {
		return
	}
	k := ticketKey{want.Player, want.Ticket}
	t, ok := c.tickets.get(k)
	if !ok || t.room != id {
		t = myTicket{game: want.Game, room: id, until: c.o.Clock.Now() + match.TicketAge}
	}
	t.maker = maker
	c.tickets.put(k, t)
}

// knownTicket is what this node remembers of a request, if anything.
func (c *Cluster) knownTicket(want actor.Match) []match.Ticket {
	k := ticketKey{want.Player, want.Ticket}
	if t, ok := c.tickets.get(k); ok && t.game == want.Game {
		return t.on(k, c.o.Clock.Now())
	}
	return nil
}

// on is the ticket as nodes tell it each other; none when it is too old.
func (t myTicket) on(k ticketKey, now time.Duration) []match.Ticket {
	if left := t.until - now; left > 0 {
		return []match.Ticket{{Player: k.player, Ticket: k.ticket, Game: t.game, Room: t.room, Left: left}}
	}
	return nil
}

// keepTickets hands tickets over whenever the ring has changed: who asks again is answered the same by the matchmaker
// that follows.
func (c *Cluster) keepTickets(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ringChanged:
		}
		for try := 1; !c.handTickets(ctx) && try < ticketsTries && clock.Sleep(ctx, c.o.Clock, ticketsAgain); try++ {
		}
	}
}

// handTickets gives the tickets of all games to those who make their matches by this node's ring: those that this node
// has answered, and those answered by way of it by somebody else. What they do not take is kept, and the answer is false.
func (c *Cluster) handTickets(ctx context.Context) (all bool) {
	c.handing.Lock()
	defer c.handing.Unlock()
	all = c.handMine(ctx)
	byMaker := map[string][]match.Ticket{}
	for _, t := range c.matches.Export(func(game string) bool {
		maker := c.matchmaker(game)
		return maker != c.self && maker != ""
	}) {
		maker := c.matchmaker(t.Game)
		byMaker[maker] = append(byMaker[maker], t)
	}
	for maker, tickets := range byMaker {
		for some := range slices.Chunk(tickets, ticketsAtOnce) {
			if !c.handTo(ctx, maker, some) {
				c.matches.Import(some)
				all = false
			}
		}
	}
	return all
}

// handMine tells the matchmakers of now what those before them have answered by way of this node.
func (c *Cluster) handMine(ctx context.Context) (all bool) {
	byMaker := map[string][]match.Ticket{}
	now := c.o.Clock.Now()
	c.tickets.each(func(k ticketKey, t myTicket) {
		if maker := c.matchmaker(t.game); maker != t.maker && maker != "" {
			byMaker[maker] = append(byMaker[maker], t.on(k, now)...)
		}
	})
	all = true
	for maker, tickets := range byMaker {
		for some := range slices.Chunk(tickets, ticketsAtOnce) {
			if !c.handTo(ctx, maker, some) {
				all = false
				continue
			}
			for _, t := range some {
				c.tickets.change(ticketKey{t.Player, t.Ticket}, func(mine *myTicket) { mine.maker = maker })
			}
		}
	}
	return all
}

// handFilled tells the matchmakers of now which rooms were filled last, before the rooms of this node leave it: who asks
// while such a room is on its way waits for it. It is a hint, so it is told once, of the newest.
func (c *Cluster) handFilled(ctx context.Context) {
	byMaker := map[string]map[string]filledRoom{}
	c.filled.each(func(key string, last filledRoom) {
		maker := c.matchmaker(last.Game)
		if byMaker[maker] == nil {
			byMaker[maker] = map[string]filledRoom{}
		}
		if len(byMaker[maker]) < ticketsAtOnce {
			byMaker[maker][key] = last
		}
	})
	for maker, rooms := range byMaker {
		if maker == "" || maker == c.self {
			continue
		}
		if _, err := ask(ctx, c, maker, matchFilled, rooms); err != nil {
			c.log.Debug("rooms that were filled last were not handed over", "to", maker, "err", err)
		}
	}
}

func (c *Cluster) handTo(ctx context.Context, maker string, tickets []match.Ticket) bool {
	_, err := ask(ctx, c, maker, matchTickets, tickets)
	if err != nil {
		c.log.Debug("tickets were not handed over", "to", maker, "tickets", len(tickets), "err", err)
	}
	return err == nil
}
