package snakes

import (
	"math/rand/v2"
	"slices"

	"github.com/roomring/roomring/room"
)

const (
	foodBase    = 4  // pieces of food besides one a snake
	foodPart    = 8  // at most every so manieth cell holds food
	remainsPart = 3  // every so manieth cell of a dead snake becomes food
	feastOdds   = 10 // one piece in so many is a big one
	plain       = 1  // values
	feast       = 3
)

// clearances are the cells that a new snake is to have free before it and around its head; where there is
// no such place, the next is tried.
var clearances = []int{10, 6, 3}

const triesEach = 30 // for each clearance

// enter gives a snake to everybody who is there and has had none in this round. Who finds no safe place
// is tried again with the next tick.
func (g *Game) enter(t *room.Turn) {
	for _, bots := range []bool{false, true} {
		for i := range g.Roster {
			c := &g.Roster[i]
			full := bots && len(g.Snakes) >= MaxPlayers
			if c.Bot == bots && c.Online && c.Entered != g.Round && !full {
				g.spawn(t.Rand(), i+1)
			}
		}
	}
}

func (g *Game) spawn(r *rand.Rand, number int) {
	for _, clear := range clearances {
		for range triesEach {
			tail, d := r.IntN(len(g.land.owner)), Direction(r.IntN(4))
			if cells, ok := g.lie(tail, d, clear); ok {
				g.settle(newSnake(number, cells, d, g.Clock&^1))
				return
			}
		}
	}
}

// lie is where a new snake lies straight from its tail on, if that is safe.
func (g *Game) lie(tail int, d Direction, clear int) (cells []int, ok bool) {
	at, ok := tail, g.land.owner[tail] == 0
	for i := 0; ok && i < startLength+clear; i++ {
		if i < startLength {
			cells = append(cells, at)
			ok = g.Food[at] == 0
		}
		if ok {
			at, ok = g.land.free(at, d)
		}
	}
	near := func(s *Snake) bool { return g.land.distance(s.head(), cells[startLength-1]) < clear }
	return cells, ok && !slices.ContainsFunc(g.Snakes, near)
}

// settle puts a new snake on the field.
func (g *Game) settle(s *Snake) {
	g.land.own(s.Body, s.Number)
	i, _ := slices.BinarySearchFunc(g.Snakes, s.Number, func(s *Snake, n int) int { return s.Number - n })
	g.Snakes = slices.Insert(g.Snakes, i, s)
	g.Roster[s.Number-1].Entered = g.Round
	g.Born++
}

// feed lays a piece of food if there is too little, and reports whether it did.
func (g *Game) feed(t *room.Turn) bool {
	if len(g.Food) >= min(foodBase+len(g.Snakes), len(g.land.owner)/foodPart) {
		return false
	}
	cell, value := t.Rand().IntN(len(g.land.owner)), plain
	if t.Rand().IntN(feastOdds) == 0 {
		value = feast
	}
	if g.land.owner[cell] == 0 && g.Food[cell] == 0 {
		g.Food[cell] = value
	}
	return true
}

// leaveRemains makes food of a dead snake.
func (g *Game) leaveRemains(s *Snake) {
	for i := 0; i < len(s.Body) && len(g.Food) < len(g.land.owner)/foodPart; i += remainsPart {
		if cell := s.Body[i]; g.land.owner[cell] == 0 && g.Food[cell] == 0 {
			g.Food[cell] = plain
		}
	}
}
