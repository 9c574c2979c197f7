package roomtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// hiddenStaysHidden proves that viewers learn nothing of what is hidden from them. It restores the room with
// another value in the hidden place, and every byte for those viewers must stay the same.
func (g *game) hiddenStaysHidden() error {
	if g.p.o.Hidden == nil {
		return nil
	}
	for i := range g.moments {
		m := &g.moments[i]
		if len(m.snapshot.Data) == 0 {
			continue
		}
		if err := g.hiddenAt(m); err != nil {
			return fmt.Errorf("after %v: %w", m, err)
		}
	}
	return nil
}

func (g *game) hiddenAt(m *moment) error {
	state, err := decode([]byte(m.state))
	if err != nil {
		return err
	}
	facts, ok := state.(map[string]any)
	if !ok {
		return errors.New("Options.Hidden needs a game whose snapshot is a JSON object")
	}
	plain, err := g.learn(m, state)
	if err != nil {
		return err
	}
	hidden := g.p.o.Hidden(facts)
	slices.SortStableFunc(hidden, func(a, b Hidden) int { return strings.Compare(a.Path, b.Path) }) // it may come from a map
	for _, h := range hidden {
		if err := g.hides(m, state, h, plain); err != nil {
			return err
		}
	}
	return nil
}

// hides proves one hidden fact at one moment.
func (g *game) hides(m *moment, state any, h Hidden, plain map[room.PlayerID]*knowledge) error {
	steps, err := parsePath(h.Path)
	if err != nil {
		return fmt.Errorf("Options.Hidden: %w", err)
	}
	old, err := valueAt(state, steps)
	if err != nil {
		return fmt.Errorf("Options.Hidden: there is no %s in the game's state: %w", h.Path, err)
	}
	for _, other := range h.others(old, g.r) {
		if reflect.DeepEqual(old, other) {
			continue
		}
		g.p.report.Altered++
		if err := g.compareKnowledge(m, h, plain, old, other, replaceAt(state, steps, other)); err != nil {
			return err
		}
	}
	return nil
}

// compareKnowledge proves that viewers who may not learn a hidden fact get the same bytes when it is altered.
func (g *game) compareKnowledge(m *moment, h Hidden, plain map[room.PlayerID]*knowledge, old, other, state any) error {
	altered, err := g.learn(m, state)
	if err != nil {
		return fmt.Errorf("with %s altered from %s to %s: %w: if the game could not hold that, let Hidden.Alter make a value it could",
			h.Path, show(old), show(other), err)
	}
	for _, v := range m.views {
		if slices.Contains(h.For, v.viewer.Player) {
			continue
		}
		if leak := plain[v.viewer.Player].differs(altered[v.viewer.Player]); leak != "" {
			return fmt.Errorf("%s is hidden from %s, but %s when %s is %s and %s", h.Path, nameOf(v.viewer), leak, h.Path, show(old), show(other))
		}
	}
	return nil
}

// others are values that a hidden place could hold instead. An array is also reversed, which finds
// views that show how its elements compare.
func (h *Hidden) others(old any, r *rand.Rand) []any {
	if h.Alter != nil {
		return []any{h.Alter(old, r)}
	}
	out := []any{alter(old)}
	if list, ok := old.([]any); ok {
		round := slices.Clone(list)
		slices.Reverse(round)
		out = append(out, round)
	}
	return out
}

// alter makes another value of the same shape, or returns the same value if there is none.
func alter(old any) any {
	switch x := old.(type) {
	case json.Number:
		return alterNumber(x)
	case string:
		return strings.Map(nextLetter, x)
	case bool:
		return !x
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = alter(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for name, v := range x {
			out[name] = alter(v)
		}
		return out
	}
	return old
}

func alterNumber(n json.Number) json.Number {
	if i, err := n.Int64(); err == nil && i+1 > i {
		return json.Number(fmt.Sprint(i + 1))
	}
	if f, err := n.Float64(); err == nil && f+1 != f {
		return json.Number(fmt.Sprint(f + 1))
	}
	return "0"
}

func nextLetter(c rune) rune {
	switch {
	case c == 'z', c == 'Z':
		return c - 25
	case c == '9':
		return '0'
	case c >= 'a' && c < 'z', c >= 'A' && c < 'Z', c >= '0' && c < '9':
		return c + 1
	}
	return c
}
