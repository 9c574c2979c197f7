package journal_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// TestPowerLossIsDetected checks that a loss of power is told from a kill by the machine's boot id, and reported only if something
// may be missing.
func TestPowerLossIsDetected(t *testing.T) {
	boots := t.TempDir()
	boot := func(name string) string { return bootIDFile(t, boots, name) }
	for _, c := range []struct {
		name         string
		before, then string
		sync, clean  bool
		want         bool
	}{
		{"a kill", boot("a"), boot("a"), false, false, false},
		{"a loss of power", boot("a"), boot("b"), false, false, true},
		{"a clean stop, then a start of the machine", boot("a"), boot("b"), false, true, false},
		{"a loss of power where the disk was waited for", boot("a"), boot("b"), true, false, false},
		{"a system that does not tell", filepath.Join(boots, "none"), boot("b"), false, false, false},
		{"a system that tells no more", boot("a"), filepath.Join(boots, "none"), false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			n := open(t, dir, journal.Options{BootIDFile: c.before, Sync: c.sync})
			n.create(roomID(1))
			n.append(batch(roomID(1), 1, 1, 3), nil)
			kill := saved(t, dir)
			n.close()
			if !c.clean {
				kill()
			}
			for range 2 { // until its rooms were loaded it is told again
				var log strings.Builder
				n = open(t, dir, journal.Options{BootIDFile: c.then, MarkEvery: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))})
				if n.PowerLost() != c.want {
					t.Errorf("power lost: %v", n.PowerLost())
				}
				if strings.Contains(log.String(), "--journal-sync") != c.want {
					t.Errorf("the log says %q", log.String())
				}
				back := saved(t, dir)
				n.close()
				back()
			}
			n = open(t, dir, journal.Options{BootIDFile: c.then})
			n.load(roomID(1))
			n.close()
			if n = open(t, dir, journal.Options{BootIDFile: c.then}); n.PowerLost() {
				t.Error("it is told for ever")
			}
		})
	}
}

// machine is a data folder that can lose power. Then each file has the content that it had at the start or any later one, and
// everything that was synced is there.
type machine struct {
	t     *testing.T
	dir   string
	first string // a copy of the journal at the start
	last  string // and when the power went
}

