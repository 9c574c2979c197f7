package journal_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// earlierTables are the tables of earlier versions.
const earlierTables = `
CREATE TABLE lives (life INTEGER PRIMARY KEY, elapsed INTEGER NOT NULL);
CREATE TABLE rooms (key INTEGER PRIMARY KEY, room TEXT NOT NULL, header BLOB NOT NULL, sum INTEGER NOT NULL, epoch INTEGER NOT NULL,
	life INTEGER NOT NULL DEFAULT 0, clock_offset INTEGER NOT NULL DEFAULT 0, clock_floor INTEGER NOT NULL DEFAULT 0, cut TEXT NOT NULL DEFAULT '',
	aside_at INTEGER, aside_reason TEXT);
CREATE UNIQUE INDEX rooms_live ON rooms (room) WHERE aside_at IS NULL;
CREATE TABLE batches (key INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, epoch INTEGER NOT NULL, time INTEGER NOT NULL,
	entries BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (key, first)) WITHOUT ROWID;
CREATE TABLE snapshots (key INTEGER NOT NULL, idx INTEGER NOT NULL, epoch INTEGER NOT NULL, data BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (key, idx));
CREATE TABLE ends (one INTEGER PRIMARY KEY CHECK (one = 1), data BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE cut_batches (at INTEGER, key INTEGER, first, last, epoch, time, entries, sum);
CREATE TABLE cut_snapshots (at INTEGER, key INTEGER, idx, epoch, data, sum);
CREATE TABLE tries (room TEXT NOT NULL, fingerprint INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (room, fingerprint)) WITHOUT ROWID;
CREATE TABLE counted (one INTEGER PRIMARY KEY CHECK (one = 1), generation TEXT NOT NULL);
PRAGMA user_version = 1; PRAGMA application_id = 1381132908;`

// earlierDB is a database of an earlier version, open for writing.
type earlierDB struct {
	*sql.DB
	t testing.TB
}

func openEarlier(t testing.TB, dir string) earlierDB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "journal.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return earlierDB{db, t}
}

func (db earlierDB) exec(query string, args ...any) {
	db.t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		db.t.Fatal(err)
	}
}

func (db earlierDB) room(key int, kept record.Kept, life int, offset time.Duration) {
	db.t.Helper()
	h, err := json.Marshal(kept.Header)
	if err != nil {
		db.t.Fatal(err)
	}
	id := kept.Header.ID
	db.exec(`INSERT INTO rooms (key, room, header, sum, epoch, life, clock_offset, clock_floor) VALUES (?, ?, ?, ?, ?, ?, ?, 5)`,
		key, string(id), h, journal.EarlierSum(id, h), int64(kept.Epoch), life, int64(offset))
	for _, b := range kept.Batches {
		db.exec(`INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)`, key, int64(b.First), int64(b.Last), int64(b.Epoch), int64(b.Time), b.Entries,
			journal.EarlierSum(id, b.Entries, uint64(b.First), uint64(b.Last), uint64(b.Epoch), uint64(b.Time)))
	}
	for _, s := range kept.Snapshots {
		db.exec(`INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)`, key, int64(s.Index), int64(s.Epoch), s.Data,
			journal.EarlierSum(id, s.Data, uint64(s.Index), uint64(s.Epoch)))
	}
}

