package main

import (
	"fmt"

	"github.com/roomring/roomring/room"
)

var names = [maxSeats]string{"Olive", "Basil", "Rosemary", "Sage"}

// computer is the built-in opponent of a seat. To the runtime it is no player: the game acts for it.
func computer(seat int) room.Player {
	return room.Player{ID: room.PlayerID(fmt.Sprintf("fandango:computer%d", seat)), Name: names[seat], Seat: seat}
}

// think chooses one of the legal actions by what the seat may see, so that the computer cannot cheat. It gets rid of its
// dearest card, keeps its eights, and asks for the suit that it holds most of.
func think(v View, legal []Action) Action {
	best, most := legal[0], -1
	for _, a := range legal {
		score := 0
		switch {
		case a.Play.wild():
			score = 1 + holds(v.Hand, a.Suit)
		case a.Play != "":
			score = 100 + worth([]Card{a.Play})
		}
		if score > most {
			best, most = a, score
		}
	}
	return best
}

func holds(hand []Card, suit string) (n int) {
	for _, c := range hand {
		if c.suit() == suit {
			n++
		}
	}
	return n
}
