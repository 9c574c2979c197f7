package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// answer is what a store says to a call about one room.
type answer struct {
	row record.Row
	err error
}

// asked makes a call beside the test. end ends the caller's patience.
func asked(t *testing.T, call func(ctx context.Context) (record.Row, error)) (answers <-chan answer, end context.CancelFunc) {
	ctx, end := context.WithCancel(t.Context())
	out := make(chan answer, 1)
	go func() {
		row, err := call(ctx)
		out <- answer{row, err}
	}()
	return out, end
}

func claiming(s persist.Store, boot record.BootID, c record.Claim) func(context.Context) (record.Row, error) {
	return func(ctx context.Context) (record.Row, error) {
		results, err := s.ClaimRows(ctx, boot, []record.Claim{c})
		if err != nil {
			return record.Row{}, err
		}
		return results[0].Row, results[0].Err
	}
}

func reading(s persist.Store, id room.ID) func(context.Context) (record.Row, error) {
	return func(ctx context.Context) (record.Row, error) {
		rows, err := s.Rows(ctx, []room.ID{id})
		if err != nil {
			return record.Row{}, err
		}
		return rows[0], nil
	}
}

func reached(t *testing.T, what string, answers <-chan answer, epoch record.Epoch) {
	t.Helper()
	if a := testwait.Receive(t, what, answers); a.err != nil || a.row.Epoch != epoch {
		t.Fatalf("%s: %+v, want epoch %d", what, a, epoch)
	}
}

func refused(t *testing.T, what string, answers <-chan answer) {
	t.Helper()
	if a := testwait.Receive(t, what, answers); a.err == nil {
		t.Fatalf("%s was answered, and is not replicated: %+v", what, a.row)
	}
}

// waiting waits until so many commits wait for replication.
func waiting(t *testing.T, url string, n int) {
	t.Helper()
	testwait.Until(t, fmt.Sprintf("%d commits wait for replication", n), func() bool { return len(waits(t, url)) == n })
}

// waits is when each transaction began that waits for replication.
func waits(t *testing.T, url string) (began []time.Time) {
	t.Helper()
	pgtest.Ask(t, url, `SELECT coalesce(array_agg(xact_start), '{}') FROM pg_stat_activity WHERE wait_event = 'SyncRep'`, &began)
	return began
}

// cancel cancels all commits that wait for replication, and returns when others wait in their place.
func cancel(t *testing.T, url string) {
	t.Helper()
	before := waits(t, url)
	pgtest.Ask(t, url, `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`, new(int))
	testwait.Until(t, "the cancelled ask again", func() bool {
		now := waits(t, url)
		return len(now) == len(before) && !slices.ContainsFunc(now, func(t time.Time) bool { return slices.ContainsFunc(before, t.Equal) })
	})
}

// holds waits until the server lets commits wait for a replica. It learns of a setting some time after it was changed.
func holds(t *testing.T, url string) {
	t.Helper()
	testwait.Until(t, "commits wait for replication", func() bool {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if conn, err := pgx.Connect(t.Context(), url); err == nil {
				conn.Exec(t.Context(), `SELECT pg_logical_emit_message(true, 'test', '')`)
				conn.Close(context.Background())
			}
		}()
		for {
			select {
			case <-done:
				return false
			case <-time.After(10 * time.Millisecond):
			}
			if len(waits(t, url)) > 0 {
				pgtest.Ask(t, url, `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`, new(int))
				<-done
				return true
			}
		}
	})
}

func shows(t *testing.T, s persist.Store, id room.ID, epoch record.Epoch) {
	t.Helper()
	testwait.Until(t, fmt.Sprintf("a reader sees epoch %d", epoch), func() bool {
		r, err := s.Row(t.Context(), id)
		return err == nil && r.Epoch == epoch
	})
}

func oneRoom(t *testing.T, s persist.Store) (persist.Boot, record.Row) {
	t.Helper()
	b := persisttest.Started(t, s)
	r := persisttest.NewRow(b)
	if results, err := s.CreateRows(t.Context(), b.ID, []record.Row{r}); err != nil || results[0].Err != nil {
		t.Fatal(results, err)
	}
	return b, r
}