func (m *machine) keep() {
	m.last = filepath.Join(m.t.TempDir(), "last")
	if err := os.CopyFS(m.last, os.DirFS(filepath.Join(m.dir, "journal"))); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) losePower() {
	m.t.Helper()
	root := filepath.Join(m.dir, "journal")
	if err := os.RemoveAll(root); err != nil {
		m.t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, from := range []string{m.first, m.last} {
		fs.WalkDir(os.DirFS(from), ".", func(path string, d fs.DirEntry, err error) error {
			if d.IsDir() {
				os.MkdirAll(filepath.Join(root, path), 0o700)
			} else {
				names[path] = true
			}
			return err
		})
	}
	coin := make(map[string]bool) // a file system does all of a rename or nothing
	for name := range names {
		file := strings.TrimSuffix(strings.TrimSuffix(name, ".aside"), ".log")
		late, tossed := coin[file]
		if !tossed {
			late = rand.N(2) == 0
			coin[file] = late
		}
		from := m.first
		if strings.HasPrefix(name, "redo-") || late {
			from = m.last
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			continue // it was not there yet, or is there no more
		}
		if err := os.WriteFile(filepath.Join(root, name), data, 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
}

// TestSyncSurvivesALossOfPower plays, cuts the power, and looks for everything that was acknowledged.
func TestSyncSurvivesALossOfPower(t *testing.T) {
	for round := range 10 {
		boots := filepath.Join(t.TempDir(), "boot")
		os.WriteFile(boots, []byte("one"), 0o600)
		o := journal.Options{Sync: true, BootIDFile: boots}
		dir := t.TempDir()
		n := open(t, dir, o)
		old, gone, aside := roomID(1), roomID(2), roomID(3)
		n.create(old, gone, aside)
		for _, id := range []room.ID{old, gone, aside} {
			n.append(batch(id, 1, 1, 4), &record.Snapshot{Room: id, Epoch: 1, Index: 2, Data: []byte("two")})
		}
		n.close()
		n = open(t, dir, o)
		for _, id := range []room.ID{old, gone, aside} {
			n.load(id)
		}
		m := &machine{t: t, dir: dir, first: filepath.Join(t.TempDir(), "first")}
		if err := os.CopyFS(m.first, os.DirFS(filepath.Join(dir, "journal"))); err != nil {
			t.Fatal(err)
		}
		made, cut := roomID(4), roomID(5)
		n.create(made, cut)
		var copies []*copyModel
		for i := range 3 {
			if err := n.Import(within(t), emptyCopy(roomID(10+i))); err != nil {
				t.Fatal(err)
			}
			c, _ := modelOf(n.load(roomID(10+i)), rand.Uint64N(1<<30))
			copies = append(copies, c)
		}
		n.burst(copies, 25)
		for i := room.Index(5); i < 25; i += 2 {
			n.append(batch(old, 1, i, i+1), &record.Snapshot{Room: old, Epoch: 1, Index: i + 1, Data: fmt.Append(nil, i)})
			n.append(batch(made, 1, i-4, i-3), nil)
		}
		n.append(batch(aside, 1, 5, 9), nil)
		n.append(batch(gone, 1, 5, 9), nil)
		n.append(batch(cut, 1, 1, 5), nil)
		n.append(cutAt(t, cut, 6, 8), nil)
		if err := n.Claimed(within(t), made, 9); err != nil {
			t.Fatal(err)
		}
		if err := n.Remove(within(t), gone); err != nil {
			t.Fatal(err)
		}
		if err := n.SetAside(within(t), aside, "for the test"); err != nil {
			t.Fatal(err)
		}
		m.keep()
		n.close()
		m.losePower()
		os.WriteFile(boots, []byte("two"), 0o600)

		n = open(t, dir, o)
		if n.PowerLost() {
			t.Error("nothing can be missing")
		}
		for id, end := range map[room.ID]room.Index{old: 24, made: 20} {
			if kept := n.load(id); checkLog(t, kept) != end || kept.Cut != "" {
				t.Errorf("round %d: room %s: %+v", round, id, kept)
			}
		}
		if kept := n.load(old); len(kept.Snapshots) != 2 || kept.Snapshots[1].Index != 24 {
			t.Errorf("snapshots %+v", kept.Snapshots)
		}
		if kept := n.load(made); kept.Epoch != 9 {
			t.Errorf("epoch %d", kept.Epoch)
		}
		if kept := n.load(cut); kept.Last() != 8 || len(kept.Batches) != 1 || kept.Cut != "" {
			t.Errorf("the room that was cut: %+v", kept)
		}
		for _, c := range copies {
			if diff := c.differs(n.load(c.id), true); diff != "" {
				t.Errorf("round %d: the copy %s: %s", round, c.id, diff)
			}
		}
		if _, err := n.Load(within(t), gone); err == nil {
			t.Error("a room that was removed is back")
		}
		list, err := n.ListAside(within(t))
		if err != nil || len(list) != 1 || list[0].Reason != "for the test" {
			t.Fatalf("set aside: %+v, %v", list, err)
		}
		if kept, err := n.LoadAside(within(t), list[0].Key); err != nil || checkLog(t, kept) != 9 {
			t.Errorf("set aside: %+v, %v", kept, err)
		}
		n.close()
	}
}

// TestSyncDeletesOldSegments checks that segments which are not needed any more are deleted, and that writing goes on meanwhile.
func TestSyncDeletesOldSegments(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.WithRedoMost(journal.Options{Sync: true}, 20_000))
	var wg sync.WaitGroup
	for r := range 8 {
		n.create(roomID(r))
		wg.Go(func() {
			for i := room.Index(1); i < 200; i += 10 {
				n.append(batch(roomID(r), 1, i, i+9), nil)
			}
		})
	}
	wg.Wait()
	testwait.Until(t, "segments are deleted", func() bool {
		names, _ := filepath.Glob(filepath.Join(dir, "journal", "redo-*"))
		n.append(record.Batch{Room: roomID(0), Epoch: 1}, &record.Snapshot{Room: roomID(0), Epoch: 1, Index: 200, Data: make([]byte, 5000)})
		return len(names) <= 2
	})
	n.close()
	n = open(t, dir, journal.Options{})
	for r := range 8 {
		if end := checkLog(t, n.load(roomID(r))); end != 200 {
			t.Errorf("room %d ends at %d", r, end)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "journal", "redo-*")); len(names) != 0 {
		t.Errorf("a start has left %v", names)
	}
}
