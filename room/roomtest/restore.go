package roomtest

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// A restored game goes on for tail inputs, and to the end from one snapshot in wholeTail.
const (
	tail      = 6
	wholeTail = 12
)

// snapshotsAgree proves at every index that a game restored from its snapshot is the same, and goes on in the same way.
func (g *game) snapshotsAgree() error {
	for i := range g.moments {
		if len(g.moments[i].snapshot.Data) == 0 {
			continue
		}
		end := min(i+1+tail, len(g.moments))
		if (i+g.n)%wholeTail == 0 {
			end = len(g.moments)
		}
		if err := g.continues(i, end); err != nil {
			return err
		}
		g.p.report.Restored++
	}
	return nil
}

// continues restores the game from the snapshot of moment i and follows it up to moment end.
func (g *game) continues(i, end int) error {
	from := &g.moments[i]
	machine, err := g.restore(from.snapshot)
	if err != nil {
		return fmt.Errorf("%v: the game cannot be restored from its snapshot there: %w%s", from, err, g.blame(i))
	}
	r := &run{machine, distinctViews}
	if err := watch(machine); err != nil {
		return fmt.Errorf("restored from the snapshot after %v: %w%s", from, err, g.blame(i))
	}
	machine.Commit(from.index)
	back, err := observe(machine, from.in, distinctViews)
	if err == nil {
		if what := from.stateDiffers(&back); what != "" {
			return g.restoreDiffers(i, i, what)
		}
	}
	for j := i + 1; err == nil && j < end; j++ {
		m := &g.moments[j]
		again, err := r.step(m)
		if err != nil {
			return g.restoreDiffers(i, j, err.Error())
		}
		if what := m.differs(&again); what != "" {
			return g.restoreDiffers(i, j, what)
		}
	}
	return err
}

// restoreDiffers says what is lost when the game restored from moment i differs at moment j.
func (g *game) restoreDiffers(i, j int, what string) error {
	if err := g.agree(moreRuns); err != nil {
		return err
	}
	return fmt.Errorf("restored from the snapshot after %v, the game goes another way at %v: %s%s", &g.moments[i], &g.moments[j], what, g.blame(i))
}

// restore makes a core from one snapshot.
func (g *game) restore(snap record.Snapshot) (*core.Core, error) { return restoreAs(g.cfg, snap) }

func restoreAs(cfg core.Config, snap record.Snapshot) (machine *core.Core, err error) {
	err = guard("Restore", func() error {
		machine, err = core.Restore(cfg, record.Kept{Header: cfg.Header, Snapshots: []record.Snapshot{snap}})
		return err
	})
	return machine, err
}

// blame names the fields that differ between the game at moment i and a game restored from its snapshot.
func (g *game) blame(i int) string {
	straight, err := g.newRun(distinctViews)
	if err != nil {
		return ""
	}
	for j := 1; j <= i; j++ {
		if _, err := straight.step(&g.moments[j]); err != nil {
			return ""
		}
	}
	game, refusal := g.restoreGame(g.moments[i].state)
	if refusal != nil {
		return ": " + refusal.Error()
	}
	lost := lostFields(straight.core.Game(), game)
	if len(lost) == 0 {
		return ": look for state outside the game value, such as a package variable"
	}
	return ": " + tell(game, lost)
}

// restoreGame makes a game value from a snapshot, without a room around it.
func (g *game) restoreGame(state string) (game any, err error) {
	game = g.cfg.Rules.Instance().Game()
	data := []byte(state)
	return game, guard("Restore", func() error {
		s, ok := game.(room.Snapshotter)
		if !ok {
			return json.Unmarshal(data, game)
		}
		var packed []byte
		if json.Unmarshal(data, &packed) == nil {
			data = packed
		}
		return s.Restore(data)
	})
}
