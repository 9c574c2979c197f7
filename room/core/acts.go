package core

import (
	"fmt"
	"math"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// runtimeActed is the first runtime that counts acts and uses the counts when a game finishes. The runtime that made
// the room decides, even if the room has moved to another since: nobody is judged by acts that were not counted from
// the start.
const runtimeActed = 2

// keptActed bounds the players without a seat whose acts are remembered. The oldest is forgotten first.
const keptActed = 2 * room.MaxSeats

// countAct counts an act of the player in a seat. Undo takes the count back if the game refuses the act.
func (c *Core) countAct(i int) (undo func()) {
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

// freeSeat frees a seat. The acts of its player still count for the rest of the game.
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

// formerPlayer returns the place of a player in the list of those who gave up a seat, or -1.
func (c *Core) formerPlayer(p room.PlayerID) int {
	return slices.IndexFunc(c.s.Acted, func(a acted) bool { return a.Player == p })
}

// acts counts the accepted actions of a player, seated or not.
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

// played says how much was played in a room that is over. It is nil in a room of a runtime that did not count.
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

// dropIdle removes players who never acted from a result. If the game must be aborted instead, why tells people the
// reason.
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

// closeRanks ranks the remaining outcomes among themselves.
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
