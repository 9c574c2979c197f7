package journal_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func TestDamagedLogIsCut(t *testing.T) {
	id := roomID(1)
	flip := func(f frame, file []byte) []byte { file[f.to-3] ^= 4; return file }
	// The log has five batches of two entries: the batch in record i begins with entry 2i-1.
	for _, c := range []struct {
		name      string
		edit      func(all []frame, file []byte) []byte
		end       room.Index // of what is whole
		snapshots int
	}{
		{"flipped tail", func(all []frame, f []byte) []byte { return flip(all[5], f) }, 8, 2},
		{"shortened tail", func(all []frame, f []byte) []byte { return f[:all[5].to-1] }, 8, 2},
		{"a tail's first byte", func(all []frame, f []byte) []byte { return f[:all[5].from+1] }, 8, 2},
		{"a tail of zeros", func(all []frame, f []byte) []byte { clear(f[all[5].from:]); return f }, 8, 2},
		{"a tail twice", func(all []frame, f []byte) []byte { return append(f, f[all[5].from:]...) }, 10, 2},
		{"flipped middle", func(all []frame, f []byte) []byte { return flip(all[3], f) }, 4, 1},
		{"a hole", func(all []frame, f []byte) []byte { return slices.Delete(f, all[2].from, all[2].to) }, 2, 0},
		{"a wrong length", func(all []frame, f []byte) []byte { f[all[2].from]++; return f }, 2, 0},
		{"a long length", func(all []frame, f []byte) []byte { f[all[2].from+3] = 7; return f }, 2, 0},
		{"no length", func(all []frame, f []byte) []byte { clear(f[all[3].from : all[3].from+4]); return f }, 4, 1},
		{"a wrong number", func(all []frame, f []byte) []byte { f[all[3].from+9] ^= 2; return f }, 4, 1},
		{"a wrong kind", func(all []frame, f []byte) []byte { f[all[3].from+8] = 3; return f }, 4, 1},
		{"a wrong order", func(all []frame, f []byte) []byte {
			return slices.Concat(f[:all[2].from], f[all[3].from:all[3].to], f[all[2].from:all[2].to], f[all[4].from:])
		}, 2, 0},
		{"nothing left", func(all []frame, f []byte) []byte { clear(f[all[1].from:]); return f }, 0, 0},
		{"a vanished tail", func(all []frame, f []byte) []byte { return f[:all[5].from] }, 8, 2},
		{"a lost tail", func(all []frame, f []byte) []byte { return f[:all[4].from] }, 6, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			n := open(t, dir, journal.Options{})
			n.create(id, roomID(2))
			for i := room.Index(1); i < 10; i += 2 {
				var snapshot *record.Snapshot
				if i == 3 || i == 7 {
					snapshot = &record.Snapshot{Room: id, Epoch: 1, Index: i + 1, Data: []byte("state")}
				}
				n.append(batch(id, 1, i, i+1), snapshot)
			}
			n.append(batch(roomID(2), 1, 1, 4), nil)
			n.close()
			var damaged []byte
			editFile(t, logFile(t, dir, id, "log"), func(file []byte) []byte {
				damaged = c.edit(framesOf(file), file)
				return damaged
			})

			for range 2 { // until it is claimed the cut is told again
				n = open(t, dir, journal.Options{})
				kept := n.load(id)
				if end := checkLog(t, kept); end != c.end || kept.Cut == "" || len(kept.Snapshots) != c.snapshots {
					t.Errorf("the log ends at %d, cut %q, %d snapshots", end, kept.Cut, len(kept.Snapshots))
				}
				if other := n.load(roomID(2)); other.Cut != "" || checkLog(t, other) != 4 {
					t.Errorf("the other room: %+v", other)
				}
				n.close()
			}
			var copies int
			for _, name := range filesLike(t, dir, ".cut") {
				if data, err := os.ReadFile(name); err == nil && string(data) == string(damaged) {
					copies++
				}
			}
			if copies != 1 {
				t.Errorf("%d copies are kept of what was cut", copies)
			}

			n = open(t, dir, journal.Options{})
			n.load(id)
			if err := n.Claimed(within(t), id, 5); err != nil {
				t.Fatal(err)
			}
			n.append(batch(id, 5, c.end+1, c.end+3), nil)
			n.close()
			n = open(t, dir, journal.Options{})
			if kept := n.load(id); checkLog(t, kept) != c.end+3 || kept.Cut != "" || kept.Epoch != 5 {
				t.Errorf("after going on: %+v", kept)
			}
			if err := n.Remove(within(t), id); err != nil {
				t.Fatal(err)
			}
			if left := filesLike(t, dir, string(id)); len(left) != 0 {
				t.Errorf("the room is removed and has left %v", left)
			}
		})
	}
}

