package core

import (
	"fmt"
	"math"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// runtimeActed is the first runtime that remembers who has acted and asks for it when a game finishes. It is asked of the one
// that the room was made by, whatever it was moved to since: what was not counted from its beginning nobody is judged by.
const runtimeActed = 2

// keptActed bounds the players remembered to have acted who have given their seats up: the oldest is forgotten.
const keptActed = 2 * room.MaxSeats

// noteActed counts an action of the player of a seat; forget takes it back, if it comes to be refused.
func (c *Core) countAct(i int) (forget func()) {
	if c.header.Runtime < runtimeActed {
		return func() {}
	}
	seat, first := c.s.Seats[i], c.s.FirstAct
	c.s.Seats[i].Acts = min(seat.Acts, math.MaxUint32-1) + 1
	if first == 0 {
		c.s.FirstAct = c.s.Now
	}
	return func() { c.s.Seats[i].Acts, c.s.FirstAct = seat.Acts, first }
}

// vacate frees a seat. What its player has done counts for what is left of the game.
func (c *Core) freeSeat(i int) {
	s := c.s.Seats[i]
	c.s.Seats[i] = seat{}
	if s.Acts == 0 {
		return
	}
	if j := c.formerPlayer(s.Player); j >= 0 {
		c.s.Acted[j].Acts += min(s.Acts, math.MaxUint32-c.s.Acted[j].Acts)
		return
	}
	if len(c.s.Acted) >= keptActed {
		c.s.Acted = slices.Delete(c.s.Acted, 0, 1)
	}
	c.s.Acted = append(c.s.Acted, acted{s.Player, s.Acts})
}

// leftAs is where a player who gave a seat up stands among those who did, or -1.
func (c *Core) formerPlayer(p room.PlayerID) int {
	return slices.IndexFunc(c.s.Acted, func(a acted) bool { return a.Player == p })
}

// acts is how many actions a player has had accepted, now or before leaving a seat.
func (c *Core) acts(p room.PlayerID) int {
	n := 0
	if i := c.s.seatOf(p); i >= 0 {
		n = int(c.s.Seats[i].Acts)
	}
	if i := c.formerPlayer(p); i >= 0 {
		n += int(c.s.Acted[i].Acts)
	}
	return n
}

func (c *Core) acted(p room.PlayerID) bool { return c.acts(p) > 0 }

// played is how much was played in a room that is over; nil in one of a runtime that did not count.
func (c *Core) played() *record.Played {
	if c.header.Runtime < runtimeActed {
		return nil
	}
	p := &record.Played{Time: c.s.Final.Duration - c.s.FirstAct}
	for i, o := range c.s.Final.Result.Outcomes {
		if n := c.acts(o.Player); i == 0 || n < p.Acts {
			p.Acts = n
		}
	}
	return p
}

// judge leaves who never acted out of a result. An empty why says that it counts; else the game is aborted.
func (c *Core) dropIdle(r *room.Result) (why string) {
	if c.header.Runtime < runtimeActed || r.IdleCounts || len(r.Outcomes) < 2 {
		return ""
	}
	idle := func(o room.Outcome) bool { return !o.Bot && !c.acted(o.Player) }
	played := slices.DeleteFunc(slices.Clone(r.Outcomes), idle)
	switch {
	case len(played) == len(r.Outcomes):
		return ""
	case len(played) == 0:
		return "Nobody played, so the game does not count"
	case len(r.Outcomes) == 2:
		absent := r.Outcomes[slices.IndexFunc(r.Outcomes, idle)]
		return fmt.Sprintf("%s never played, so the game does not count", displayName(absent))
	case len(played) == 1:
		return fmt.Sprintf("Only %s played, so the game does not count", displayName(played[0]))
	}
	r.Outcomes = closeRanks(played)
	return ""
}

func displayName(o room.Outcome) string {
	if o.Name != "" {
		return o.Name
	}
	return fmt.Sprintf("Seat %d", o.Seat)
}

// closeRanks ranks those who are left among themselves.
func closeRanks(left []room.Outcome) []room.Outcome {
	ranks := make([]int, len(left))
	for i, o := range left {
		ranks[i] = 1
		for _, other := range left {
			if other.Rank < o.Rank {
				ranks[i]++
			}
		}
	}
	for i := range left {
		left[i].Rank = ranks[i]
	}
	return left
}
