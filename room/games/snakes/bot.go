package snakes

import (
	"fmt"
	"math"

	"github.com/roomring/roomring/room"
)

// botPrefix begins the ids of built-in opponents. Their seats come after those of the room.
const botPrefix = "roomring:bot"

var botNames = [MaxBots]string{
	"Adder", "Boa", "Cobra", "Mamba", "Python", "Viper", "Asp", "Krait", "Racer", "Taipan", "Anaconda", "Coral",
}

func newBot(i int) Contender {
	return Contender{Bot: true, Online: true, Player: room.Player{
		ID: room.PlayerID(fmt.Sprintf("%s%d", botPrefix, i+1)), Name: botNames[i], Seat: MaxPlayers + i,
	}}
}

// How a built-in opponent weighs a direction. One cell nearer to food weighs 1.
const (
	roomWorth  = 100 // for each cell that can be reached from there
	headDanger = 350 // against each other head beside the cell
	mostRoom   = 60  // cells in reach that are counted at most
)

// steerBots turns the built-in snakes. It depends on the grid alone, so every replay repeats it.
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

// choose is the best direction: with room for the body, away from heads, towards food. It is straight on if all are equal.
func (g *Game) choose(s *Snake) Direction {
	food, hungry := g.nearestFood(s.head())
	best, most := s.Heading, math.MinInt
	for _, d := range s.Heading.sides() {
		to, ok := g.grid.free(s.head(), d)
		if !ok {
			continue
		}
		worth := roomWorth*g.grid.reach(to, min(len(s.Body)+8, mostRoom)) - headDanger*g.headsBeside(s, to)
		if hungry {
			worth -= g.grid.distance(to, food)
		}
		if worth > most {
			best, most = d, worth
		}
	}
	return best
}

// nearestFood is the lowest of the nearest cells with food, so that it does not depend on the map's order.
func (g *Game) nearestFood(from int) (cell int, ok bool) {
	nearest := math.MaxInt
	for c := range g.Food {
		d := g.grid.distance(from, c)
		if d < nearest || d == nearest && c < cell {
			cell, nearest = c, d
		}
	}
	return cell, len(g.Food) > 0
}

func (g *Game) headsBeside(s *Snake, cell int) (n int) {
	for _, o := range g.Snakes {
		if o != s && g.grid.distance(o.head(), cell) == 1 {
			n++
		}
	}
	return n
}
