package snakes

import (
	"math/rand/v2"
	"slices"

	"github.com/roomring/roomring/room"
)

const (
	foodBase    = 4  // pieces of food, besides one for each snake
	foodPart    = 8  // at most one cell in so many holds food
	remainsPart = 3  // one cell in so many of a dead snake becomes food
	feastOdds   = 10 // one piece in so many is a big one
	plain       = 1  // the value of a piece
	feast       = 3  // the value of a big one
)

// clearances are how many cells a new snake should have free ahead and around its head. If no such place is
// found, the next one is tried.
var clearances = []int{10, 6, 3}

const triesEach = 30 // for each clearance

// spawnAll gives a snake to everybody who is connected and has had none in this round. Where no safe place is
// found, the next tick tries again.
func (g *Game) spawnAll(t *room.Turn) {
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
			tail, d := r.IntN(len(g.grid.owner)), Direction(r.IntN(4))
			if cells, ok := g.freeLine(tail, d, clear); ok {
				g.addSnake(newSnake(number, cells, d, g.Clock&^1))
				return
			}
		}
	}
}

// freeLine are the cells of a new snake that lies straight from its tail on, if that is safe.
func (g *Game) freeLine(tail int, d Direction, clear int) (cells []int, ok bool) {
	at, ok := tail, g.grid.owner[tail] == 0
	for i := 0; ok && i < startLength+clear; i++ {
		if i < startLength {
			cells = append(cells, at)
			ok = g.Food[at] == 0
		}
		if ok {
			at, ok = g.grid.free(at, d)
		}
	}
	near := func(s *Snake) bool { return g.grid.distance(s.head(), cells[startLength-1]) < clear }
	return cells, ok && !slices.ContainsFunc(g.Snakes, near)
}

// addSnake puts a new snake on the grid.
func (g *Game) addSnake(s *Snake) {
	g.grid.occupy(s.Body, s.Number)
	i, _ := slices.BinarySearchFunc(g.Snakes, s.Number, func(s *Snake, n int) int { return s.Number - n })
	g.Snakes = slices.Insert(g.Snakes, i, s)
	g.Roster[s.Number-1].Entered = g.Round
	g.Born++
}

// feed tries to place a piece of food if there is too little, and reports whether there was too little.
func (g *Game) feed(t *room.Turn) bool {
	if len(g.Food) >= min(foodBase+len(g.Snakes), len(g.grid.owner)/foodPart) {
		return false
	}
	cell, value := t.Rand().IntN(len(g.grid.owner)), plain
	if t.Rand().IntN(feastOdds) == 0 {
		value = feast
	}
	if g.grid.owner[cell] == 0 && g.Food[cell] == 0 {
		g.Food[cell] = value
	}
	return true
}

// leaveRemains turns parts of a dead snake into food.
func (g *Game) leaveRemains(s *Snake) {
	for i := 0; i < len(s.Body) && len(g.Food) < len(g.grid.owner)/foodPart; i += remainsPart {
		if cell := s.Body[i]; g.grid.owner[cell] == 0 && g.Food[cell] == 0 {
			g.Food[cell] = plain
		}
	}
}
