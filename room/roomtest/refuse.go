package roomtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// At so many moments of a game each connected player tries every piece of rubbish and so many spoilt
// actions.
const (
	badMoments = 6
	spoilt     = 24
)

// rubbish is what no client of the game would send.
var rubbish = []string{
	``, `{`, `null`, `true`, `0`, `-1`, `0.5`, `1e308`, `1e999`, `9223372036854775807`, `-9223372036854775808`,
	`18446744073709551616`, `""`, `"\u0000"`, `"` + strings.Repeat("x", 10_000) + `"`, `[]`, `[null]`, `{}`,
	`{"":null}`, `{"unknown":1}`, nested("[", "]"), nested(`{"a":`, "}"),
}

func nested(open, end string) string {
	const deep = 1000
	return strings.Repeat(open, deep) + "0" + strings.Repeat(end, deep)
}

// badActionsAreRefused proves that wrong actions are errors that leave the game as it was, not panics.
// It tries them on restored copies of the room, so that those the game takes do no harm.
func (g *game) badActionsAreRefused() error {
	for _, m := range g.some(badMoments) {
		core, err := g.restore(m.snapshot)
		if err != nil {
			return err
		}
		before, err := observe(core, m.in, false)
		if err != nil {
			return err
		}
		b := &bad{g: g, core: core, after: m, now: before}
		if err := b.try(); err != nil {
			return err
		}
	}
	return nil
}

// some draws at most n moments at which the game is on and a snapshot was taken.
func (g *game) some(n int) []*moment {
	var out []*moment
	for i := range g.moments {
		if m := &g.moments[i]; len(m.snapshot.Data) > 0 && m.final == "" {
			out = append(out, m)
		}
	}
	g.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(n, len(out))]
}

// bad tries wrong actions on one copy of the room.
type bad struct {
	g     *game
	core  *room.Core
	after *moment // whose copy it is
	now   moment
}

func (b *bad) try() error {
	for _, by := range b.g.online(b.core) {
		actions := slices.Clone(rubbish)
		for _, other := range b.g.online(b.core) {
			valid, err := b.g.propose(other, b.now.sightOf(other.ID))
			if err != nil {
				return err
			}
			if valid == nil {
				continue
			}
			actions = append(actions, string(valid))
			for range spoilt {
				actions = append(actions, spoil(b.g.r, valid))
			}
		}
		for _, action := range actions {
			if err := b.act(by.ID, action); err != nil || b.core.Final() != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bad) act(by room.PlayerID, action string) error {
	in := actOf(b.core, by, json.RawMessage(action))
	ready, err := b.core.Step(in)
	at := fmt.Sprintf("after %v, %s", b.after, describe(in))
	if p := b.core.Panicked(); p != nil {
		return fmt.Errorf("%s: %s", at, toldPanic(b.core, p))
	}
	if err != nil || ready.Entry == nil {
		return err
	}
	b.g.p.report.Bad++
	now, err := observe(b.core, in, false)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if code, _, refused := rejection(now.said); refused {
		if what := b.now.moved(&now); what != "" {
			return fmt.Errorf("%s: Act refuses it (%s) but leaves %s: check everything before the first change", at, code, what)
		}
	}
	b.now = now
	return nil
}

// spoil changes one place of a valid action.
func spoil(r *rand.Rand, valid json.RawMessage) string {
	v, err := decode(valid)
	if err != nil {
		return string(valid)
	}
	out, err := json.Marshal(spoilAt(r, v))
	if err != nil {
		return "null"
	}
	return string(out)
}

func spoilAt(r *rand.Rand, v any) any {
	switch x := v.(type) {
	case map[string]any:
		return spoilObject(r, x)
	case []any:
		x = slices.Clone(x)
		if len(x) > 0 && r.IntN(3) > 0 {
			i := r.IntN(len(x))
			x[i] = spoilAt(r, x[i])
			return x
		}
		return append(x, wrong(r))
	}
	return wrong(r)
}

func spoilObject(r *rand.Rand, x map[string]any) any {
	names := slices.Sorted(maps.Keys(x))
	x = maps.Clone(x)
	if len(names) == 0 || r.IntN(12) == 0 {
		x["unknown"] = wrong(r)
		return x
	}
	name := names[r.IntN(len(names))]
	if r.IntN(8) == 0 {
		delete(x, name)
	} else {
		x[name] = spoilAt(r, x[name])
	}
	return x
}

// wrong is a value that hardly belongs anywhere.
func wrong(r *rand.Rand) any {
	values := []any{
		nil, true, false, 0, -1, 1, 2, 7, 64, 1 << 20, json.Number("9223372036854775807"), json.Number("-9223372036854775808"),
		json.Number("1e300"), 0.5, "", "x", "é\x00", strings.Repeat("long", 300), []any{}, []any{nil}, map[string]any{}, json.RawMessage(nested("[", "]")),
	}
	return values[r.IntN(len(values))]
}
