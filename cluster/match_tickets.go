package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/roomring/roomring/room/actor"
)

const (
	ticketsAtOnce = 4096                   // in one message
	ticketsAgain  = 500 * time.Millisecond // between two tries to hand tickets over
	ticketsTries  = 10                     // after which they are kept until the ring changes again
)

// keepTickets hands tickets over whenever the ring has changed: who asks again is answered the same by the matchmaker
// that follows.
func (c *Cluster) keepTickets(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ringChanged:
		}
		for try := 1; !c.handTickets(ctx) && try < ticketsTries && pause(ctx, ticketsAgain); try++ {
		}
	}
}

// handTickets gives the tickets of all games to those who make their matches by this node's ring. What they do not
// take is kept, and the answer is false.
func (c *Cluster) handTickets(ctx context.Context) (all bool) {
	c.handing.Lock()
	defer c.handing.Unlock()
	byMaker := map[string][]actor.Ticket{}
	for _, t := range c.matches.HandOver(func(game string) bool {
		maker := c.matchmaker(game)
		return maker != c.self && maker != ""
	}) {
		maker := c.matchmaker(t.Game)
		byMaker[maker] = append(byMaker[maker], t)
	}
	all = true
	for maker, tickets := range byMaker {
		for some := range slices.Chunk(tickets, ticketsAtOnce) {
			if _, err := ask(ctx, c, maker, matchTickets, some); err != nil {
				c.log.Debug("tickets were not handed over", "to", maker, "tickets", len(some), "err", err)
				c.matches.TakeOver(some)
				all = false
			}
		}
	}
	return all
}
