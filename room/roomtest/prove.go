package roomtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/roomring/roomring/room"
)

// TB is the part of [testing.TB] that Prove needs.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Options say how to play the game. The zero value will do for a game that says what is legal (room.Advisor); others need Act.
type Options struct {
	// Act proposes an action for p, who is shown view; its JSON is what p's client would send. Most
	// proposals should be legal, else the random games go nowhere. Nil means that p has nothing to do now. Without
	// it players do what Legal says, so nothing wrong is tried but what Check makes of that.
	Act func(r *rand.Rand, p room.Player, view json.RawMessage) any

	// RoomOptions are what the room is opened with; none means the game's defaults.
	RoomOptions json.RawMessage

	// Players is how many take part at most: 0 means Spec.MaxPlayers, and never more than MostPlayers.
	// Each random game has from Spec.MinPlayers to so many, the first has all.
	Players int

	// Games is how many random games are played; 0 means 10.
	Games int

	// Inputs is how many inputs a game is drawn at most, besides those that time brings: 0 means 80.
	Inputs int

	// Seed of the random games; 0 means 1. The same seed always plays the same games.
	Seed uint64

	// Signals draws a signal for a game with a Signal method; without it the game gets none.
	Signals func(r *rand.Rand) (name string, data any)

	// Hidden names the parts of a state that somebody must not learn. It is given the game's snapshot as
	// encoding/json decodes it, but with numbers as json.Number. A part that everybody may know by
	// now, such as a hand shown at the end, it leaves out.
	Hidden func(state map[string]any) []Hidden
}

// MostPlayers bounds the players of a random game, so that games for hundreds are proved in time too.
const MostPlayers = 8

// Hidden is one part of the game's state that not everybody may learn.
type Hidden struct {
	// Path leads to it in the game's snapshot, by names and indexes: "Hands.p1", "Deck[0]". A name
	// with a dot or a bracket in it is quoted: `Hands["a.b"]`.
	Path string

	// For is who may learn it; the empty id stands for spectators. Without it nobody may.
	For []room.PlayerID

	// Alter makes another value that the game could hold there just as well. Without it numbers grow by
	// one, letters and digits become the next, booleans turn, arrays and objects keep their shape; then
	// an array is tried in the opposite order.
	Alter func(old any, r *rand.Rand) any
}

// Report counts what a proof rests on.
type Report struct {
	Games    int // random games
	Finished int // of them, by the game's own Finish
	Inputs   int // that entered their logs
	Accepted int // actions that the game took
	Refused  int // and refused
	Legal    int // of the accepted, those that Legal had named
	Restored int // snapshots that a game was restored from and went on
	Bad      int // actions made to be wrong
	Altered  int // hidden facts that were altered and looked for
	Told     int // turns with events that were stepped again to see what they tell of hidden facts
}

func (r Report) String() string {
	return fmt.Sprintf("%d games (%d finished) of %d inputs: %d actions accepted (%d of them named by Legal), %d refused; %d snapshots restored, %d bad actions tried, %d hidden facts altered, %d turns listened to",
		r.Games, r.Finished, r.Inputs, r.Accepted, r.Legal, r.Refused, r.Restored, r.Bad, r.Altered, r.Told)
}

// Prove plays random games by the rules and fails t with the field or the call at fault.
func Prove(t TB, rules *room.Rules, o Options) {
	t.Helper()
	report, err := Check(rules, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Logf("%s: %v", rules.Spec().Name, report)
}

// Check is Prove for programs: the error is the first fault that was found.
func Check(rules *room.Rules, o Options) (Report, error) {
	p := &prover{rules: rules, spec: rules.Spec(), o: o}
	err := p.complete()
	for n := 0; err == nil && n < p.o.Games; n++ {
		err = p.proveGame(n)
	}
	if err == nil {
		err = p.aloneIsSound()
	}
	if err == nil {
		err = p.notEmpty()
	}
	if err != nil {
		return p.report, fmt.Errorf("game %s: %w", p.spec.Name, err)
	}
	return p.report, nil
}

// prover holds what the proofs of all games share.
type prover struct {
	rules  *room.Rules
	spec   room.Spec
	o      Options
	report Report

	advises bool // the game is a room.Advisor

	lastRefusal string
}

func (p *prover) complete() error {
	o := &p.o
	or := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	or(&o.Players, p.spec.MaxPlayers)
	or(&o.Games, 10)
	or(&o.Inputs, 80)
	if o.Seed == 0 {
		o.Seed = 1
	}
	o.Players = max(min(o.Players, MostPlayers, p.spec.MaxPlayers), p.spec.MinPlayers)
	if unkept := p.rules.Warnings(); len(unkept) > 0 {
		return errors.New("its state is not kept whole: " + strings.Join(unkept, "; "))
	}
	_, p.advises = p.rules.Instance().Legal(room.Spectator)
	if o.Act == nil && !p.advises {
		return errors.New("Options.Act is needed, or a Legal method of the game: without actions nothing is proved")
	}
	return nil
}

func (p *prover) proveGame(n int) error {
	g := newGame(p, n)
	for _, proof := range []func() error{
		g.play, g.runsAgree, g.viewsAreIdle, g.derivedCanGo, g.snapshotsAgree, g.badActionsAreRefused, g.hiddenStaysHidden, g.turnsTellNothing, g.replayAgrees,
	} {
		if err := proof(); err != nil {
			return fmt.Errorf("random game %d of seed %d: %w", n+1, p.o.Seed, err)
		}
	}
	p.report.Games++
	p.report.Inputs += int(g.core.Point().Seq)
	return nil
}

// notEmpty refuses a proof that rests on nothing.
func (p *prover) notEmpty() error {
	switch r := p.report; {
	case r.Accepted == 0 && r.Refused == 0:
		return errors.New("Options.Act never proposed an action, so nothing is proved")
	case r.Accepted == 0:
		return fmt.Errorf("Options.Act proposed %d actions and the game refused them all, the last as %q: propose legal ones", r.Refused, p.lastRefusal)
	case p.o.Hidden != nil && r.Altered == 0:
		return errors.New("Options.Hidden never named a fact that could be altered, so nothing is proved of it")
	}
	return nil
}
