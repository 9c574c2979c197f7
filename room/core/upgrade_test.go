package core_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// counterTwo is the next version of counter: it counts in tenths.
type counterTwo struct{ Tenths int }

func (c *counterTwo) Act(_ *room.Turn, _ room.Player, a add) error { c.Tenths += 10 * a.By; return nil }
func (c *counterTwo) View(room.Viewer) sum                         { return sum{c.Tenths} }
func (c *counterTwo) Upgrade(version int, snapshot []byte) error {
	var old counter
	if version != 1 {
		return errors.New("only version 1 can be taken over")
	}
	if err := json.Unmarshal(snapshot, &old); err != nil {
		return err
	}
	c.Tenths = 10 * old.Sum
	return nil
}

func secondVersion() *room.Rules {
	return room.MustDefine(room.Spec{Name: "counter", Version: 2, MaxPlayers: 4, SharedView: true}, func() *counterTwo { return &counterTwo{} })
}

func TestANewerVersionTakesOverFromASnapshotAtTheEnd(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	b.act(m, `{"by":7}`)
	b.all()
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b.snaps = []record.Snapshot{snap}
	b.cfg.Rules = secondVersion()
	if b.core, err = core.Restore(b.cfg, b.kept()); err != nil {
		t.Fatal(err)
	}
	b.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
	in, ok := b.core.Pending()
	if !ok {
		t.Fatal("no upgrade is pending")
	}
	b.step(in)
	b.step(core.Input{Kind: core.KindDetach, Player: "x"})
	b.attach(m, new(m.point))
	b.act(m, `{"by":1}`)
	b.all()
	if got := canonical(t, m.view); got != `{"sum":80}` {
		t.Fatalf("after the upgrade the client sees %s", got)
	}
	b.checkViews()
	again, err := core.Restore(b.cfg, record.Kept{Header: b.core.Header(), Batches: b.kept().Batches, Snapshots: b.snaps})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := again.WholeView(room.Spectator); string(v) != `{"sum":80}` {
		t.Fatalf("brought back after the upgrade the room shows %s", v)
	}
}

func TestAMissingVersionIsNamed(t *testing.T) {
	b := newBench(t, counterRules(), "")
	b.act(b.join("x"), `{"by":7}`)
	b.cfg.Rules = secondVersion()
	_, err := core.Restore(b.cfg, b.kept())
	wrong, ok := errors.AsType[*core.VersionError](err)
	if !ok || wrong.Need != 1 || wrong.Have != 2 || !strings.Contains(err.Error(), "stop that version cleanly") {
		t.Fatalf("without a snapshot at the end: %v", err)
	}
	kept := b.kept()
	kept.Header.Runtime = 99
	if _, err := core.Restore(b.cfg, kept); err == nil || !strings.Contains(err.Error(), "version 99 of the runtime") {
		t.Fatalf("another runtime: %v", err)
	}
}
