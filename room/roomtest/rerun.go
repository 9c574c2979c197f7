package roomtest

import (
	"errors"
	"fmt"

	"github.com/roomring/roomring/room/core"
)

// run is another room that steps through the inputs of a game.
type run struct {
	core  *core.Core
	views viewing // blind: nobody watches, and no view is asked for beyond what the room itself needs
}

func (g *game) newRun(views viewing) (*run, error) {
	machine, err := g.open()
	if err != nil {
		return nil, err
	}
	if views != noViews {
		err = watch(machine)
	}
	return &run{machine, views}, err
}

// errRefused says that a run refuses an input that the game accepted before.
var errRefused = errors.New("is refused this time")

// step steps the input of m and returns its moment in this run.
func (r *run) step(m *moment) (moment, error) {
	ready, err := r.core.Step(m.in)
	if err != nil {
		return moment{}, err
	}
	if p := r.core.Panicked(); p != nil {
		return moment{}, explained(p)
	}
	if ready.Entry == nil {
		return moment{}, errRefused
	}
	return observe(r.core, m.in, r.views)
}

// follow is step for moment i of the game. The first is that of the room as it was opened.
func (r *run) follow(i int, m *moment) (moment, error) {
	if i == 0 {
		return observe(r.core, m.in, r.views)
	}
	return r.step(m)
}

// along runs the whole game again and returns the first moment that differs, and how.
func (g *game) along(views viewing) (*moment, string, error) {
	r, err := g.newRun(views)
	if err != nil {
		return nil, "", err
	}
	for i := range g.moments {
		m := &g.moments[i]
		again, err := r.follow(i, m)
		if err != nil {
			return m, err.Error(), nil
		}
		what := m.differs(&again)
		if views == noViews {
			what = m.stateDiffers(&again)
		}
		if what != "" {
			return m, what, nil
		}
	}
	return nil, "", nil
}

// A game's runs agree if all of runs are the same. If some other proof finds a difference, moreRuns runs must
// agree before anything but chance is blamed.
const (
	runs     = 3
	moreRuns = 12
)

// runsAgree proves that the same inputs bring the same states, views and messages.
func (g *game) runsAgree() error { return g.agree(runs - 1) }

func (g *game) agree(n int) error {
	for range n {
		m, what, err := g.along(distinctViews)
		if err != nil {
			return err
		}
		if m != nil {
			return fmt.Errorf("%v gives %s in two runs: %s", m, what, chance)
		}
	}
	return nil
}

// viewsAreIdle proves that looking at the game does not change it.
func (g *game) viewsAreIdle() error {
	m, what, err := g.along(noViews)
	if err != nil || m == nil {
		return err
	}
	if err := g.agree(moreRuns); err != nil {
		return err
	}
	return fmt.Errorf("%v: View changes the game: being looked at and not gives %s: View may only read", m, what)
}

// replayAgrees proves that the room's replay goes through the same states to the same end.
func (g *game) replayAgrees() error {
	sealed, err := g.core.Seal()
	if err != nil {
		return fmt.Errorf("the room cannot be sealed: %w", err)
	}
	replay, err := core.ReadReplay(sealed.Replay.Reader())
	if err != nil {
		return err
	}
	var differs error
	again, err := core.Run(g.cfg, replay.Log(), func(c *core.Core, e core.Entry) error {
		differs = g.sameState(c, e)
		return differs
	})
	if err == nil && (again.Final() == nil || again.Final().Sum() != sealed.Hash) {
		err = fmt.Errorf("the replay ends as %+v, the game as %+v", again.Final(), g.core.Final())
	}
	if err == nil {
		return nil
	}
	if chance := g.agree(moreRuns); chance != nil {
		return chance
	}
	return fmt.Errorf("the replay differs from the game: %w", err)
}

func (g *game) sameState(c *core.Core, e core.Entry) error {
	for i := range g.moments {
		m := &g.moments[i]
		if m.index != e.Index {
			continue
		}
		state, err := stateOf(c)
		if err != nil {
			return err
		}
		if d := diffJSON(m.state, state); d != nil {
			return fmt.Errorf("%v gives different states: %v", m, d)
		}
	}
	return nil
}
