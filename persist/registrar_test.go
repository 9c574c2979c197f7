package persist_test

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/room"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestRegistrarWritesAtOnce(t *testing.T) {
	s := newFaulty(t)
	b := persisttest.Started(t, s)
	r := persist.NewRegistrar(s, b.ID, persist.RegistrarOptions{Patience: time.Minute})
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			row := persisttest.NewRow(b)
			if written, err := r.Create(t.Context(), row); !written || err != nil || r.Waiting(row.Room) {
				t.Errorf("written %v, %v", written, err)
			}
			if got, err := s.Row(t.Context(), row.Room); got != row || err != nil {
				t.Errorf("row %+v, %v", got, err)
			}
		})
	}
	group.Wait()
	closed(t, r)
	if _, err := r.Create(t.Context(), persisttest.NewRow(b)); !errors.Is(err, persist.ErrClosed) {
		t.Errorf("created after Close: %v", err)
	}
}

func TestRegistrarWaitsForTheStore(t *testing.T) {
	s := newFaulty(t)
	b := persisttest.Started(t, s)
	s.away.Store(true)
	r := persist.NewRegistrar(s, b.ID, persist.RegistrarOptions{Patience: time.Millisecond, Queue: 50, Batch: 7,
		Retry: persist.Backoff{Max: 5 * time.Millisecond}})
	var rows []room.Row
	var full int
	for range 80 {
		row := persisttest.NewRow(b)
		written, err := r.Create(t.Context(), row)
		switch {
		case errors.Is(err, persist.ErrFull):
			full++
			continue
		case written || err != nil || !r.Waiting(row.Room):
			t.Fatalf("written %v, %v while the store is away", written, err)
		}
		rows = append(rows, row)
	}
	if full == 0 || r.Depth() != len(rows) {
		t.Errorf("%d refused, %d wait of %d", full, r.Depth(), len(rows))
	}
	s.loseAnswer.Store(true)
	s.away.Store(false)
	closed(t, r)
	for _, row := range rows {
		if got, err := s.Row(t.Context(), row.Room); got != row || err != nil || r.Waiting(row.Room) {
			t.Errorf("row %+v, %v", got, err)
		}
	}
}

func TestRegistrarRefusals(t *testing.T) {
	s := newFaulty(t)
	b := persisttest.Started(t, s)
	var refused sync.Map
	r := persist.NewRegistrar(s, b.ID, persist.RegistrarOptions{Patience: time.Minute,
		Refused: func(row room.Row, result persist.RowResult) { refused.Store(row.Room, result.Err) }})
	mine := persisttest.NewRow(b)
	if written, err := r.Create(t.Context(), mine); !written || err != nil {
		t.Fatalf("written %v, %v", written, err)
	}
	rival := mine
	rival.Nonce = persisttest.Nonce()
	if _, err := r.Create(t.Context(), rival); !errors.Is(err, persist.ErrMovedOn) {
		t.Errorf("a rival's row: %v", err)
	}
	ended := persisttest.NewRow(b)
	final := persisttest.Game("chess", "ann", "bob")
	final.Room = ended.Room
	if _, err := s.WriteResults(t.Context(), []room.Final{persisttest.Seal(final)}); err != nil {
		t.Fatal(err)
	}
	if written, err := r.Create(t.Context(), ended); !written || err != nil {
		t.Errorf("a room whose result came first: written %v, %v", written, err)
	}
	if err := s.EndBoot(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(t.Context(), persisttest.NewRow(b)); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("a dead boot's row: %v", err)
	}
	closed(t, r)
	refused.Range(func(id, err any) bool { t.Errorf("%v heard of twice: %v", id, err); return true })
}

func TestRegistrarTellsOfLateRefusals(t *testing.T) {
	s := newFaulty(t)
	b := persisttest.Started(t, s)
	s.away.Store(true)
	var heard atomic.Value
	var log strings.Builder
	r := persist.NewRegistrar(s, b.ID, persist.RegistrarOptions{Patience: time.Millisecond, Log: textLog(&log),
		Refused: func(_ room.Row, result persist.RowResult) { heard.Store(result.Err) }})
	row := persisttest.NewRow(b)
	row.Code = "secret-code"
	if written, err := r.Create(t.Context(), row); written || err != nil {
		t.Fatalf("written %v, %v", written, err)
	}
	if err := s.EndBoot(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	s.away.Store(false)
	closed(t, r)
	if heard.Load() != persist.ErrBootDead || r.Waiting(row.Room) {
		t.Errorf("heard %v", heard.Load())
	}
	if got := log.String(); !strings.Contains(got, "refused") || strings.Contains(got, "secret") {
		t.Errorf("log:\n%s", got)
	}
}

func TestHeartbeat(t *testing.T) {
	s := newFaulty(t)
	b := persisttest.Started(t, s)
	dead := make(chan struct{})
	h := persist.NewHeartbeat(s, b.ID, persist.HeartbeatOptions{Every: 5 * time.Millisecond, Dead: func() { close(dead) }})
	defer h.Close()
	beats := func(n int64) func() bool {
		from := s.calls.Load()
		return func() bool { return s.calls.Load() >= from+n }
	}
	eventually(t, "beats", beats(3))
	s.away.Store(true)
	eventually(t, "beats while the store is away", beats(3))
	if h.Age() <= 0 {
		t.Errorf("age %v", h.Age())
	}
	s.away.Store(false)
	eventually(t, "a beat again", func() bool { return h.Age() < 10*time.Millisecond })
	select {
	case <-dead:
		t.Fatal("dead by the store's absence")
	default:
	}
	next := persisttest.NewBoot()
	next.Folder = b.Folder
	if err := s.StartBoot(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	select {
	case <-dead:
	case <-time.After(time.Minute):
		t.Fatal("a fenced boot was not told")
	}
}
