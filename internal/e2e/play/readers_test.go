package play_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
)

// TestReadersHoldUpNoGame has many readers wait for a store that does not answer them. The node's heartbeats and the rows of new rooms
// still reach the store.
func TestReadersHoldUpNoGame(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--store", url)...).Start()
	ctx, cancel := context.WithCancel(e2e.WaitContext(t))
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	locks, looks := connect(), connect()
	if _, err := locks.Exec(ctx, `BEGIN; LOCK TABLE records, players IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for i := range 64 {
		readers.Go(func() {
			path := []string{"/v1/leaderboards/chess", "/v1/players/nobody"}[i%2]
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if res, err := http.DefaultClient.Do(req); err == nil {
					_ = res.Body.Close()
				}
			}
		})
	}
	count := func(sql string, args ...any) (n int) {
		if err := looks.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	s.Until(ctx, "readers wait", func() bool {
		return count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) >= 4
	})
	for range 3 {
		info := s.Create("tally", nil)
		s.Until(ctx, "the room's row is there", func() bool { return count(`SELECT count(*) FROM rooms WHERE room = $1`, info.ID) == 1 })
	}
	if _, err := looks.Exec(ctx, `CREATE TABLE before AS SELECT heartbeat FROM boots`); err != nil {
		t.Fatal(err)
	}
	s.Until(ctx, "two heartbeats come", func() bool {
		return count(`SELECT count(*) FROM boots, before WHERE boots.heartbeat > before.heartbeat + interval '4 seconds'`) == 1
	})
	cancel()
	readers.Wait()
}
