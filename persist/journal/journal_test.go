package journal_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func TestRoomSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	id := roomID(1)
	n := open(t, dir, journal.Options{})
	n.create(id)
	n.append(batch(id, 1, 1, 3), nil)
	n.append(batch(id, 1, 4, 4), &record.Snapshot{Room: id, Epoch: 1, Index: 4, Data: []byte("state")})
	if err := n.Claimed(within(t), id, 7); err != nil {
		t.Fatal(err)
	}
	n.close()

	n = open(t, dir, journal.Options{})
	if err := n.Append(batch(id, 7, 5, 5), nil, nil); !errors.Is(err, journal.ErrUnread) {
		t.Fatalf("append before load: %v", err)
	}
	kept := n.load(id)
	if end := checkLog(t, kept); end != 4 {
		t.Errorf("the log ends at %d", end)
	}
	if !reflect.DeepEqual(kept.Header, header(id)) {
		t.Errorf("header %+v", kept.Header)
	}
	want := []record.Snapshot{{Room: id, Epoch: 1, Index: 4, Data: []byte("state")}}
	if !reflect.DeepEqual(kept.Snapshots, want) {
		t.Errorf("snapshots %+v", kept.Snapshots)
	}
	if kept.Epoch != 7 || kept.Cut != "" {
		t.Errorf("epoch %d, cut %q", kept.Epoch, kept.Cut)
	}
	n.append(batch(id, 8, 5, 6), nil)
	if kept := n.load(id); checkLog(t, kept) != 6 || kept.Epoch != 8 {
		t.Errorf("after going on: %+v", kept)
	}
}

func TestAppendRefuses(t *testing.T) {
	n := open(t, t.TempDir(), journal.Options{MaxBatch: 1000, MaxPending: 1 << 20})
	id := roomID(1)
	n.create(id)
	n.append(batch(id, 1, 1, 2), nil)
	snapshot := func(at room.Index) *record.Snapshot { return &record.Snapshot{Room: id, Index: at} }
	for _, c := range []struct {
		name     string
		batch    record.Batch
		snapshot *record.Snapshot
		want     error
	}{
		{"a gap", batch(id, 1, 4, 4), nil, journal.ErrGap},
		{"a repetition", batch(id, 1, 2, 3), nil, journal.ErrGap},
		{"nothing", record.Batch{Room: id}, nil, journal.ErrGap},
		{"a snapshot beyond the log", batch(id, 1, 3, 3), snapshot(4), journal.ErrGap},
		{"another room", batch(roomID(2), 1, 1, 1), nil, record.ErrNotFound},
		{"too much", batch(id, 1, 3, 200), nil, journal.ErrTooBig},
	} {
		if err := n.Append(c.batch, c.snapshot, func(error) { t.Errorf("%s: done was called", c.name) }); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		} else if !errors.Is(err, record.ErrPermanent) {
			t.Errorf("%s: %v does not say that trying again does not help", c.name, err)
		}
	}
	if err := n.Create(within(t), header(id), 1); !errors.Is(err, journal.ErrExists) {
		t.Errorf("a second create: %v", err)
	}
	n.append(batch(id, 1, 3, 3), snapshot(3))
	n.append(record.Batch{Room: id}, snapshot(2))
	n.close()
	if err := n.Append(batch(id, 1, 4, 4), nil, nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after close: %v", err)
	} else if errors.Is(err, record.ErrPermanent) {
		t.Error("ErrClosed counts as a fault of the room")
	}
}

func TestTwoSnapshotsAreKept(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id := roomID(1)
	n.create(id)
	for i := range room.Index(5) {
		n.append(batch(id, 1, i+1, i+1), &record.Snapshot{Room: id, Epoch: 1, Index: i + 1, Data: []byte{byte(i)}})
	}
	kept := n.load(id)
	if len(kept.Snapshots) != 2 || kept.Snapshots[0].Index != 4 || kept.Snapshots[1].Index != 5 {
		t.Errorf("snapshots %+v", kept.Snapshots)
	}
}

