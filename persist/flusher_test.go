package persist_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

var errAway = errors.New("away")

// faulty is a store that can be away. It fails before a call, or after it, so that the answer is lost.
type faulty struct {
	persist.Store
	away, loseAnswer atomic.Bool
	calls, largest   atomic.Int64
	promoted         atomic.Int64 // how often another server took its place
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	s, err := sqlite.OpenWith(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{Subscribers: persisttest.Told})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &faulty{Store: s}
}

func (s *faulty) call(n int, do func() error) error {
	s.calls.Add(1)
	s.largest.Store(max(s.largest.Load(), int64(n)))
	if s.away.Load() {
		return errAway
	}
	if err := do(); err != nil {
		return err
	}
	if s.loseAnswer.Swap(false) {
		return errAway
	}
	return nil
}

func (s *faulty) WriteResults(ctx context.Context, finals []record.Final) (v []persist.Verdict, err error) {
	err = s.call(len(finals), func() error { v, err = s.Store.WriteResults(ctx, finals); return err })
	return v, err
}

func (s *faulty) CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) (r []record.RowResult, err error) {
	err = s.call(len(rows), func() error { r, err = s.Store.CreateRows(ctx, boot, rows); return err })
	return r, err
}

func (s *faulty) Heartbeat(ctx context.Context, boot record.BootID) error {
	return s.call(1, func() error { return s.Store.Heartbeat(ctx, boot) })
}

func (s *faulty) PutEvents(ctx context.Context, events []record.Event) error {
	return s.call(len(events), func() error { return s.Store.PutEvents(ctx, events) })
}

func (s *faulty) SettleEvents(ctx context.Context, settled []persist.Settled) error {
	return s.call(len(settled), func() error { return s.Store.SettleEvents(ctx, settled) })
}

