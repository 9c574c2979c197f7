package postgres_test

import (
	"sync"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/pgtest"
)

// TestConformanceBehindPgBouncer runs the suite where each transaction of a connection may run in another process of the server.
func TestConformanceBehindPgBouncer(t *testing.T) {
	url := pgtest.URL(t)
	s, ask := open(t, pgtest.Pooled(t, url)), asker(t, url)
	if !s.Pooled() {
		t.Error("PgBouncer is taken for the server")
	}
	persisttest.Run(t, func(t *testing.T) persist.Store { ask(emptied); return s })
}

// TestMigrateAtOnceBehindPgBouncer opens an empty database many times at once, with and without the pooler. Afterwards no lock is
// left, and no setting on a connection that others share.
func TestMigrateAtOnceBehindPgBouncer(t *testing.T) {
	url := pgtest.URL(t)
	pooled := pgtest.Pooled(t, url)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			through := []string{pooled, pooled, url}[i%3]
			if s := open(t, through); s.Pooled() != (through == pooled) {
				t.Errorf("at %s a pooler is seen: %v", through, s.Pooled())
			}
		})
	}
	wg.Wait()
	var locks int
	pgtest.Ask(t, url, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, &locks)
	if locks > 0 {
		t.Errorf("%d advisory locks are left", locks)
	}
	for range 8 {
		var set string
		pgtest.Ask(t, pooled+"&default_query_exec_mode=exec", `SELECT current_setting('idle_in_transaction_session_timeout')`, &set)
		if set != "0" {
			t.Fatalf("a setting is left on a shared connection: %s", set)
		}
	}
}
