package roomtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// TB is the part of [testing.TB] that Prove needs.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Options say how to play the game. The zero value suits a game that says what is legal (room.Advisor). Others need Act.
type Options struct {
	// Act proposes an action for p, who sees view. Its JSON is what p's client would send. Most
	// proposals should be legal, else the random games go nowhere. Nil means that p has nothing to do now. Without
	// Act players do what Legal names, and the only wrong actions are those that Check makes from these.
	Act func(r *rand.Rand, p room.Player, view json.RawMessage) any

	// RoomOptions open the room; none means the game's defaults. The first random game has these, and the others vary the options that
	// are not among them: truth values both ways, numbers around the default, texts that the game names when it refuses another.
	RoomOptions json.RawMessage

	// FixedOptions plays every random game with RoomOptions as they are.
	FixedOptions bool

	// Players bounds the players of a random game; 0 means Spec.MaxPlayers. MostPlayers bounds it too.
	// The first random game has all of them, the second Spec.MinPlayers, the others a random number between.
	Players int

	// Games is how many random games are played; 0 means 10.
	Games int

	// Inputs bounds the random inputs of a game, timers and ticks not counted; 0 means 80.
	Inputs int

	// Seed of the random games; 0 means 1. The same seed always plays the same games.
	Seed uint64

	// Signals draws a signal for a game with a Signal method. Without it the game gets no signals.
	Signals func(r *rand.Rand) (name string, data any)

	// Hidden names the parts of a state that somebody must not learn. It gets the game's snapshot as
	// encoding/json decodes it, but with numbers as json.Number. It leaves out parts that everybody may know by
	// now, such as a hand shown at the end.
	Hidden func(state map[string]any) []Hidden
}

// MostPlayers bounds the players of a random game, so that the proof of a game for hundreds does not take long.
const MostPlayers = 8

// Hidden is one part of the game's state that not everybody may learn.
type Hidden struct {
	// Path leads to the part in the game's snapshot, by names and indexes: "Hands.p1", "Deck[0]". Quote a name
	// that contains a dot or a bracket: `Hands["a.b"]`.
	Path string

	// For names the players who may learn it; the empty id stands for spectators. Without it nobody may.
	For []room.PlayerID

	// Alter makes another value that the game could hold there. Without it numbers grow by one, letters and
	// digits become the next, booleans flip, and arrays and objects keep their shape. Arrays are also tried in
	// reverse order.
	Alter func(old any, r *rand.Rand) any
}

// Prove plays random games by the rules, proves what the package comment lists, and fails t with the field or call at fault. It logs and
// returns what the games have reached. A line that begins with "roomtest: warning:" says of what little is proved.
func Prove(t TB, rules *room.Rules, o Options) Report {
	t.Helper()
	report, err := Check(rules, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Logf("%s: %v", rules.Spec().Name, report)
	for _, w := range report.Warnings {
		t.Logf("roomtest: warning: %s: %s", rules.Spec().Name, w)
	}
	return report
}

// Check is Prove for programs. The error is the first fault.
func Check(rules *room.Rules, o Options) (Report, error) {
	p := newProver(rules, o)
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
	p.warn()
	return p.report, nil
}

// prover proves one set of rules.
type prover struct {
	rules  *room.Rules
	spec   room.Spec
	o      Options
	report Report

	advises bool                       // the game is a room.Advisor
	given   map[string]json.RawMessage // the author's options
	choices []choice                   // the others

	lastRefusal string
}

func newProver(rules *room.Rules, o Options) *prover {
	return &prover{rules: rules, spec: rules.Spec(), o: o, report: newReport()}
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
	return p.learnOptions()
}

func (p *prover) proveGame(n int) error {
	g := newGame(p, n)
	if err := g.prove(); err != nil {
		with := ""
		if options := string(g.cfg.Header.Options); options != string(p.o.RoomOptions) {
			with = " with options " + options
		}
		return fmt.Errorf("random game %d of seed %d%s: %w", n+1, p.o.Seed, with, err)
	}
	return nil
}

// prove plays the game and goes over it with every proof.
func (g *game) prove() error {
	proofs := []func() error{g.play, g.runsAgree, g.viewsAreIdle, g.derivedCanGo, g.snapshotsAgree, g.hiddenStaysHidden, g.turnsTellNothing, g.replayAgrees}
	if g.data == nil { // a fuzzed game has wrong actions among its inputs
		proofs = slices.Insert(proofs, 5, g.badActionsAreRefused)
	}
	for _, proof := range proofs {
		if err := proof(); err != nil {
			return err
		}
	}
	g.tally()
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
