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

// aloneIsSound plays games with one player: with the author's options, and with each other option of the game added, because
// one of them may bring built-in opponents. Such rooms must start, or let others join, and name only players in results.
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

// alone plays a game with one player, who leaves in the end.
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

// variants are the options to play alone with: the author's, and the author's with each other option of the game at one value.
func (p *prover) variants() ([]json.RawMessage, error) {
	out := []json.RawMessage{p.o.RoomOptions}
	for _, c := range p.choices {
		options, err := p.with(map[string]json.RawMessage{c.name: c.values[0]})
		if err != nil {
			return nil, err
		}
		out = append(out, options)
	}
	return out, nil
}

// opened is the state of a room that is opened with options. The error says why they are refused.
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

// guesses are likely names of the option for built-in opponents, for games that do not name their options.
var guesses = []string{"bots", "bot", "ai", "computer", "opponents", "solo"}

// optionNames are the game's options. A game names them when it refuses an unknown one.
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

// admits proves that players can join a room that still waits for them.
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
		return explained(g.core.Panicked())
	case ready.Refused != nil:
		return fmt.Errorf("the room waits for %d players, and the game refuses the next one (%w): %s", least, ready.Refused, cure)
	}
	return g.note(ready.Entry.Input)
}

// judgeResult proves that a result is of a game that had begun, and names only those who played.
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
