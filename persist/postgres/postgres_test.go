package postgres_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func open(t *testing.T, url string) *postgres.Store { return openWith(t, url, postgres.Options{}) }

func openWith(t *testing.T, url string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	url := pgtest.URL(t)
	s, ask := open(t, url), asker(t, url)
	persisttest.Run(t, func(t *testing.T) persist.Store { ask(emptied); return s })
}

func TestRatings(t *testing.T) {
	url := pgtest.URL(t)
	open(t, url)
	ask := asker(t, url)
	persisttest.RunRatings(t, func(t *testing.T) persisttest.Rated {
		ask(emptied)
		return persisttest.Rated{
			Open: func(rules persist.Ratings) persist.Store { return openWith(t, url, postgres.Options{Ratings: &rules}) },
			Age:  func() { ask(`UPDATE outcomes SET stored = stored - interval '24 hours'`) },
		}
	})
}

// emptied empties the tables of a store. A store and a database for each test would cost more than the tests, and TRUNCATE costs more
// than DELETE, because it makes new files for each table and index.
const emptied = `DO $$ BEGIN
	PERFORM set_config('session_replication_role', 'replica', true); -- here alone references are not looked at, for the order
	EXECUTE (SELECT string_agg('DELETE FROM ' || quote_ident(tablename), '; ')
	FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'); END $$`