// Batches of a room that wait together become one record, and done functions run in order.
func TestManyRoomsAtOnce(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{MaxRow: 2000})
	const rooms, batches = 50, 200
	var wg sync.WaitGroup
	for r := range rooms {
		wg.Go(func() {
			id := roomID(r)
			if err := n.Create(within(t), header(id), 1); err != nil {
				t.Error(err)
				return
			}
			var acked room.Index
			last := make(chan error, 1)
			for i := range room.Index(batches) {
				err := n.Append(batch(id, 1, i+1, i+1), nil, func(err error) {
					if acked++; acked != i+1 {
						t.Errorf("done %d came as number %d", i+1, acked)
					}
					if acked == batches {
						last <- err
					}
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
			if err := <-last; err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := n.Stats(); s.Pending != 0 || s.Rooms != rooms || s.Commits >= rooms*batches {
		t.Errorf("stats %+v", s)
	}
	n.close()
	n = open(t, dir, journal.Options{})
	seen, rows := 0, 0
	for kept, err := range n.Rooms(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if end := checkLog(t, kept); end != batches {
			t.Errorf("room %s ends at %d", kept.Header.ID, end)
		}
		seen++
		rows += len(kept.Batches)
	}
	if seen != rooms || rows >= rooms*batches {
		t.Errorf("%d rooms in %d records", seen, rows)
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	a, b := roomID(1), roomID(2)
	n.create(a, b)
	n.append(batch(a, 1, 1, 9), &record.Snapshot{Room: a, Index: 9, Data: []byte("x")})
	if err := n.Remove(within(t), a); err != nil {
		t.Fatal(err)
	}
	if err := n.Remove(within(t), a); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	n.create(a) // the id is free again, and its log is a new one
	n.append(batch(a, 1, 1, 1), nil)
	n.close()
	n = open(t, dir, journal.Options{})
	if kept := n.load(a); checkLog(t, kept) != 1 || len(kept.Snapshots) != 0 {
		t.Errorf("kept %+v", kept)
	}
	if got := n.Stats().Rooms; got != 2 {
		t.Errorf("%d rooms", got)
	}
}

func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id := roomID(1)
	n.create(id)
	n.append(batch(id, 1, 1, 5), &record.Snapshot{Room: id, Epoch: 1, Index: 3, Data: []byte("x")})
	if err := n.SetAside(within(t), id, "its row has moved on"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Load(within(t), id); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("still live: %v", err)
	}
	n.create(id)
	n.append(batch(id, 9, 1, 1), nil)
	n.close()

	n = open(t, dir, journal.Options{})
	list, err := n.ListAside(within(t))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if a := list[0]; a.Room != id || a.Reason != "its row has moved on" || a.Last != 5 || a.Bytes == 0 || time.Since(a.At) > time.Hour {
		t.Errorf("aside %+v", a)
	}
	kept, err := n.LoadAside(within(t), list[0].Key)
	if err != nil || checkLog(t, kept) != 5 || len(kept.Snapshots) != 1 {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if kept := n.load(id); checkLog(t, kept) != 1 || kept.Epoch != 9 {
		t.Errorf("the live one: %+v", kept)
	}
	n.close()

	time.Sleep(5 * time.Millisecond)
	n = open(t, dir, journal.Options{KeepAside: time.Millisecond})
	if list, err := n.ListAside(within(t)); err != nil || len(list) != 0 {
		t.Errorf("after the retention: %v, %v", list, err)
	}
	n.load(id)
}

// clock is a node's monotonic time, which the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Duration
}

func (c *clock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = d
}

func TestRoomTimeGoesOn(t *testing.T) {
	dir := t.TempDir()
	id, other := roomID(1), roomID(2)
	var c clock
	life := func(start time.Duration) *node {
		c.set(start)
		return open(t, dir, journal.Options{Elapsed: c.Elapsed, MarkEvery: time.Hour})
	}
	expect := func(n *node, id room.ID, want time.Duration) {
		t.Helper()
		if got := n.load(id).Time; got != want {
			t.Errorf("room %s goes on from %v, want %v", id, got, want)
		}
	}

	n := life(100 * time.Second)
	n.create(id, other)
	n.SetClock(id, 100*time.Second)
	n.append(batch(id, 1, 1, 2), nil) // at 2 s
	c.set(130 * time.Second)
	n.close() // marks

	n = life(5 * time.Second) // the monotonic clock of another boot
	expect(n, id, 30*time.Second)
	expect(n, other, 0)
	n.close() // the room was not claimed: this life is no time of its

	n = life(900 * time.Second)
	expect(n, id, 30*time.Second)
	n.SetClock(id, 870*time.Second)
	c.set(800 * time.Second) // the newest mark may be older than the claim
	n.close()

	n = life(0)
	expect(n, id, 30*time.Second)
	n.SetClock(id, -30*time.Second)
	c.set(10 * time.Second)
	n.append(batch(id, 2, 3, 300), nil) // at 300 s: the input is later than any mark
	n.close()

	n = life(0)
	expect(n, id, 300*time.Second)
}

func TestMarksAreWritten(t *testing.T) {
	dir := t.TempDir()
	id := roomID(1)
	n := open(t, dir, journal.Options{MarkEvery: time.Millisecond})
	n.create(id)
	n.SetClock(id, 0)
	testwait.Until(t, "the room's time has moved", func() bool { return n.load(id).Time >= 20*time.Millisecond })
}

func TestCancelledCreate(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for i := range 100 {
		id := roomID(i)
		err := n.Create(ctx, header(id), 1)
		if _, load := n.Load(within(t), id); (err == nil) != (load == nil) {
			t.Errorf("create: %v, load: %v", err, load)
		}
	}
	n.close()
}
