package main

import (
	"math/rand/v2"
	"slices"
)

// The sea has size × size cells, from a1 to h8.
const size = 8

var cells = func() (all []string) {
	for y := range size {
		for x := range size {
			all = append(all, cell(x, y))
		}
	}
	return all
}()

func cell(x, y int) string { return string([]byte{'a' + byte(x), '1' + byte(y)}) }

// Ship is the cells that one ship lies on.
type Ship []string

// lengths are those of a fleet's ships.
var lengths = []int{4, 3, 3, 2, 2}

// launch places a fleet at random. No two of its ships touch.
func launch(r *rand.Rand) (fleet []Ship) {
	taken := map[string]bool{} // cells of ships, and those around them
	for len(fleet) < len(lengths) {
		length := lengths[len(fleet)]
		along, across := r.IntN(size-length+1), r.IntN(size)
		upright := r.IntN(2) == 0
		ship := Ship{}
		for i := range length {
			if upright {
				ship = append(ship, cell(across, along+i))
			} else {
				ship = append(ship, cell(along+i, across))
			}
		}
		if slices.ContainsFunc(ship, func(c string) bool { return taken[c] }) {
			continue
		}
		for _, c := range ship {
			for _, near := range around(c) {
				taken[near] = true
			}
		}
		fleet = append(fleet, ship)
	}
	return fleet
}

// around returns a cell and its up to eight neighbours.
func around(c string) (near []string) {
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			near = append(near, cell(int(c[0]-'a')+dx, int(c[1]-'1')+dy))
		}
	}
	return near
}

// Mark is what a cell shows.
type Mark string

// What a cell can show. A cell without a mark shows nothing but water.
const (
	Miss   Mark = "miss"
	Hit    Mark = "hit"
	Sunk   Mark = "sunk"
	Afloat Mark = "ship" // shown to the owner alone, until the game is over
)

// marks says what a sea shows: to its owner, or to everybody else.
func (s *Side) marks(owner bool) map[string]Mark {
	marks := map[string]Mark{}
	for _, c := range s.Shots {
		marks[c] = Miss
	}
	for _, ship := range s.Fleet {
		sunk := s.hits(ship) == len(ship)
		for _, c := range ship {
			switch {
			case sunk:
				marks[c] = Sunk
			case slices.Contains(s.Shots, c):
				marks[c] = Hit
			case owner:
				marks[c] = Afloat
			}
		}
	}
	return marks
}

func (s *Side) hits(ship Ship) (n int) {
	for _, c := range ship {
		if slices.Contains(s.Shots, c) {
			n++
		}
	}
	return n
}

// afloat counts the ships that are not sunk.
func (s *Side) afloat() (n int) {
	for _, ship := range s.Fleet {
		if s.hits(ship) < len(ship) {
			n++
		}
	}
	return n
}

func (s *Side) sunk() bool { return s.afloat() == 0 }