// earlierFolder makes a data folder as an earlier version left it: live rooms 1 to 40, room 50 set aside, one in which a process died.
func earlierFolder(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	folder, err := journal.OpenFolder(dir, journal.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	folder.Close()
	setIdentity(t, dir, 1)
	db := openEarlier(t, dir)
	defer db.Close()
	db.exec(earlierTables)
	db.exec(`BEGIN`)
	defer db.exec(`COMMIT`)
	db.exec(`INSERT INTO lives VALUES (3, ?), (4, ?)`, int64(100*time.Second), int64(time.Second))
	var ends []byte
	for i := 1; i <= 40; i++ {
		kept := fromElsewhere(roomID(i), 3, room.Index(10+i))
		db.room(i, kept, 3, 10*time.Second)
		ends = binary.LittleEndian.AppendUint64(ends, uint64(i))
		ends = binary.LittleEndian.AppendUint64(ends, uint64(kept.Last()))
	}
	db.exec(`INSERT INTO ends VALUES (1, ?, ?)`, ends, journal.EarlierSum("", ends))
	db.room(50, fromElsewhere(roomID(50), 2, 30), 3, 20*time.Second)
	db.exec(`UPDATE rooms SET aside_at = ?, aside_reason = 'moved on', life = 0 WHERE key = 50`, time.Now().UnixMilli())
	db.exec(`INSERT INTO tries VALUES (?, 42, 1)`, string(roomID(7)))
	db.exec(`INSERT INTO counted VALUES (1, 'some box')`)
	return dir
}

// setIdentity changes the format in a folder's identity.
func setIdentity(t testing.TB, dir string, format int) {
	t.Helper()
	path := filepath.Join(dir, "identity.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var id map[string]any
	if err := json.Unmarshal(text, &id); err != nil {
		t.Fatal(err)
	}
	id["format"] = format
	delete(id, "inode")
	// the inode is a number too large for a float
	var whole struct {
		Inode uint64 `json:"inode"`
	}
	json.Unmarshal(text, &whole)
	id["inode"] = whole.Inode
	text, _ = json.Marshal(id)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkConverted checks everything that earlierFolder made.
func checkConverted(t *testing.T, n *node) {
	t.Helper()
	seen := 0
	for kept, err := range n.Rooms(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		var i int
		for i = 1; roomID(i) != kept.Header.ID; i++ {
		}
		want := fromElsewhere(roomID(i), 3, room.Index(10+i))
		want.Time = 90 * time.Second
		if kept.Header.Seed != want.Header.Seed || !kept.Header.Created.Equal(want.Header.Created) {
			t.Errorf("room %d: header %+v", i, kept.Header)
		}
		kept.Header, want.Header = record.Header{}, record.Header{}
		if !reflect.DeepEqual(kept, want) {
			t.Errorf("room %d: %+v, want %+v", i, kept, want)
		}
	}
	if seen != 40 {
		t.Errorf("%d rooms came over", seen)
	}
	list, err := n.ListAside(within(t))
	if err != nil || len(list) != 1 || list[0].Room != roomID(50) || list[0].Reason != "moved on" || list[0].Last != 30 || list[0].Key != 50 || list[0].Bytes == 0 {
		t.Fatalf("set aside: %+v, %v", list, err)
	}
	kept, err := n.LoadAside(within(t), 50)
	if err != nil || checkLog(t, kept) != 30 || len(kept.Snapshots) != 2 {
		t.Errorf("set aside: %+v, %v", kept, err)
	}
	if p, poisoned := n.BlackBox().Poisoned(roomID(7)); p.Tries != 1 || poisoned {
		t.Errorf("tries: %+v", p)
	}
}

func databaseIsGone(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"journal.db", "journal.db-wal", "journal.db-shm", "journal.db.damaged", "journal.new", "journal.new.new"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}

func TestEarlierJournalIsConverted(t *testing.T) {
	dir := earlierFolder(t)
	n := open(t, dir, journal.Options{})
	checkConverted(t, n)
	databaseIsGone(t, dir)
	if err := n.SetClock(roomID(1), 0); err != nil {
		t.Fatal(err)
	}
	n.append(batch(roomID(1), 4, 12, 13), nil)
	n.create(roomID(99))
	n.close()
	n = open(t, dir, journal.Options{})
	if end := checkLog(t, n.load(roomID(1))); end != 13 {
		t.Errorf("after going on the log ends at %d", end)
	}
	if got := n.Stats().Rooms; got != 41 {
		t.Errorf("%d rooms", got)
	}
	n.close()

	// An earlier program must not conclude that there are no rooms.
	text, err := os.ReadFile(filepath.Join(dir, "identity.json"))
	if err != nil || !strings.Contains(string(text), `"format":2`) {
		t.Errorf("the folder says %s, %v", text, err)
	}
}

// TestConversionGoesOnAfterAKill converts from every state in which a killed process can leave the folder.
func TestConversionGoesOnAfterAKill(t *testing.T) {
	copyTree := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	whole := func(t *testing.T) string {
		dir := earlierFolder(t)
		open(t, dir, journal.Options{}).close()
		return filepath.Join(dir, "journal")
	}
	for name, leave := range map[string]func(t *testing.T, dir string){
		"half of the new one": func(t *testing.T, dir string) {
			copyTree(t, whole(t), filepath.Join(dir, "journal.new"))
			for i, name := range filesLike(t, filepath.Dir(whole(t)), ".log") {
				if i%2 == 0 {
					os.Truncate(filepath.Join(dir, "journal.new", "rooms", filepath.Base(name)), 20)
				}
			}
		},
		"before the word": func(t *testing.T, dir string) {
			// An older program has changed the database since.
			copyTree(t, whole(t), filepath.Join(dir, "journal"))
			db := openEarlier(t, dir)
			defer db.Close()
			db.exec(`DELETE FROM rooms WHERE key = 40`)
			db.room(41, fromElsewhere(roomID(40), 3, 50), 3, 10*time.Second)
		},
		"before the old one was removed": func(t *testing.T, dir string) {
			copyTree(t, whole(t), filepath.Join(dir, "journal"))
			os.WriteFile(filepath.Join(dir, "journal", "taken"), []byte("whole"), 0o600)
			setIdentity(t, dir, 2)
			db := openEarlier(t, dir)
			defer db.Close()
			db.exec(`DELETE FROM rooms`) // nobody looks at it any more
		},
		"half of the old one was removed": func(t *testing.T, dir string) {
			copyTree(t, whole(t), filepath.Join(dir, "journal"))
			os.WriteFile(filepath.Join(dir, "journal", "taken"), []byte("whole"), 0o600)
			setIdentity(t, dir, 2)
			for _, side := range []string{"-wal", "-shm"} {
				os.Remove(filepath.Join(dir, "journal.db"+side))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := earlierFolder(t)
			leave(t, dir)
			n := open(t, dir, journal.Options{})
			checkConverted(t, n)
			databaseIsGone(t, dir)
			n.close()
			checkConverted(t, open(t, dir, journal.Options{}))
		})
	}
}

// TestKilledWhileConverting kills a process at any time of a conversion, again and again. The last start has everything.
func TestKilledWhileConverting(t *testing.T) {
	for range 4 {
		dir := earlierFolder(t)
		for range 6 {
			c := start(t, "takeover", dir)
			time.AfterFunc(rand.N(60*time.Millisecond), func() { c.Process.Kill() })
			c.Wait()
		}
		n := open(t, dir, journal.Options{})
		checkConverted(t, n)
		databaseIsGone(t, dir)
		n.close()
	}
}

// takeOver opens a journal and ends at once, like a process that is killed right after the conversion.
func takeOver(dir string) { mustOpen(dir) }

// TestDamagedEarlierJournal checks that damage is reported as the version before would have, and that the file is kept.
func TestDamagedEarlierJournal(t *testing.T) {
	dir := earlierFolder(t)
	db := openEarlier(t, dir)
	db.exec(`UPDATE batches SET entries = zeroblob(length(entries)) WHERE key = 1 AND first = 6`)
	db.exec(`UPDATE rooms SET header = replace(CAST(header AS TEXT), 'chess', 'chexs') WHERE key = 2`)
	db.exec(`DELETE FROM batches WHERE key = 3 AND first = 11`)
	db.exec(`UPDATE batches SET time = 'x' WHERE key = 4 AND first = 6`)
	db.exec(`UPDATE snapshots SET data = 'never' WHERE key = 5 AND idx = 15`)
	db.exec(`UPDATE rooms SET cut = 'it was cut before' WHERE key = 6`)
	db.exec(`UPDATE rooms SET epoch = 'x' WHERE key = 8`)
	db.exec(`DELETE FROM batches WHERE key = 50 AND first = 11`)
	db.Close()
	var log strings.Builder
	n := open(t, dir, journal.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for i, cut := range map[int]string{1: "the batch from entry 6 on fails its checksum", 3: "the entries from 11 on are missing", 4: "the batch from entry 6 on cannot be read", 6: "it was cut before"} {
		if kept := n.load(roomID(i)); !strings.HasPrefix(kept.Cut, cut) {
			t.Errorf("room %d: cut because %q, want %q", i, kept.Cut, cut)
		}
	}
	for _, i := range []int{2, 8} {
		if _, err := n.Load(within(t), roomID(i)); !errors.Is(err, record.ErrDamaged) {
			t.Errorf("room %d: %v", i, err)
		}
	}
	if kept := n.load(roomID(5)); kept.Cut != "" || len(kept.Snapshots) != 1 {
		t.Errorf("room 5: %+v", kept)
	}
	if kept := n.load(roomID(9)); kept.Cut != "" || checkLog(t, kept) != 19 {
		t.Errorf("room 9: %+v", kept)
	}
	if kept, err := n.LoadAside(within(t), 50); err != nil || kept.Cut == "" || kept.Last() != 10 {
		t.Errorf("set aside: %+v, %v", kept, err)
	}
	n.close()
	if _, err := os.Stat(filepath.Join(dir, "journal.db.damaged")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "journal.db.damaged") {
		t.Errorf("the log does not name what is kept:\n%s", log.String())
	}
	n = open(t, dir, journal.Options{KeepAside: time.Nanosecond})
	defer n.close()
	if _, err := os.Stat(filepath.Join(dir, "journal.db.damaged")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the retention: %v", err)
	}
}

// TestDatabaseOfANewerFormat checks that a database of an unknown format is refused and left as it is.
func TestDatabaseOfANewerFormat(t *testing.T) {
	dir := earlierFolder(t)
	db := openEarlier(t, dir)
	db.exec(`PRAGMA user_version = 99`)
	db.Close()
	before, _ := os.ReadFile(filepath.Join(dir, "journal.db"))
	folder := openFolder(t, dir, journal.FolderOptions{})
	_, err := journal.Open(context.Background(), folder, journal.Options{})
	if e, ok := errors.AsType[*journal.NewerError](err); !ok || e.Has != 99 {
		t.Errorf("%v", err)
	}
	after, _ := os.ReadFile(filepath.Join(dir, "journal.db"))
	if !bytes.Equal(before, after) {
		t.Error("the database was changed")
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "identity.json")); !strings.Contains(string(text), `"format":1`) {
		t.Errorf("the identity was changed: %s", text)
	}
}

// TestConversionOfAnEmptyFile converts what a process leaves that is killed when it has just created the file.
func TestConversionOfAnEmptyFile(t *testing.T) {
	dir := earlierFolder(t)
	for _, side := range []string{"-wal", "-shm", ""} {
		os.Remove(filepath.Join(dir, "journal.db"+side))
	}
	if err := os.WriteFile(filepath.Join(dir, "journal.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n := open(t, dir, journal.Options{})
	if got := n.Stats().Rooms; got != 0 {
		t.Errorf("%d rooms", got)
	}
	databaseIsGone(t, dir)
}
