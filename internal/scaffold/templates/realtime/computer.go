package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/roomring/roomring/room"
)

var names = [maxSeats]string{"Ochre", "Umber", "Teal", "Violet"}

// computer is the built-in opponent of a seat. To the runtime it is no player: the game acts for it.
func computer(seat int) room.Player {
	return room.Player{ID: room.PlayerID(fmt.Sprintf("splatter:computer%d", seat)), Name: names[seat], Seat: seat}
}

// wander chooses a heading by what the seat may see, so that the computer cannot cheat: mostly straight on, and towards
// cells that are not its own.
func wander(v View, seat int, r *rand.Rand) Heading {
	me := v.Runners[seat]
	best, most := me.Facing, -1
	for _, h := range headings {
		score := r.IntN(3)
		if h == me.Facing {
			score += 2
		}
		at := Cell{me.X, me.Y}
		for range 4 {
			at = at.step(h)
			if owner, painted := v.Cells[at]; !painted || owner != seat {
				score += 2
			}
		}
		if score > most {
			best, most = h, score
		}
	}
	return best
}
