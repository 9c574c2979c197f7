package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room/record"
)

func open(t *testing.T, path string) *sqlite.Store { return openWith(t, path, sqlite.Options{}) }

func openWith(t *testing.T, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.OpenWith(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	persisttest.Run(t, func(t *testing.T) persist.Store { return open(t, filepath.Join(t.TempDir(), "store.db")) })
}

func TestRatings(t *testing.T) {
	persisttest.RunRatings(t, func(t *testing.T) persisttest.Rated {
		path := filepath.Join(t.TempDir(), "store.db")
		return persisttest.Rated{
			Open: func(rules persist.Ratings) persist.Store { return openWith(t, path, sqlite.Options{Ratings: &rules}) },
			Age:  func() { execute(t, path, `UPDATE outcomes SET stored = stored - 86400000000`) },
		}
	})
}

func execute(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

// Bisection finds the finals that only the backend refuses.
func TestPoisonIsFoundByBisection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	execute(t, path, `CREATE TRIGGER poison BEFORE INSERT ON results WHEN NEW.summary = 'poison' BEGIN SELECT RAISE (ABORT, 'poison'); END`)
	persisttest.Poison(t, s)
}

func TestSilentHolderIsFenced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	persisttest.SilentHolder(t, s, func() { execute(t, path, `UPDATE boots SET heartbeat = heartbeat - 16000000`) })
}

func TestALostNodeIsForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	persisttest.Forget(t, s, func() { execute(t, path, `UPDATE boots SET heartbeat = heartbeat - 16000000`) })
}

func TestALostMemberIsForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	persisttest.ForgetMembers(t, s, func() { execute(t, path, `UPDATE boots SET heartbeat = heartbeat - 16000000`) })
}

// Batches that write the same rooms in different orders must not wait for each other in a circle.
func TestBatchesCross(t *testing.T) {
	persisttest.Cross(t, open(t, filepath.Join(t.TempDir(), "store.db")))
}

func TestAnOlderProgramLeavesNoStandby(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	persisttest.OlderProgram(t, open(t, path), func(query string) { execute(t, path, query) })
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	open(t, path)
	execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (10, true)`)
	_, err := sqlite.Open(t.Context(), path)
	if newer, ok := errors.AsType[*persist.NewerSchemaError](err); !ok || newer.Store != 10 {
		t.Errorf("got %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a folder": dir, "not a database": text, "below a file": filepath.Join(text, "store.db")} {
		_, err := sqlite.Open(t.Context(), path)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOddPaths(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a dir?x=1#%20", "störe.db")
	s := open(t, path)
	persisttest.Started(t, s)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	persisttest.Started(t, open(t, "data/store.db"))
	if _, err := os.Stat("data/store.db"); err != nil {
		t.Error(err)
	}
}

func TestPrune(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	persisttest.Prune(t, open(t, path), func() {
		execute(t, path, `UPDATE results SET stored = stored - 3600000000; UPDATE replays SET stored = stored - 3600000000`)
	})
}

// Nodes look for released rooms every few seconds, so that must not search all rooms there ever were.
func TestRowsByStateAreIndexed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, state := range []record.RowState{record.RowLive, record.RowReleased} {
		var id, parent, unused int
		var plan string
		term := persist.RowFilter{State: state}.StateTerm("?1")
		err := db.QueryRowContext(t.Context(), `EXPLAIN QUERY PLAN SELECT * FROM rooms WHERE `+term+` AND (?2 = '' OR folder = ?2)
			AND room > ?3 ORDER BY room LIMIT ?4`, state, "", "", 10).Scan(&id, &parent, &unused, &plan)
		if err != nil || !strings.Contains(plan, "rooms_unfinished (state=? AND room>?)") {
			t.Errorf("%s: %s, %v", state, plan, err)
		}
	}
}

// A start and a takeover ask whom 20,000 rooms name.
func TestRowsNamingIsIndexed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	execute(t, path, `
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO rooms (room, game, epoch, state, boot, folder, standby, standby_epoch, code, private, nonce, created)
		SELECT printf('%016d', i), 'chess', 1, iif(i % 2 = 0, 'live', 'over'), 'b', 'f' || (i % 8), 'f' || ((i + 2) % 8), 1, '', 0, '', 0 FROM n`)
	rows, err := s.RowsNaming(t.Context(), []string{"f2", "f4"}, "", 10_000)
	if err != nil || len(rows) != 7500 { // 2,500 as owner, 2,500 as owner or as the other's standby, 2,500 as standby
		t.Errorf("%d rows, %v", len(rows), err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lines, err := db.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+sqlite.RowsNamingSQL, `["f2","f4"]`, "", 500)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	var plan strings.Builder
	for lines.Next() {
		var id, parent, unused int
		var line string
		if err := lines.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, line)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, use := range []string{"rooms_folder (folder=? AND room>?)", "rooms_standby (standby=? AND room>?)"} {
		if !strings.Contains(plan.String(), use) {
			t.Errorf("%s is not used:\n%s", use, &plan)
		}
	}
	if strings.Contains(plan.String(), "SCAN rooms") {
		t.Errorf("all rooms are read:\n%s", &plan)
	}
}

// TestLockThatStaysIsExplained has another process begin a write and not end it.
func TestLockThatStaysIsExplained(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	frozen, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	boot := persist.Boot{ID: "b", Node: "n", Folder: "f", Host: "h", PID: 1, Path: "p"}
	if err := s.StartBoot(t.Context(), boot); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a write beside one that does not end: %v", err)
	}
	if err := frozen.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.StartBoot(t.Context(), boot); err != nil {
		t.Errorf("when it has ended: %v", err)
	}
}

func TestPeople(t *testing.T) {
	persisttest.RunPeople(t, func(t *testing.T) persisttest.Looked {
		path := filepath.Join(t.TempDir(), "store.db")
		return persisttest.Looked{
			Store: open(t, path), Rows: func() string { return allRows(t, path) }, Do: func(query string) { execute(t, path, query) },
		}
	})
}

// allRows is every row of every table.
func allRows(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(query string, width int) (all [][]any) {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if columns, err := rows.Columns(); width == 0 && err == nil {
			width = len(columns)
		}
		for rows.Next() {
			row := make([]any, width)
			into := make([]any, width)
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			all = append(all, row)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	var out strings.Builder
	for _, table := range query(`SELECT name FROM sqlite_master WHERE type = 'table'`, 1) {
		for _, row := range query(fmt.Sprintf(`SELECT * FROM %q`, table[0]), 0) {
			for _, v := range row {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				fmt.Fprintf(&out, "%v ", v)
			}
			fmt.Fprintln(&out, table[0])
		}
	}
	return out.String()
}

func TestOutbox(t *testing.T) {
	persisttest.RunOutbox(t, func(t *testing.T) persisttest.Aged {
		path := filepath.Join(t.TempDir(), "store.db")
		return persisttest.Aged{
			Store: openWith(t, path, sqlite.Options{Subscribers: persisttest.Told}),
			Age: func() {
				execute(t, path, `UPDATE outbox SET since = since - 86400000000, settled = settled - 86400000000`)
			},
		}
	})
}
