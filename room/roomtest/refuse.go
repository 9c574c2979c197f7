package roomtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// At badMoments moments of a game up to badPlayers connected players try wrong actions: others' actions, and spoilt
// ones of their own, about spoilt in number. At rubbishMoments of these moments they also try all rubbish.
const (
	badMoments     = 6
	badPlayers     = 3
	rubbishMoments = 2
	spoilt         = 24
)

// rubbish are actions that no client of the game would send.
var rubbish = []string{
	``, `{`, `null`, `true`, `0`, `-1`, `0.5`, `1e308`, `1e999`, `9223372036854775807`, `-9223372036854775808`,
	`18446744073709551616`, `""`, `"\u0000"`, `"` + strings.Repeat("x", 10_000) + `"`, `[]`, `[null]`, `{}`,
	`{"":null}`, `{"unknown":1}`, nested("[", "]"), nested(`{"a":`, "}"),
}

func nested(open, end string) string {
	const deep = 1000
	return strings.Repeat(open, deep) + "0" + strings.Repeat(end, deep)
}

// badActionsAreRefused proves that wrong actions do not panic, and change nothing if they are refused.
// It tries them on restored copies of the room, because the game may accept some of them.
func (g *game) badActionsAreRefused() error {
	for i, m := range g.some(badMoments) {
		b := &bad{g: g, after: m}
		if err := b.copyRoom(); err != nil {
			return err
		}
		players := g.online(b.core)
		for _, by := range players[:min(len(players), badPlayers)] {
			actions, err := g.wrongActions(b.core, by, m)
			if err != nil {
				return err
			}
			if i < rubbishMoments {
				actions = append(actions, rubbish...)
			}
			for _, action := range actions {
				if err := b.act(by.ID, action); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// wrongActions are spoilt actions of a player, and other players' actions, at moment m. The game may accept some of them.
func (g *game) wrongActions(machine *core.Core, by room.Player, m *moment) ([]string, error) {
	var actions []string
	for _, other := range g.online(machine) {
		valid, err := g.propose(machine, other, m.viewOf(other.ID))
		if err != nil {
			return nil, err
		}
		if valid == nil {
			continue
		}
		actions = append(actions, string(valid))
		if other.ID == by.ID {
			actions = append(actions, spoil(g.r, valid)...)
		}
	}
	return actions, nil
}

// some draws at most n moments that have a snapshot and are before the room's end.
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

// bad tries wrong actions on copies of the room.
type bad struct {
	g     *game
	after *moment // the moment that is copied
	core  *core.Core
	now   moment
}

func (b *bad) copyRoom() (err error) {
	if b.core, err = b.g.restore(b.after.snapshot); err == nil {
		b.now, err = observe(b.core, b.after.in, distinctViews)
	}
	return err
}

// act tries one action. If the game accepts it, the next one gets a new copy.
func (b *bad) act(by room.PlayerID, action string) error {
	in := actOf(b.core, by, json.RawMessage(action))
	ready, err := b.core.Step(in)
	at := fmt.Sprintf("after %v, %s", b.after, describe(in))
	if p := b.core.Panicked(); p != nil {
		return fmt.Errorf("%s: %w", at, explained(p))
	}
	if err != nil || ready.Entry == nil {
		return err
	}
	b.g.p.report.Bad++
	now, err := observe(b.core, in, distinctViews)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	code, _, refused := rejection(now.sent)
	if !refused {
		return b.copyRoom()
	}
	if what := b.now.stateDiffers(&now); what != "" {
		return fmt.Errorf("%s: Act refuses it (%s) but leaves %s: check everything before the first change", at, code, what)
	}
	return nil
}

// spoil makes wrong actions of a valid one. Each changes one place. Each field is left out once, and is null once.
func spoil(r *rand.Rand, valid json.RawMessage) []string {
	v, err := decode(valid)
	if err != nil {
		return nil
	}
	var out []string
	add := func(v any) {
		if b, err := json.Marshal(v); err == nil {
			out = append(out, string(b))
		}
	}
	if object, ok := v.(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(object)) {
			less := maps.Clone(object)
			less[name] = nil
			add(less)
			delete(less, name)
			add(less)
		}
	}
	for range spoilt {
		add(spoilAt(r, v))
	}
	return out
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

// wrong is a random value that hardly belongs anywhere.
func wrong(r *rand.Rand) any {
	values := []any{
		nil, true, false, 0, -1, 1, 2, 7, 64, 1 << 20, json.Number("9223372036854775807"), json.Number("-9223372036854775808"),
		json.Number("1e300"), 0.5, "", "x", "é\x00", strings.Repeat("long", 300), []any{}, []any{nil}, map[string]any{}, json.RawMessage(nested("[", "]")),
	}
	return values[r.IntN(len(values))]
}