// asker returns what runs statements on one connection, which ends with the test, and reads their rows into the variables if there are any.
func asker(t *testing.T, url string) func(sql string, into ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return func(sql string, into ...any) {
		t.Helper()
		var err error
		if len(into) == 0 {
			_, err = conn.Exec(t.Context(), sql)
		} else {
			err = conn.QueryRow(t.Context(), sql).Scan(into...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Bisection finds the finals that only the backend refuses.
func TestPoisonIsFoundByBisection(t *testing.T) {
	url := pgtest.URL(t)
	s := open(t, url)
	pgtest.Ask(t, url, `ALTER TABLE results ADD CHECK (summary <> 'poison')`)
	persisttest.Poison(t, s)
}

func TestSilentHolderIsFenced(t *testing.T) {
	url := pgtest.URL(t)
	s := open(t, url)
	persisttest.SilentHolder(t, s, func() { pgtest.Ask(t, url, `UPDATE boots SET heartbeat = heartbeat - interval '16 s'`) })
}

func TestALostNodeIsForgotten(t *testing.T) {
	url := pgtest.URL(t)
	s := open(t, url)
	persisttest.Forget(t, s, func() { pgtest.Ask(t, url, `UPDATE boots SET heartbeat = heartbeat - interval '16 s'`) })
}

func TestALostMemberIsForgotten(t *testing.T) {
	url := pgtest.URL(t)
	s := open(t, url)
	persisttest.ForgetMembers(t, s, func() { pgtest.Ask(t, url, `UPDATE boots SET heartbeat = heartbeat - interval '16 s'`) })
}

// Batches that write the same rooms in different orders must not wait for each other in a circle.
func TestBatchesCross(t *testing.T) {
	persisttest.Cross(t, openWith(t, pgtest.URL(t), postgres.Options{Tries: 1})) // with more tries the store would hide a deadlock
}

func TestAnOlderProgramLeavesNoStandby(t *testing.T) {
	url := pgtest.URL(t)
	persisttest.OlderProgram(t, open(t, url), func(query string) { pgtest.Ask(t, url, query) })
}

func TestNodesOpenAtOnce(t *testing.T) {
	url := pgtest.URL(t)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	group.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	url := pgtest.URL(t)
	open(t, url)
	pgtest.Ask(t, url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (10, true)`)
	_, err := postgres.Open(t.Context(), url, postgres.Options{})
	if newer, ok := errors.AsType[*persist.NewerSchemaError](err); !ok || newer.Store != 10 {
		t.Errorf("got %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	url := pgtest.URL(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct {
		url         string
		unreachable bool
	}{
		"refused":     {"postgres://me:hush@127.0.0.1:1/games", true},
		"silent":      {"postgres://me:hush@" + silent.Addr().String() + "/games", true},
		"no database": {url + "&dbname=nowhere", false},
		"not a URL":   {"postgres://me:hush@[::1/games", false},
	} {
		start := time.Now()
		_, err := postgres.Open(t.Context(), c.url, postgres.Options{Wait: 300 * time.Millisecond})
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		if _, ok := errors.AsType[*persist.UnreachableError](err); ok != c.unreachable {
			t.Errorf("%s: %v", name, err)
		}
		if strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: not one line without secrets: %q", name, err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		t.Logf("%s: %v", name, err)
	}
}

func TestPrune(t *testing.T) {
	url := pgtest.URL(t)
	persisttest.Prune(t, open(t, url), func() {
		pgtest.Ask(t, url, `UPDATE results SET stored = stored - interval '1 h'`)
		pgtest.Ask(t, url, `UPDATE replays SET stored = stored - interval '1 h'`)
	})
}

// Results are synced even if an operator has turned durable commits off for the whole database.
func TestCommitsAreSynced(t *testing.T) {
	url := pgtest.URL(t)
	pgtest.Ask(t, url, `ALTER DATABASE `+url[strings.LastIndex(url, "/")+1:strings.Index(url, "?")]+` SET synchronous_commit = off`)
	if setting := settingOf(t, url, "synchronous_commit"); setting != "on" {
		t.Errorf("synchronous_commit = %s", setting)
	}
}

// A process that freezes in the middle of a transaction holds its locks for seconds, not for ever.
func TestFrozenTransactionsEnd(t *testing.T) {
	url := pgtest.URL(t)
	if setting := settingOf(t, url, "idle_in_transaction_session_timeout"); setting != "10s" {
		t.Errorf("a transaction may idle for %s", setting)
	}
}

// settingOf is a setting of the server in a store's transactions.
func settingOf(t *testing.T, url, name string) (setting string) {
	t.Helper()
	s := open(t, url)
	pgtest.Ask(t, url, `
		CREATE TABLE seen (setting text);
		CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO seen VALUES (current_setting('`+name+`')); RETURN NEW; END $$;
		CREATE TRIGGER look BEFORE INSERT ON results FOR EACH ROW EXECUTE FUNCTION look()`)
	if _, err := s.WriteResults(t.Context(), []record.Final{persisttest.Game("chess", "ann", "bob")}); err != nil {
		t.Fatal(err)
	}
	pgtest.Ask(t, url, `SELECT setting FROM seen`, &setting)
	return setting
}

func TestPeople(t *testing.T) {
	url := pgtest.URL(t)
	s, ask := open(t, url), asker(t, url)
	persisttest.RunPeople(t, func(t *testing.T) persisttest.Looked {
		ask(emptied)
		return persisttest.Looked{Store: s, Rows: func() string { return allRows(ask) }, Do: func(query string) { ask(query) }}
	})
}

// allRows is every row of every table.
func allRows(ask func(sql string, into ...any)) string {
	var tables []string
	ask(`SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'`, &tables)
	var out strings.Builder
	for _, table := range tables {
		var rows string
		ask(`SELECT coalesce(string_agg(t::text, E'\n'), '') FROM `+table+` t`, &rows)
		out.WriteString(rows + "\n" + table + "\n")
	}
	return out.String()
}

// A start and a takeover ask whom 20,000 rooms name.
func TestRowsNamingIsIndexed(t *testing.T) {
	url := pgtest.URL(t)
	s := open(t, url)
	pgtest.Ask(t, url, `
		INSERT INTO rooms (room, game, epoch, state, boot, folder, standby, standby_epoch, code, private, nonce)
		SELECT lpad(i::text, 16, '0'), 'chess', 1, CASE WHEN i % 2 = 0 THEN 'live' ELSE 'over' END, 'b', 'f' || i % 8, 'f' || (i + 2) % 8, 1, '', false, ''
		FROM generate_series(1, 20000) i`)
	pgtest.Ask(t, url, `ANALYZE rooms`)
	var after room.ID
	n := 0
	for {
		page, err := s.RowsNaming(t.Context(), []string{"f2", "f4"}, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		n, after = n+len(page), page[len(page)-1].Room
	}
	if n != 7500 { // 2,500 as owner, 2,500 as owner or as the other's standby, 2,500 as standby
		t.Errorf("%d rows", n)
	}
	plan := planOf(t, url, postgres.RowsNamingSQL, []string{"f2", "f4"}, room.ID(""), 500)
	for _, index := range []string{"rooms_folder", "rooms_standby", "rooms_pkey"} {
		if !strings.Contains(plan, index) {
			t.Errorf("%s is not used:\n%s", index, plan)
		}
	}
	if strings.Contains(plan, "Seq Scan") {
		t.Errorf("all rooms are read:\n%s", plan)
	}
}

func planOf(t *testing.T, url, sql string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, _ := conn.Query(t.Context(), `EXPLAIN `+sql, args...)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestOutbox(t *testing.T) {
	url := pgtest.URL(t)
	s, ask := openWith(t, url, postgres.Options{Subscribers: persisttest.Told, Tries: 1}), asker(t, url)
	persisttest.RunOutbox(t, func(t *testing.T) persisttest.Aged {
		ask(emptied)
		return persisttest.Aged{Store: s, Age: func() {
			ask(`UPDATE outbox SET since = since - interval '24 hours', settled = settled - interval '24 hours'`)
		}}
	})
}