func claimOf(r record.Row, b persist.Boot) record.Claim {
	return record.Claim{Room: r.Room, FromEpoch: r.Epoch, FromFolder: r.Folder, FromState: r.State,
		Epoch: r.Epoch + 1, Folder: b.Folder, Nonce: persisttest.Nonce()}
}

var patient = postgres.Options{Tries: 10_000, Retry: clock.Backoff{Max: 100 * time.Millisecond}}

// Whoever cancels the wait for a replica makes a change visible that a failover undoes. Nobody hears of it as done.
func TestACancelledWaitIsNoSuccess(t *testing.T) {
	server := pgtest.New(t)
	url := server.URL(t)
	t.Run("straight", func(t *testing.T) { cancelWaits(t, server, url, url) })
	t.Run("behind PgBouncer", func(t *testing.T) { cancelWaits(t, server, url, pgtest.Pooled(t, url)) })
}

// cancelWaits cancels the waits of a store that is opened through another URL.
func cancelWaits(t *testing.T, server *pgtest.Server, url, through string) {
	s := openWith(t, through, patient)
	b, r := oneRoom(t, s)
	server.Configure(t, "synchronous_standby_names", "nobody")
	holds(t, url)

	claim := claimOf(r, b)
	claimed, end := asked(t, claiming(s, b.ID, claim))
	waiting(t, url, 1)
	shows(t, s, r.Room, 1)
	end() // the caller's patience: its connection cancels the wait
	refused(t, "a claim", claimed)
	shows(t, s, r.Room, 2)

	claimed, _ = asked(t, claiming(s, b.ID, claim)) // finds its nonce
	waiting(t, url, 1)
	read, _ := asked(t, reading(s, r.Room))
	waiting(t, url, 2)
	cancel(t, url) // an operator
	select {
	case a := <-claimed:
		t.Fatalf("a claim that was cancelled twice was answered: %+v", a)
	case a := <-read:
		t.Fatalf("a read that was cancelled was answered: %+v", a)
	default:
	}
	server.Configure(t, "synchronous_standby_names", "")
	reached(t, "the claim", claimed, 2)
	reached(t, "the read", read, 2)
}

// TestFailover kills a server whose commit was cancelled while it waited for its replica, and goes on with the replica.
func TestFailover(t *testing.T) {
	primary := pgtest.New(t)
	database := primary.URL(t)
	replica := primary.Replica(t, "copy")
	pgtest.Ask(t, database, `CREATE ROLE games LOGIN`)
	pgtest.Ask(t, database, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO games', current_database()); END $$`)
	s := openWith(t, strings.Replace(pgtest.Either(t, database, replica), "postgres@", "games@", 1), patient) // who needs no special right
	primary.Configure(t, "synchronous_standby_names", "copy")
	testwait.Until(t, "the replica is synchronous", func() bool {
		var sync int
		pgtest.Ask(t, database, `SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`, &sync)
		return sync == 1
	})
	b, r := oneRoom(t, s)
	done := persisttest.Game("chess", "ann", "bob")
	if v, err := s.WriteResults(t.Context(), []record.Final{done}); err != nil || v[0].Outcome != persist.Written {
		t.Fatal(v, err)
	}
	before, err := s.Timeline(t.Context())
	if err != nil || before == "" {
		t.Fatal(before, err)
	}

	replica.Kill(t)
	holds(t, database)
	claim := claimOf(r, b)
	claimed, end := asked(t, claiming(s, b.ID, claim))
	waiting(t, database, 1)
	end()
	refused(t, "a claim", claimed)
	shows(t, s, r.Room, 2) // which no answer says
	read, _ := asked(t, reading(s, r.Room))
	waiting(t, database, 1)

	primary.Kill(t)
	replica.Start(t)
	replica.Promote(t)
	reached(t, "the read that waited", read, 1) // the claim is undone
	after, err := s.Timeline(t.Context())
	if err != nil || after == before {
		t.Errorf("the timeline was %s and is %s, %v", before, after, err)
	}
	claimed, _ = asked(t, claiming(s, b.ID, claim))
	reached(t, "the claim again", claimed, 2)
	persisttest.Audit(t, s, []record.Final{done})
	if err := s.Heartbeat(t.Context(), b.ID); err != nil {
		t.Errorf("the boot: %v", err)
	}
}
