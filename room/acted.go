package room

import (
	"fmt"
	"slices"
)

// runtimeActed is the first runtime that remembers who has acted and asks for it when a game finishes.
const runtimeActed = 2

// keptActed bounds the players remembered to have acted who have given their seats up: the oldest is forgotten.
const keptActed = 2 * MaxSeats

// noteActed remembers that the player of a seat has had an action accepted.
func (c *Core) noteActed(seat int) {
	if c.header.Runtime >= runtimeActed {
		c.s.Seats[seat].Acted = true
	}
}

// vacate frees a seat. That its player has acted counts for what is left of the game.
func (c *Core) vacate(i int) {
	if s := &c.s.Seats[i]; s.Acted && !slices.Contains(c.s.Acted, s.Player) {
		if len(c.s.Acted) >= keptActed {
			c.s.Acted = slices.Delete(c.s.Acted, 0, 1)
		}
		c.s.Acted = append(c.s.Acted, s.Player)
	}
	c.s.Seats[i] = seat{}
}

// acted reports whether a player has had an action accepted, now or before leaving a seat.
func (c *Core) acted(p PlayerID) bool {
	if i := c.s.seatOf(p); i >= 0 && c.s.Seats[i].Acted {
		return true
	}
	return slices.Contains(c.s.Acted, p)
}

// judge leaves who never acted out of a result. An empty why says that it counts; else the game is aborted.
func (c *Core) judge(r *Result) (why string) {
	if c.header.Runtime < runtimeActed || r.IdleCounts || len(r.Outcomes) < 2 {
		return ""
	}
	idle := func(o Outcome) bool { return !o.Bot && !c.acted(o.Player) }
	played := slices.DeleteFunc(slices.Clone(r.Outcomes), idle)
	switch {
	case len(played) == len(r.Outcomes):
		return ""
	case len(played) == 0:
		return "Nobody played, so the game does not count"
	case len(r.Outcomes) == 2:
		absent := r.Outcomes[slices.IndexFunc(r.Outcomes, idle)]
		return fmt.Sprintf("%s never played, so the game does not count", absent.called())
	case len(played) == 1:
		return fmt.Sprintf("Only %s played, so the game does not count", played[0].called())
	}
	r.Outcomes = closeRanks(played)
	return ""
}

func (o Outcome) called() string {
	if o.Name != "" {
		return o.Name
	}
	return fmt.Sprintf("Seat %d", o.Seat)
}

// closeRanks ranks those who are left among themselves.
func closeRanks(left []Outcome) []Outcome {
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
