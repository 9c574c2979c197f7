package snakes

import (
	"fmt"
	"math"

	"github.com/roomring/roomring/room"
)

// The built-in opponents. Their seats are behind those of the room.
const botPrefix = "roomring:bot"

var botNames = [MaxBots]string{
	"Adder", "Boa", "Cobra", "Mamba", "Python", "Viper", "Asp", "Krait", "Racer", "Taipan", "Anaconda", "Coral",
}

func newBot(i int) Contender {
	return Contender{Bot: true, Online: true, Player: room.Player{
		ID: room.PlayerID(fmt.Sprintf("%s%d", botPrefix, i+1)), Name: botNames[i], Seat: MaxPlayers + i,
	}}
}

// How a built-in opponent weighs a direction, against one cell nearer to its food.
const (
	roomWorth  = 100 // a cell that can still be reached from there
	headDanger = 350 // another's head beside it
	mostRoom   = 60  // more cells than that are plenty
)

// steerBots turns the built-in snakes. It looks at the field alone, so it is the same in every replay.
func (g *Game) steerBots() {
	for _, s := range g.Snakes {
		if !g.Roster[s.Number-1].Bot {
			continue
		}
		if d := g.choose(s); d != s.Heading {
			s.Queue = append(s.Queue[:0], d)
		}
	}
}

// choose is the best direction: with room for the body, away from heads, towards food; straight on if all are equal.
func (g *Game) choose(s *Snake) Direction {
	food, hungry := g.nearestFood(s.head())
	best, most := s.Heading, math.MinInt
	for _, d := range s.Heading.sides() {
		to, ok := g.land.free(s.head(), d)
		if !ok {
			continue
		}
		worth := roomWorth*g.land.reach(to, min(len(s.Body)+8, mostRoom)) - headDanger*g.headsBeside(s, to)
		if hungry {
			worth -= g.land.distance(to, food)
		}
		if worth > most {
			best, most = d, worth
		}
	}
	return best
}

// nearestFood is the same whatever the order of the map: the lowest cell among the nearest.
func (g *Game) nearestFood(from int) (cell int, ok bool) {
	nearest := math.MaxInt
	for c := range g.Food {
		d := g.land.distance(from, c)
		if d < nearest || d == nearest && c < cell {
			cell, nearest = c, d
		}
	}
	return cell, len(g.Food) > 0
}

func (g *Game) headsBeside(s *Snake, cell int) (n int) {
	for _, o := range g.Snakes {
		if o != s && g.land.distance(o.head(), cell) == 1 {
			n++
		}
	}
	return n
}