func (s *faulty) Timeline(context.Context) (string, error) {
	if s.away.Load() {
		return "", errAway
	}
	return strconv.FormatInt(s.promoted.Load(), 10), nil
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// tally counts callbacks by room.
type tally struct {
	sync.Mutex
	stored  map[room.ID]int
	refused map[room.ID]persist.Verdict
}

func newTally() *tally {
	return &tally{stored: map[room.ID]int{}, refused: map[room.ID]persist.Verdict{}}
}

func (c *tally) add(t *testing.T, f *persist.Flusher, final record.Final) {
	t.Helper()
	err := f.Add(final, func(v persist.Verdict) {
		c.Lock()
		defer c.Unlock()
		if v.Outcome.Stored() {
			c.stored[final.Room]++
		} else {
			c.refused[final.Room] = v
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func closed(t *testing.T, c interface{ Close(context.Context) error }) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}

func games(n int) (finals []record.Final) {
	for range n {
		finals = append(finals, persisttest.Game("chess", "ann", "bob"))
	}
	return finals
}

func TestFlusherWritesBatchesAndCallsDoneOnce(t *testing.T) {
	s, c := newFaulty(t), newTally()
	f := persist.NewFlusher(s, persist.FlusherOptions{Batch: 20, Linger: time.Minute})
	finals := games(50)
	for _, final := range finals {
		c.add(t, f, final)
		if !f.Pending(final.Room) {
			t.Error("an added room is not pending")
		}
		c.add(t, f, final)
	}
	closed(t, f)
	for _, final := range finals {
		if c.stored[final.Room] != 1 || f.Pending(final.Room) {
			t.Errorf("stored %d times, pending %v", c.stored[final.Room], f.Pending(final.Room))
		}
	}
	if s.calls.Load() != 3 || s.largest.Load() != 20 {
		t.Errorf("%d calls, the largest of %d", s.calls.Load(), s.largest.Load())
	}
	persisttest.Audit(t, s, finals)
	if err := f.Add(games(1)[0], nil); !errors.Is(err, persist.ErrClosed) {
		t.Errorf("added after Close: %v", err)
	}
}

func TestFlusherWaitsForTheStore(t *testing.T) {
	s, c := newFaulty(t), newTally()
	var log strings.Builder
	f := persist.NewFlusher(s, persist.FlusherOptions{Retry: clock.Backoff{Max: 10 * time.Millisecond}, Log: textLog(&log)})
	s.away.Store(true)
	finals := games(30)
	for _, final := range finals {
		c.add(t, f, final)
	}
	testwait.Until(t, "several tries have failed", func() bool { return f.Stats().Retries > 3 })
	if stats := f.Stats(); stats.Waiting != 30 || stats.Memory == 0 || stats.Oldest <= 0 || stats.Written != 0 {
		t.Errorf("stats %+v", stats)
	}
	s.loseAnswer.Store(true)
	s.away.Store(false)
	closed(t, f)
	for _, final := range finals {
		if c.stored[final.Room] != 1 {
			t.Errorf("stored %d times", c.stored[final.Room])
		}
	}
	if stats := f.Stats(); stats.Waiting != 0 || stats.Memory != 0 || stats.Written+stats.Already != 30 || stats.Already == 0 {
		t.Errorf("stats %+v", stats)
	}
	if !strings.Contains(log.String(), "results wait") || !strings.Contains(log.String(), "takes results again") {
		t.Errorf("log:\n%s", log.String())
	}
	persisttest.Audit(t, s, finals)
}

func TestFlusherReportsRefusals(t *testing.T) {
	s, c := newFaulty(t), newTally()
	known, finals := games(1)[0], games(3)
	if _, err := s.WriteResults(t.Context(), []record.Final{known}); err != nil {
		t.Fatal(err)
	}
	known.Hash[0]++
	finals[1].Result.Outcomes[0].Name = "secret\x00name"
	var log strings.Builder
	f := persist.NewFlusher(s, persist.FlusherOptions{Log: textLog(&log)})
	for _, final := range append(finals, known) {
		c.add(t, f, final)
	}
	closed(t, f)
	if len(c.stored) != 2 || c.refused[known.Room].Outcome != persist.Mismatch || c.refused[finals[1].Room].Outcome != persist.Unwritable {
		t.Errorf("stored %v, refused %v", c.stored, c.refused)
	}
	if stats := f.Stats(); stats.Written != 2 || stats.Mismatched != 1 || stats.Unwritable != 1 || stats.Waiting != 0 {
		t.Errorf("stats %+v", stats)
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 2 || strings.Contains(got, "secret") {
		t.Errorf("log:\n%s", got)
	}
}

// A room that moves on while its end waits is left to its new owner, also when the end is made again from the journal.
func TestFlusherLeavesRoomsThatMovedOn(t *testing.T) {
	s, c := newFaulty(t), newTally()
	owner := persisttest.Started(t, s)
	finals := games(3)
	byID := map[room.ID]record.Final{}
	for i, f := range finals {
		row := persisttest.NewRow(owner)
		row.Room, row.Epoch = f.Room, 5
		if _, err := s.Store.CreateRows(t.Context(), owner.ID, []record.Row{row}); err != nil {
			t.Fatal(err)
		}
		byID[f.Room] = f
		finals[i].By = record.Writer{Epoch: 5, Boot: owner.ID}
	}
	finals[0].By.Epoch = 4
	finals[2].By.Epoch = 4
	var log strings.Builder
	f := persist.NewFlusher(s, persist.FlusherOptions{Log: textLog(&log), Memory: 1200, // enough for one
		Reload: func(_ context.Context, id room.ID) (record.Final, error) { return byID[id], nil }})
	for _, final := range finals {
		c.add(t, f, final)
	}
	closed(t, f)
	if c.stored[finals[1].Room] != 1 || !errors.Is(c.refused[finals[0].Room].Err(), record.ErrMovedOn) || !errors.Is(c.refused[finals[2].Room].Err(), record.ErrMovedOn) {
		t.Errorf("stored %v, refused %v", c.stored, c.refused)
	}
	if stats := f.Stats(); stats.Written != 1 || stats.Moved != 2 || stats.Waiting != 0 {
		t.Errorf("stats %+v", stats)
	}
	if got := log.String(); strings.Count(got, "level=WARN") != 2 || strings.Contains(got, "level=ERROR") {
		t.Errorf("log:\n%s", got)
	}
}

func TestFlusherBoundsItsMemory(t *testing.T) {
	s, c := newFaulty(t), newTally()
	finals := games(40)
	journal, lost := map[room.ID]record.Final{}, finals[39].Room
	for _, final := range finals[:39] {
		journal[final.Room] = final
	}
	var stumbles atomic.Int64
	f := persist.NewFlusher(s, persist.FlusherOptions{Memory: 5000, Batch: 10,
		Retry: clock.Backoff{Max: time.Millisecond},
		Reload: func(_ context.Context, id room.ID) (record.Final, error) {
			if stumbles.Add(1)%3 == 0 {
				return record.Final{}, errAway
			}
			if final, ok := journal[id]; ok {
				return final, nil
			}
			return record.Final{}, record.ErrNotFound
		}})
	s.away.Store(true)
	for _, final := range finals {
		c.add(t, f, final)
	}
	if stats := f.Stats(); stats.Memory > 5000 || stats.Waiting != 40 {
		t.Errorf("stats %+v", stats)
	}
	s.away.Store(false)
	closed(t, f)
	if len(c.stored) != 39 || c.refused[lost].Outcome != persist.Unwritable || stumbles.Load() == 0 {
		t.Errorf("%d stored, refused %v", len(c.stored), c.refused)
	}
	persisttest.Audit(t, s, finals[:39])
}

// However long the journal cannot read a room, the other rooms are written.
func TestFlusherTriesUnreadableRoomsLater(t *testing.T) {
	s, c := newFaulty(t), newTally()
	finals := games(20)
	unreadable := finals[0].Room
	var repaired atomic.Bool
	f := persist.NewFlusher(s, persist.FlusherOptions{Memory: 1, Batch: 4, Retry: clock.Backoff{Max: time.Millisecond},
		Reload: func(_ context.Context, id room.ID) (record.Final, error) {
			if id == unreadable && !repaired.Load() {
				return record.Final{}, errAway
			}
			return finals[slices.IndexFunc(finals, func(f record.Final) bool { return f.Room == id })], nil
		}})
	for _, final := range finals {
		c.add(t, f, final)
	}
	testwait.Until(t, "the others are stored", func() bool { return f.Stats().Written == 19 })
	if !f.Pending(unreadable) {
		t.Error("the unreadable room is given up")
	}
	repaired.Store(true)
	closed(t, f)
	persisttest.Audit(t, s, finals)
}

func TestFlusherBoundsTheBytesOfABatch(t *testing.T) {
	s, c := newFaulty(t), newTally()
	f := persist.NewFlusher(s, persist.FlusherOptions{BatchBytes: 2000, Linger: time.Minute})
	finals := games(10)
	finals[4].Replay = record.Parts{make([]byte, 5000)}
	for _, final := range finals {
		c.add(t, f, final)
	}
	closed(t, f)
	if calls, largest := s.calls.Load(), s.largest.Load(); calls < 4 || largest > 4 {
		t.Errorf("%d calls, the largest of %d games", calls, largest)
	}
	persisttest.Audit(t, s, finals)
}

func TestFlusherRefusesBeyondItsBounds(t *testing.T) {
	s := newFaulty(t)
	s.away.Store(true)
	small := persist.NewFlusher(s, persist.FlusherOptions{Memory: 1})
	if err := small.Add(games(1)[0], nil); !errors.Is(err, persist.ErrFull) {
		t.Errorf("beyond Memory without Reload: %v", err)
	}
	closed(t, small)
	short := persist.NewFlusher(s, persist.FlusherOptions{Queue: 3, Linger: time.Hour})
	for i, final := range games(5) {
		if err := short.Add(final, nil); errors.Is(err, persist.ErrFull) != (i >= 3) {
			t.Errorf("room %d beyond Queue: %v", i, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := short.Close(ctx); err == nil || !strings.Contains(err.Error(), "3 results") {
		t.Errorf("closing while the store is away: %v", err)
	}
}
