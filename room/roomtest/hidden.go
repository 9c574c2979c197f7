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

// hiddenStaysHidden proves that viewers learn nothing of what is hidden from them: the room is restored
// with another value in the hidden place, and every byte for those viewers must stay the same.
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
	for _, h := range g.p.o.Hidden(facts) {
		if err := g.hides(m, state, h, plain); err != nil {
			return err
		}
	}
	return nil
}

// hides proves one hidden fact at one moment.
func (g *game) hides(m *moment, state any, h Hidden, plain map[room.PlayerID]*learnt) error {
	steps, err := parsePath(h.Path)
	if err != nil {
		return fmt.Errorf("Options.Hidden: %w", err)
	}
	var was, is any
	altered, err := alterAt(state, steps, func(old any) any {
		was, is = old, h.another(old, g.r)
		return is
	})
	if err != nil {
		return fmt.Errorf("Options.Hidden: there is no %s in the game's state: %w", h.Path, err)
	}
	if reflect.DeepEqual(was, is) {
		return nil
	}
	g.p.report.Altered++
	other, err := g.learn(m, altered)
	if err != nil {
		return fmt.Errorf("with %s altered from %s to %s: %w: give Hidden.Alter to make a value that the game could hold", h.Path, show(was), show(is), err)
	}
	for _, v := range m.views {
		if !v.viewer.Spectating() && slices.Contains(h.For, v.viewer.Player) {
			continue
		}
		if leak := plain[v.viewer.Player].differs(other[v.viewer.Player]); leak != "" {
			return fmt.Errorf("%s is hidden from %s, but %s when %s is %s and %s", h.Path, nameOf(v.viewer), leak, h.Path, show(was), show(is))
		}
	}
	return nil
}

func (h *Hidden) another(old any, r *rand.Rand) any {
	if h.Alter != nil {
		return h.Alter(old, r)
	}
	return alter(old)
}

// alter makes another value of the same shape.
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
