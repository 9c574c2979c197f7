package journal_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
)

// sqlExec changes a closed journal behind its back and answers how many rows it changed.
func sqlExec(t *testing.T, dir, query string, args ...any) int {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := result.RowsAffected()
	return int(n)
}

func sqlCount(t *testing.T, dir, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDamagedLogIsCut(t *testing.T) {
	id := roomID(1)
	for _, c := range []struct {
		name, query string
		end         room.Index // of what is whole
		cut         int        // rows that are moved away
		snapshots   int
	}{
		{"flipped tail", `UPDATE batches SET entries = substr(entries, 1, 5) || 'X' || substr(entries, 7) WHERE first = 9`, 8, 1, 2},
		{"shortened tail", `UPDATE batches SET entries = substr(entries, 1, 5) WHERE first = 9`, 8, 1, 2},
		{"flipped middle", `UPDATE batches SET entries = zeroblob(length(entries)) WHERE first = 5`, 4, 3, 1},
		{"a hole", `DELETE FROM batches WHERE first = 3`, 2, 3, 0},
		{"a wrong end", `UPDATE batches SET last = 77 WHERE first = 3`, 2, 4, 0},
		{"a wrong start", `UPDATE batches SET first = 4 WHERE first = 5`, 4, 3, 1},
		{"a wrong epoch", `UPDATE batches SET epoch = 9 WHERE first = 5`, 4, 3, 1},
		{"a wrong time", `UPDATE batches SET time = 9 WHERE first = 5`, 4, 3, 1},
		{"not a number", `UPDATE batches SET time = 'x' WHERE first = 5`, 4, 3, 1},
		{"nothing left", `UPDATE batches SET sum = 0 WHERE true`, 0, 5, 0},
		{"a vanished tail", `DELETE FROM batches WHERE first = 9`, 8, 0, 2},
		{"a lost tail", `DELETE FROM batches WHERE first > 5`, 6, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			n := open(t, dir, journal.Options{})
			n.create(id, roomID(2))
			for i := room.Index(1); i < 10; i += 2 {
				var snapshot *room.Snapshot
				if i == 3 || i == 7 {
					snapshot = &room.Snapshot{Room: id, Epoch: 1, Index: i + 1, Data: []byte("state")}
				}
				n.append(batch(id, 1, i, i+1), snapshot)
			}
			n.append(batch(roomID(2), 1, 1, 4), nil)
			n.close()
			sqlExec(t, dir, c.query+` AND key = 1`)

			for range 2 { // until it is claimed the cut is told again
				n = open(t, dir, journal.Options{})
				kept := n.load(id)
				if end := checkLog(t, kept); end != c.end || kept.Cut == "" || len(kept.Snapshots) != c.snapshots {
					t.Errorf("the log ends at %d, cut %q, %d snapshots", end, kept.Cut, len(kept.Snapshots))
				}
				n.close()
			}
			if got := sqlCount(t, dir, `SELECT count(*) FROM cut_batches WHERE key = 1`); got != c.cut {
				t.Errorf("%d rows are kept of what was cut, want %d", got, c.cut)
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
		})
	}
}

// TestNoRoomIsHeldToAnothersEnd kills two lives before they note where logs end: the first has removed the newest room, the
// second has made another one.
func TestNoRoomIsHeldToAnothersEnd(t *testing.T) {
	dir := t.TempDir()
	kept, gone, next := roomID(1), roomID(2), roomID(3)
	n := open(t, dir, journal.Options{})
	n.create(kept, gone)
	n.append(batch(kept, 1, 1, 5), nil)
	n.append(batch(gone, 1, 1, 100), nil)
	n.close()
	// A kill leaves the ends as they were noted last.
	sqlExec(t, dir, `CREATE TABLE noted AS SELECT * FROM ends`)
	kill := func() { sqlExec(t, dir, `UPDATE ends SET (data, sum) = (SELECT data, sum FROM noted)`) }

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
	n.append(batch(id, 1, 1, 2), &room.Snapshot{Room: id, Epoch: 1, Index: 2, Data: []byte("older")})
	n.append(batch(id, 1, 3, 4), &room.Snapshot{Room: id, Epoch: 1, Index: 4, Data: []byte("newer")})
	n.close()
	sqlExec(t, dir, `UPDATE snapshots SET data = 'never' WHERE idx = 4`)
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
	sqlExec(t, dir, `UPDATE rooms SET header = replace(CAST(header AS TEXT), 'chess', 'chexs') WHERE key = 2`)
	n = open(t, dir, journal.Options{})
	var well []room.ID
	for kept, err := range n.Rooms(within(t)) {
		if err == nil {
			well = append(well, kept.Header.ID)
			continue
		}
		e, ok := errors.AsType[*journal.DamagedError](err)
		if !ok || !errors.Is(err, room.ErrDamaged) || e.Room != roomID(2) || kept.Header.ID != roomID(2) {
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

// A row that stands under another room is not believed.
func TestRowsDoNotPassForOthers(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.create(roomID(1), roomID(2))
	n.append(batch(roomID(1), 1, 1, 2), nil)
	n.close()
	sqlExec(t, dir, `UPDATE batches SET key = 2`)
	n = open(t, dir, journal.Options{})
	if kept := n.load(roomID(2)); kept.Cut == "" || len(kept.Batches) != 0 {
		t.Errorf("kept %+v", kept)
	}
}

// Bytes flipped anywhere behind the first page may cost rooms or the whole database, with a clear
// error, but what is given back is always what was written.
func TestFlippedBytesAreNeverBelieved(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "journal.db")
	n := open(t, dir, journal.Options{})
	for i := range 20 {
		n.create(roomID(i))
		for at := room.Index(1); at < 200; at += 10 {
			n.append(batch(roomID(i), 1, at, at+9), nil)
		}
	}
	n.close()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	harmed := 0
	for range 40 {
		torn := slices.Clone(whole)
		for range 1 + rand.N(8) {
			torn[4096+rand.N(len(torn)-4096)] ^= byte(1 + rand.N(255))
		}
		for _, side := range []string{"-wal", "-shm"} {
			os.Remove(file + side)
		}
		if err := os.WriteFile(file, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		harmed += readTorn(t, dir)
	}
	if harmed == 0 {
		t.Error("no flip was noticed")
	}
}

// readTorn reads all that a damaged journal gives and counts what it does not.
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
