package main

import (
	"math/rand/v2"

	"github.com/roomring/roomring/room"
)

// computer is the built-in opponent. To the runtime it is no player: the game acts for it.
var computer = room.Player{ID: "salvo:computer", Name: "Computer", Seat: 1}

// think chooses a cell by what the computer's seat may see, so that it cannot cheat: beside a hit if there is one, and else
// where no neighbour is known.
func think(v View, r *rand.Rand) string {
	marks := v.Seas[1-computer.Seat].Marks
	var best []string
	most := -1
	for _, c := range cells {
		if marks[c] != "" {
			continue
		}
		worth := 0
		for _, near := range around(c) {
			straight := near[0] == c[0] || near[1] == c[1]
			switch {
			case marks[near] == Hit && straight:
				worth += 20
			case marks[near] == Sunk:
				worth -= 10 // ships do not touch
			case marks[near] == "":
				worth++
			}
		}
		worth = max(worth, 0)
		if worth > most {
			most, best = worth, nil
		}
		if worth == most {
			best = append(best, c)
		}
	}
	return best[r.IntN(len(best))]
}
