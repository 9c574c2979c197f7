package core_test

import (
	"errors"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// doubling is counter with other rules under the same version.
type doubling struct{ Sum int }

func (c *doubling) Act(_ *room.Turn, _ room.Player, a add) error { c.Sum += 2 * a.By; return nil }
func (c *doubling) View(room.Viewer) sum                         { return sum{c.Sum} }

func doublingRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "counter", Version: 1, MaxPlayers: 4, SharedView: true}, func() *doubling { return &doubling{} })
}

func TestAStateIsKeptThatNewRulesWouldNotHaveMade(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	b.act(m, `{"by":7}`)
	b.all()
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b.snaps = []record.Snapshot{snap}
	b.cfg.Rules = doublingRules()
	if _, err := core.Restore(b.cfg, b.kept()); !isDiverged(err) {
		t.Fatalf("elsewhere the room is held, not %v", err)
	}
	b.cfg.KeepState = true
	if b.core, err = core.Restore(b.cfg, b.kept()); err != nil {
		t.Fatal(err)
	}
	b.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
	in, ok := b.core.Pending()
	if !ok || in.Kind != core.KindCut {
		t.Fatalf("the log is not begun anew: %v", in.Kind)
	}
	b.step(in)
	began := len(b.entries) - 1 // a journal drops what lies before a cut
	if _, again := b.core.Pending(); again {
		t.Fatal("it would be cut twice")
	}
	b.step(core.Input{Kind: core.KindDetach, Player: "x"})
	b.attach(m, nil)
	b.act(m, `{"by":1}`)
	b.all()
	if got := canonical(t, m.view); got != `{"sum":9}` {
		t.Fatalf("after 7 by the old rules and 2 by the new ones the client sees %s", got)
	}

	// What is left is a log of the new rules alone, which everybody can run.
	b.cfg.KeepState, b.snaps = false, nil
	b.entries = b.entries[began:]
	kept := b.kept()
	kept.Batches[0].First = b.entries[0].Index
	again, err := core.Restore(b.cfg, kept)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := again.WholeView(room.Spectator); string(v) != `{"sum":9}` {
		t.Fatalf("brought back the room shows %s", v)
	}
}

func TestAStateIsNotKeptWithoutASnapshotOfIt(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b.act(m, `{"by":7}`)
	b.all()
	b.cfg.Rules, b.cfg.KeepState = doublingRules(), true
	for _, snaps := range [][]record.Snapshot{nil, {snap}} {
		b.snaps = snaps
		if _, err := core.Restore(b.cfg, b.kept()); !isDiverged(err) {
			t.Fatalf("with %d snapshots: %v", len(snaps), err)
		}
	}
}

func isDiverged(err error) bool {
	_, ok := errors.AsType[*core.DivergedError](err)
	return ok
}
