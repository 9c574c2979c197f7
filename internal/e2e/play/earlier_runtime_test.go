package play_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// TestEarlierRoomsMoveToThePresentRuntime takes the rooms that commit 1d1d88e left behind. It stops each room as a program with the first
// runtime would, and goes on with a program that no longer has that runtime.
func TestEarlierRoomsMoveToThePresentRuntime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unpack(t, filepath.Join("testdata", "earlier", "sqlite", "folders.tar.gz"), dir)
	games, err := e2e.BuiltinGames()
	if err != nil {
		t.Fatal(err)
	}
	moved := map[string]int{}
	for _, kept := range keptRooms(t, filepath.Join(dir, "alone")) {
		rules, ok := games.Lookup(kept.Header.Game)
		if kept.Header.Runtime != 1 {
			t.Fatalf("room %s of %s is of runtime %d", kept.Header.ID, kept.Header.Game, kept.Header.Runtime)
		}
		m := &runtimeMove{t: t, cfg: core.Config{Header: kept.Header, Rules: rules}, kept: kept}
		if ok && m.stops() { // otherwise only earlier tests had the game or the version
			m.moves()
			m.replays()
			moved[kept.Header.Game]++
		}
	}
	for _, game := range []string{"chess", "snakes", "liarsdice"} {
		if moved[game] == 0 {
			t.Errorf("no room of %s was moved: %v", game, moved)
		}
	}
}

func keptRooms(t *testing.T, dir string) (all []record.Kept) {
	t.Helper()
	folder, err := journal.OpenFolder(dir, journal.FolderOptions{AdoptCopied: true})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	j, err := journal.Open(t.Context(), folder, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(context.WithoutCancel(t.Context()))
	for kept, err := range j.Rooms(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, kept)
	}
	return all
}

// runtimeMove is one room on its way from the first runtime to the present one.
type runtimeMove struct {
	t    *testing.T
	cfg  core.Config
	kept record.Kept
	view string // of a spectator, when the room stopped
	now  string // after the move, at the end of the log
}

// dropped is the configuration of a program that no longer has the first runtime.
func (m *runtimeMove) dropped() core.Config {
	cfg := m.cfg
	cfg.OldestRuntime = core.RuntimeVersion
	return cfg
}

