package postgres_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// node is one writer of results: its own store, and a flusher that sees every failed try.
type node struct {
	*persist.Flusher
	stored sync.Map // room.ID → *atomic.Int64
}

func newNode(t *testing.T, url string, batch int) *node {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{Tries: 1, Conns: 4})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Flusher: persist.NewFlusher(s, persist.FlusherOptions{Batch: batch, Timeout: 20 * time.Second,
		Retry: clock.Backoff{Max: 200 * time.Millisecond}})}
	t.Cleanup(func() { s.Close() })
	return n
}

func (n *node) add(t *testing.T, f record.Final) {
	count, _ := n.stored.LoadOrStore(f.Room, new(atomic.Int64))
	if err := n.Add(f, func(persist.Verdict) { count.(*atomic.Int64).Add(1) }); err != nil {
		t.Error(err)
	}
}

func (n *node) close(t *testing.T, finals []record.Final) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for _, f := range finals {
		count, ok := n.stored.Load(f.Room)
		if !ok || count.(*atomic.Int64).Load() != 1 {
			t.Errorf("room %s was not called stored once", f.Room)
		}
	}
}

// PostgreSQL is stopped and killed while two nodes write the same results, as an owner and its successor do.
// Afterwards each result is there once, and the ratings fit the results.
func TestServerStoppedAndKilledMidBatch(t *testing.T) {
	server := pgtest.New(t)
	url := server.URL(t)
	nodes := []*node{newNode(t, url, 7), newNode(t, url, 23)}
	var finals []record.Final
	players := []room.PlayerID{"a", "b", "c", "d", "e", "f", "g"}
	for i := range 700 {
		f := persisttest.Game("chess", players[i%7], players[(i+1+i%6)%7])
		if i%5 == 0 {
			f = persisttest.Draw(f)
		}
		finals = append(finals, f)
	}
	var group sync.WaitGroup
	for i, n := range nodes {
		mine := slices.Clone(finals)
		if i == 1 {
			slices.Reverse(mine)
		}
		group.Go(func() {
			for _, f := range mine {
				n.add(t, f)
				time.Sleep(rand.N(8 * time.Millisecond))
			}
		})
	}
	for round := range 6 {
		time.Sleep(100*time.Millisecond + rand.N(200*time.Millisecond))
		if round%2 == 0 {
			server.Kill(t)
		} else {
			server.Stop(t)
		}
		time.Sleep(rand.N(100 * time.Millisecond))
		server.Start(t)
	}
	group.Wait()
	for _, n := range nodes {
		n.close(t, finals)
		if stats := n.Stats(); stats.Retries == 0 || stats.Mismatched+stats.Unwritable > 0 {
			t.Errorf("stats %+v: the faults were not felt, or harmed a result", stats)
		}
	}
	var rows int
	pgtest.Ask(t, url, `SELECT count(*) FROM results`, &rows)
	if rows != len(finals) {
		t.Errorf("%d rows for %d results", rows, len(finals))
	}
	persisttest.Audit(t, open(t, url), finals)
}

// When the server goes away during a call, the store itself tries the call again.
func TestCallsSurviveARestart(t *testing.T) {
	server := pgtest.New(t)
	s, err := postgres.Open(t.Context(), server.URL(t), postgres.Options{Tries: 1000, Retry: clock.Backoff{Max: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	boot := persisttest.Started(t, s)
	server.Stop(t)
	done := make(chan error, 1)
	go func() { done <- s.Heartbeat(t.Context(), boot.ID) }()
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a stopped server answers a ping")
	}
	server.Start(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