// TestDamageBesideTheLogLosesNothing damages a record that is no part of the log. It is skipped when the log goes on after it.
func TestDamageBesideTheLogLosesNothing(t *testing.T) {
	dir := t.TempDir()
	id := roomID(1)
	n := open(t, dir, journal.Options{})
	n.create(id)
	n.append(batch(id, 1, 1, 2), nil)
	if err := n.Claimed(within(t), id, 2); err != nil {
		t.Fatal(err)
	}
	n.append(batch(id, 2, 3, 4), nil)
	n.close()
	editFile(t, logFile(t, dir, id, "log"), func(file []byte) []byte {
		file[framesOf(file)[2].to-1] ^= 1
		return file
	})
	for range 2 {
		n = open(t, dir, journal.Options{})
		if kept := n.load(id); checkLog(t, kept) != 4 || kept.Cut != "" || kept.Epoch != 2 {
			t.Errorf("kept %+v", kept)
		}
		n.close()
	}
}

// TestTornWriteIsNoDamage ends logs within a record, as a process does that is killed while it writes. The record was never acknowledged.
func TestTornWriteIsNoDamage(t *testing.T) {
	id := roomID(1)
	boots := t.TempDir()
	boot := func(name string) string { return bootIDFile(t, boots, name) }
	for _, c := range []struct {
		name        string
		boot        string
		spoil       bool // where logs ended is not known
		cut         bool
		first, last room.Index
	}{
		{"killed", boot("one"), false, false, 1, 0},
		{"powerless", boot("two"), false, true, 1, 0},
		{"no witness", boot("one"), true, true, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			n := open(t, dir, journal.Options{BootIDFile: boot("one")})
			n.create(id)
			n.append(batch(id, 1, 1, 2), nil)
			kill := saved(t, dir)
			n.close()
			kill()
			editFile(t, logFile(t, dir, id, "log"), func(file []byte) []byte { return append(file, 200, 0, 0, 0, 1, 2, 3, 4, 5) })
			if c.spoil {
				editFile(t, filepath.Join(dir, "journal", "marks"), func(file []byte) []byte { file[len(file)-1] ^= 1; return file })
			}
			for range 2 {
				n = open(t, dir, journal.Options{BootIDFile: c.boot})
				kept := n.load(id)
				if checkLog(t, kept) != 2 || (kept.Cut != "") != c.cut {
					t.Errorf("kept %+v", kept)
				}
				n.close()
			}
			n = open(t, dir, journal.Options{BootIDFile: c.boot})
			n.load(id)
			n.append(batch(id, 1, 3, 3), nil)
			n.close()
			if kept := open(t, dir, journal.Options{BootIDFile: c.boot}).load(id); checkLog(t, kept) != 3 {
				t.Errorf("after going on: %+v", kept)
			}
		})
	}
}

// saved remembers the marks. The function that it returns puts them back, as after a kill.
func saved(t *testing.T, dir string) (back func()) {
	t.Helper()
	path := filepath.Join(dir, "journal", "marks")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEndOfARemovedRoomCutsNoOther kills two lives before they write where logs end. The first has removed the newest room, the
// second has made another one.
func TestEndOfARemovedRoomCutsNoOther(t *testing.T) {
	dir := t.TempDir()
	kept, gone, next := roomID(1), roomID(2), roomID(3)
	n := open(t, dir, journal.Options{})
	n.create(kept, gone)
	n.append(batch(kept, 1, 1, 5), nil)
	n.append(batch(gone, 1, 1, 100), nil)
	n.close()
	kill := saved(t, dir)

	n = open(t, dir, journal.Options{})
	if err := n.Remove(within(t), gone); err != nil {
		t.Fatal(err)
	}
	n.close()
	kill()
	n = open(t, dir, journal.Options{})
	n.create(next)
	n.append(batch(next, 1, 1, 3), nil)
	n.close()
	kill()
	n = open(t, dir, journal.Options{})
	for id, end := range map[room.ID]room.Index{kept: 5, next: 3} {
		if k := n.load(id); k.Cut != "" || k.Last() != end {
			t.Errorf("room %s comes back with %d entries, cut because %q", id, k.Last(), k.Cut)
		}
	}
}

func TestDamagedSnapshotIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	id := roomID(1)
	n := open(t, dir, journal.Options{})
	n.create(id)
	n.append(batch(id, 1, 1, 2), &record.Snapshot{Room: id, Epoch: 1, Index: 2, Data: []byte("older")})
	n.append(batch(id, 1, 3, 4), &record.Snapshot{Room: id, Epoch: 1, Index: 4, Data: []byte("newer")})
	n.close()
	for _, suffix := range []string{"s0", "s1"} {
		path := logFile(t, dir, id, suffix)
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), "newer") {
			editFile(t, path, func(file []byte) []byte { return bytes.Replace(file, []byte("newer"), []byte("never"), 1) })
		}
	}
	n = open(t, dir, journal.Options{})
	kept := n.load(id)
	if checkLog(t, kept) != 4 || len(kept.Snapshots) != 1 || kept.Snapshots[0].Index != 2 || kept.Cut != "" {
		t.Errorf("kept %+v", kept)
	}
}