// stops goes on with the room by its own runtime and stops it, so that its log ends with a snapshot. It reports whether these rules can
// go on with the room.
func (m *runtimeMove) stops() bool {
	machine, err := core.Restore(m.cfg, m.kept)
	if wrong, ok := errors.AsType[*core.VersionError](err); ok && !wrong.Runtime {
		return false
	}
	if err != nil {
		m.t.Fatalf("room %s of %s: %v", m.kept.Header.ID, m.kept.Header.Game, err)
	}
	m.enter(machine)
	snap, err := machine.Snapshot()
	for errors.Is(err, core.ErrNotClean) {
		m.tick(machine)
		snap, err = machine.Snapshot()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	bare := m.kept
	bare.Snapshots = nil
	_, err = core.Restore(m.dropped(), bare)
	if wrong, ok := errors.AsType[*core.VersionError](err); !ok || !wrong.Runtime || wrong.Need != 1 || !strings.Contains(err.Error(), "stop that version cleanly") {
		m.t.Errorf("without a snapshot at the end: %v", err)
	}
	m.kept.Snapshots = []record.Snapshot{snap}
	m.view = m.seen(machine)
	return true
}

// moves goes on with the room in a program that lacks the first runtime.
func (m *runtimeMove) moves() {
	if err := core.CheckVersion(m.dropped(), m.kept); err != nil {
		m.t.Fatalf("%s: %v", m.kept.Header.Game, err)
	}
	machine, err := core.Restore(m.dropped(), m.kept)
	if err != nil {
		m.t.Fatalf("%s: %v", m.kept.Header.Game, err)
	}
	m.enter(machine)
	if got := m.seen(machine); got != m.view {
		m.t.Errorf("%s: it showed\n%s\nand shows after the move\n%s", m.kept.Header.Game, m.view, got)
	}
	if machine.Final() == nil {
		m.step(machine, core.Input{Kind: core.KindClose, Reason: "seen"})
	}
	m.now = m.seen(machine)
}

// replays runs the log of both runtimes. It runs the whole log where both runtimes are known, and the part after the move where the first
// is not.
func (m *runtimeMove) replays() {
	var entries []core.Entry
	for _, b := range m.kept.Batches {
		for e, err := range core.DecodeEntries(b.Entries) {
			if err != nil {
				m.t.Fatal(err)
			}
			entries = append(entries, e)
		}
	}
	upgrade := room.Index(0)
	for _, e := range entries {
		if e.Kind == core.KindUpgrade && e.Runtime == core.RuntimeVersion {
			upgrade = e.Index
		}
	}
	for _, run := range []struct {
		cfg  core.Config
		from room.Index
	}{{m.cfg, entries[0].Index}, {m.dropped(), upgrade}} {
		first, before := room.Index(0), room.Index(0)
		machine, err := core.Run(run.cfg, core.LogOf(entries), func(c *core.Core, e core.Entry) error {
			if at := c.Point().Seq; at == e.Index && before == at-1 && first == 0 {
				first = at
			}
			before = c.Point().Seq
			return nil
		})
		if err != nil {
			m.t.Fatalf("%s: %v", m.kept.Header.Game, err)
		}
		if got := m.seen(machine); first != run.from || got != m.now || machine.Final() == nil {
			m.t.Errorf("%s: run from %d it shows\n%s\nwhere it showed, from %d,\n%s", m.kept.Header.Game, first, got, run.from, m.now)
		}
		bare := m.kept
		bare.Snapshots = nil
		if back, err := core.Restore(run.cfg, bare); err != nil || m.seen(back) != m.now {
			m.t.Errorf("%s: restored from its log alone: %v", m.kept.Header.Game, err)
		}
	}
	if _, err := core.Restore(m.dropped(), m.kept); err != nil {
		m.t.Errorf("%s: with the snapshot of the first runtime: %v", m.kept.Header.Game, err)
	}
}

// enter opens the next epoch, as a process does when it brings a room back.
func (m *runtimeMove) enter(c *core.Core) {
	m.step(c, core.Input{Kind: core.KindEpoch, Epoch: c.Point().Epoch + 1, At: m.kept.Time})
	if in, ok := c.Pending(); ok {
		m.step(c, in)
	}
	for _, s := range c.Seats() {
		if s.Online {
			m.step(c, core.Input{Kind: core.KindDetach, Player: s.Player, At: m.kept.Time})
		}
	}
}

func (m *runtimeMove) tick(c *core.Core) {
	at, _ := c.Deadline()
	in, ok := c.Due(at)
	if !ok {
		m.t.Fatal("nothing is due, and no snapshot can be taken")
	}
	m.step(c, in)
}

func (m *runtimeMove) step(c *core.Core, in core.Input) {
	m.t.Helper()
	ready, err := c.Step(in)
	if err != nil || ready.Entry == nil {
		m.t.Fatalf("%s of %s: %v, %v", in.Kind, m.kept.Header.Game, err, ready.Refused)
	}
	raw, err := core.EncodeEntries(nil, *ready.Entry)
	if err != nil {
		m.t.Fatal(err)
	}
	e := *ready.Entry
	m.kept.Epoch, m.kept.Time = e.Epoch, max(m.kept.Time, e.At, time.Duration(0))
	m.kept.Batches = append(m.kept.Batches, record.Batch{Room: m.kept.Header.ID, Epoch: e.Epoch, First: e.Index, Last: e.Index, Time: e.At, Entries: raw})
}

func (m *runtimeMove) seen(c *core.Core) string {
	m.t.Helper()
	view, err := c.WholeView(room.Spectator)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(view)
}
