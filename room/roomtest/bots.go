package roomtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/internal/fields"
)

// aloneIsSound plays games that one player comes to: with the options that the author gives, and with each other option
// of the game besides, for one of them may bring built-in opponents. What such rooms say of themselves must hold.
func (p *prover) aloneIsSound() error {
	variants, err := p.variants()
	if err != nil {
		return err
	}
	for n, options := range variants {
		g := newGame(p, n)
		g.calm, g.ids = true, g.ids[:1]
		g.cfg.Header.Options = options
		if err := g.alone(); err != nil {
			return fmt.Errorf("one player alone in a room with options %s: %w", orNone(options), err)
		}
	}
	return nil
}

func orNone(options json.RawMessage) string {
	if len(options) == 0 {
		return "{}"
	}
	return string(options)
}

// alone plays a game for one, who leaves in the end.
func (g *game) alone() error {
	if err := g.begin(); err != nil {
		return err
	}
	if err := g.admits(); err != nil {
		return err
	}
	for _, s := range g.core.Seats() {
		if !g.over() {
			if err := g.step(core.Input{Kind: core.KindLeave, Player: s.Player, Reason: string(room.Left)}); err != nil {
				return err
			}
		}
	}
	return g.conclude()
}

// variants are the options to play alone with: those given, and each of the game's options in one value beside them that
// opens a room and makes a difference.
func (p *prover) variants() ([]json.RawMessage, error) {
	given := map[string]json.RawMessage{}
	if len(p.o.RoomOptions) > 0 && json.Unmarshal(p.o.RoomOptions, &given) != nil {
		return []json.RawMessage{p.o.RoomOptions}, nil
	}
	out := []json.RawMessage{p.o.RoomOptions}
	plain, err := p.opened(p.o.RoomOptions)
	if err != nil {
		return nil, nil // the first random game says so
	}
	for _, name := range p.optionNames(given) {
		if _, set := given[name]; set {
			continue
		}
		for _, value := range []string{"1", "true", "2"} {
			with := maps.Clone(given)
			with[name] = json.RawMessage(value)
			options, err := json.Marshal(with)
			if err != nil {
				return nil, err
			}
			if state, err := p.opened(options); err == nil && state != plain {
				out = append(out, options)
				break
			}
		}
	}
	return out, nil
}

// opened is the state of a room that was opened with options, or why they are refused.
func (p *prover) opened(options json.RawMessage) (string, error) {
	g := newGame(p, 0)
	g.cfg.Header.Options = options
	machine, err := g.open()
	if err != nil {
		return "", err
	}
	return stateOf(machine)
}

var quoted = regexp.MustCompile(`"[^"]+"`)

// guesses are what the option of built-in opponents may be called in a game that does not name its options.
var guesses = []string{"bots", "bot", "ai", "computer", "opponents", "solo"}

// optionNames are the game's options, as it names them when it refuses one that it does not know.
func (p *prover) optionNames(given map[string]json.RawMessage) (names []string) {
	with := maps.Clone(given)
	with["no_such_option"] = json.RawMessage("1")
	options, err := json.Marshal(with)
	if err != nil {
		return nil
	}
	_, err = p.opened(options)
	if err == nil {
		return guesses
	}
	_, list, named := strings.Cut(err.Error(), fields.OptionsPrefix)
	if !named {
		return guesses
	}
	for _, name := range quoted.FindAllString(list, -1) {
		names = append(names, strings.Trim(name, `"`))
	}
	return names
}

// admits proves that a room which still waits for players can be joined by them.
func (g *game) admits() error {
	if g.core.Started() || g.over() || len(g.core.Seats()) == 0 {
		return nil
	}
	const cure = "if the game is on, as against a built-in opponent, call t.Begin()"
	least := g.p.spec.MinPlayers
	if g.core.FreeSeats() == 0 {
		return fmt.Errorf("the room waits for %d players for ever: there are %d, and no seat is free: %s", least, len(g.core.Seats()), cure)
	}
	ready, err := g.core.Step(core.Input{Kind: core.KindJoin, Player: "another", Name: "Another"})
	switch {
	case err != nil:
		return err
	case g.core.Panicked() != nil:
		return errors.New(toldPanic(g.core.Panicked()))
	case ready.Refused != nil:
		return fmt.Errorf("the room waits for %d players, and the game refuses the next one (%w): %s", least, ready.Refused, cure)
	}
	return g.note(ready.Entry.Input)
}

// judgeResult proves a result to be of a game that was on, and of those who played.
func (g *game) judgeResult() error {
	f := g.core.Final()
	if f == nil || f.Point.Seq != g.core.Point().Seq {
		return nil
	}
	outcomes := g.core.GivenOutcomes()
	if len(outcomes) > 0 && !g.core.Started() {
		return errors.New("the game ends with a result while its room still waits for players: if it is on with fewer than Spec.MinPlayers, as against a built-in opponent, call t.Begin()")
	}
	for _, o := range outcomes {
		switch seated := g.seated[o.Player]; {
		case !seated && !o.Bot:
			return fmt.Errorf("the result names %q of seat %d, who never had a seat: set Bot for a built-in opponent", o.Player, o.Seat)
		case seated && o.Bot:
			return fmt.Errorf("the result calls the player %s of seat %d a bot: a built-in opponent needs an id that no player has", o.Player, o.Seat)
		}
	}
	return nil
}
