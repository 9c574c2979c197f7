package core

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/roomring/roomring/room"
)

// Games is an immutable set of rules by name.
type Games struct{ byName map[string]*room.Rules }

// NewGames makes a set. Two games with the same name are an error.
func NewGames(rules ...*room.Rules) (*Games, error) {
	g := &Games{byName: make(map[string]*room.Rules, len(rules))}
	for _, r := range rules {
		if _, twice := g.byName[r.Spec().Name]; twice {
			return nil, fmt.Errorf("game %s is given twice", r.Spec().Name)
		}
		g.byName[r.Spec().Name] = r
	}
	return g, nil
}

// Lookup returns the rules of a game. It returns false if there is no game with that name.
func (g *Games) Lookup(name string) (*room.Rules, bool) {
	r, ok := g.byName[name]
	return r, ok
}

// All iterates over the games, sorted by name.
func (g *Games) All() iter.Seq[*room.Rules] {
	return func(yield func(*room.Rules) bool) {
		for _, name := range slices.Sorted(maps.Keys(g.byName)) {
			if !yield(g.byName[name]) {
				return
			}
		}
	}
}