func TestDamagedHeaderHarmsNoOtherRoom(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.create(roomID(1), roomID(2), roomID(3))
	n.close()
	editFile(t, logFile(t, dir, roomID(2), "log"), func(file []byte) []byte { return bytes.Replace(file, []byte("chess"), []byte("chexs"), 1) })
	n = open(t, dir, journal.Options{})
	var well []room.ID
	for kept, err := range n.Rooms(within(t)) {
		if err == nil {
			well = append(well, kept.Header.ID)
			continue
		}
		e, ok := errors.AsType[*journal.DamagedError](err)
		if !ok || !errors.Is(err, record.ErrDamaged) || e.Room != roomID(2) || kept.Header.ID != roomID(2) {
			t.Errorf("%s: %v", kept.Header.ID, err)
		}
		if err := n.SetAside(within(t), roomID(2), err.Error()); err != nil {
			t.Error(err)
		}
	}
	if len(well) != 2 {
		t.Errorf("rooms that came back: %v", well)
	}
	if list, err := n.ListAside(within(t)); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

// A record in the file of another room fails its checksum.
func TestRecordsDoNotPassForOthers(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.create(roomID(1), roomID(2))
	n.append(batch(roomID(1), 1, 1, 2), nil)
	n.close()
	from, err := os.ReadFile(logFile(t, dir, roomID(1), "log"))
	if err != nil {
		t.Fatal(err)
	}
	editFile(t, logFile(t, dir, roomID(2), "log"), func(file []byte) []byte { return append(file, from[len(file):]...) })
	n = open(t, dir, journal.Options{})
	if kept := n.load(roomID(2)); kept.Cut == "" || len(kept.Batches) != 0 {
		t.Errorf("kept %+v", kept)
	}
}

// Flipped bytes may cost the room in whose file they are, with a clear
// error. But what is read is always what was written.
func TestFlippedBytesAreFound(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	for i := range 20 {
		n.create(roomID(i))
		for at := room.Index(1); at < 200; at += 10 {
			n.append(batch(roomID(i), 1, at, at+9), nil)
		}
	}
	n.close()
	root := filepath.Join(dir, "journal")
	kept := t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	whole := os.DirFS(kept)
	var files []string
	fs.WalkDir(whole, ".", func(path string, d fs.DirEntry, err error) error {
		if d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	harmed := 0
	for range 40 {
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(root, whole); err != nil {
			t.Fatal(err)
		}
		for range 1 + rand.N(8) {
			editFile(t, filepath.Join(root, files[rand.N(len(files))]), func(file []byte) []byte {
				if len(file) > 0 {
					file[rand.N(len(file))] ^= byte(1 + rand.N(255))
				}
				return file
			})
		}
		harmed += readTorn(t, dir)
	}
	if harmed == 0 {
		t.Error("no flip was noticed")
	}
}

// readTorn reads everything that a damaged journal returns, and counts what is missing.
func readTorn(t *testing.T, dir string) (harmed int) {
	folder := openFolder(t, dir, journal.FolderOptions{})
	defer folder.Close()
	j, err := journal.Open(within(t), folder, journal.Options{})
	if err != nil {
		if !strings.Contains(err.Error(), dir) {
			t.Errorf("the error names no file: %v", err)
		}
		return 1
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for kept, err := range j.Rooms(ctx) {
		if err != nil {
			harmed++
			continue
		}
		if end := checkLog(t, kept); end < 200 {
			harmed++
			if kept.Cut == "" {
				t.Errorf("room %s ends at %d and nothing is said", kept.Header.ID, end)
			}
		}
	}
	if err := j.Close(ctx); err != nil {
		harmed++
	}
	return harmed
}
