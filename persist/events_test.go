package persist_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// happened makes events of one kind, of a room that nobody else has.
func happened(kind record.EventKind, n int) (events []record.Event) {
	id := persisttest.NewRoom()
	for i := range n {
		events = append(events, record.NewEvent(kind, id, "chess", record.Point{Epoch: 1, Seq: room.Index(i + 2)}, 0))
	}
	return events
}

func stored(t *testing.T, s persist.Store, target string) map[string]record.Delivery {
	t.Helper()
	all, err := s.Deliveries(t.Context(), record.DeliveryFilter{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]record.Delivery{}
	for _, d := range all {
		found[d.Event.ID] = d
	}
	return found
}

func TestEventsWaitForTheStore(t *testing.T) {
	s := newFaulty(t)
	var log testwait.Log
	woken := make(chan struct{}, 100)
	q := persist.NewEventQueue(s, func() { woken <- struct{}{} }, persist.EventQueueOptions{
		Subscribers: persisttest.Told, Retry: clock.Backoff{Max: 5 * time.Millisecond}, Batch: 4, Log: textLog(&log)})
	s.away.Store(true)
	made, joined := happened(record.RoomCreated, 1), happened(record.PlayerJoined, 6)
	q.Happened(made)
	q.Happened(joined)
	q.Happened(happened(record.GameResult, 1)) // goes with the result alone
	testwait.Until(t, "several tries have failed", func() bool { return s.calls.Load() > 3 })
	if of := q.Of(joined[0].Room); !q.Behind(joined[0].Room) || !q.Behind(made[0].Room) || q.Behind(persisttest.NewRoom()) || len(of) != 6 {
		t.Errorf("of the room wait %v", of)
	}
	s.loseAnswer.Store(true)
	s.away.Store(false)
	testwait.Until(t, "nothing waits", func() bool { return q.Waiting() == 0 })
	testwait.Receive(t, "it was told of a batch", woken)
	if q.Behind(joined[0].Room) || q.Of(joined[0].Room) != nil || len(stored(t, s, "all")) != 7 || s.largest.Load() > 4 {
		t.Errorf("the store has %v; the largest batch was %d", stored(t, s, "all"), s.largest.Load())
	}
	more := happened(record.PlayerJoined, 9)
	q.Happened(more)
	if err := q.Close(t.Context()); err != nil || len(stored(t, s, "all")) != 16 {
		t.Errorf("closed: %v; the store has %d", err, len(stored(t, s, "all")))
	}
	if log.Count("events wait for the store") == 0 {
		t.Errorf("the log says nothing:\n%s", &log)
	}
}

func TestTooManyEventsDropTheOldestJoins(t *testing.T) {
	s := newFaulty(t)
	q := persist.NewEventQueue(s, nil, persist.EventQueueOptions{Subscribers: persisttest.Told, Most: 5, Linger: time.Hour})
	made, joined := happened(record.RoomCreated, 3), happened(record.PlayerJoined, 4)
	q.Happened(made)
	q.Happened(joined)
	if q.Dropped(record.PlayerJoined) != 2 || q.Dropped(record.RoomCreated) != 0 || !slices.EqualFunc(q.Of(joined[0].Room), joined[2:], sameEvent) {
		t.Errorf("dropped %d; left %v", q.Dropped(record.PlayerJoined), q.Of(joined[0].Room))
	}
	q.Happened(happened(record.RoomCreated, 4))
	if q.Dropped(record.PlayerJoined) != 4 || q.Dropped(record.RoomCreated) != 2 || q.Behind(joined[0].Room) || q.Waiting() != 5 {
		t.Errorf("dropped %d and %d, waiting %d", q.Dropped(record.PlayerJoined), q.Dropped(record.RoomCreated), q.Waiting())
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.away.Store(true)
	if err := q.Close(gone); err == nil || !strings.Contains(err.Error(), "5 events") {
		t.Errorf("closed while the store is away: %v", err)
	}
}

func sameEvent(a, b record.Event) bool { return a.ID == b.ID }

// receiver counts what it is sent.
type receiver struct {
	sync.Mutex
	got map[string]int
	err func(e record.Event, n int) error // nil: it takes everything
}

func (r *receiver) send(_ context.Context, e record.Event) error {
	r.Lock()
	defer r.Unlock()
	if r.got == nil {
		r.got = map[string]int{}
	}
	r.got[e.ID]++
	if r.err == nil {
		return nil
	}
	return r.err(e, r.got[e.ID])
}

func (r *receiver) taken() int {
	r.Lock()
	defer r.Unlock()
	return len(r.got)
}

func courier(t *testing.T, s persist.Store, r *receiver, change func(*persist.CourierOptions)) *persist.Courier {
	o := persist.CourierOptions{Target: "all", Send: r.send, Poll: 10 * time.Millisecond, Timeout: 5 * time.Second, Retry: clock.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond}}
	if change != nil {
		change(&o)
	}
	c := persist.NewCourier(s, o)
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func TestCourierTriesAgain(t *testing.T) {
	s := newFaulty(t)
	r := &receiver{err: func(e record.Event, n int) error {
		switch {
		case n == 1:
			panic("the program's function is broken")
		case n == 2:
			return fmt.Errorf("answered 500\x00\xff %s", strings.Repeat("é", 400))
		}
		return nil
	}}
	events := happened(record.PlayerJoined, 40)
	if err := s.PutEvents(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	s.loseAnswer.Store(true) // of the first that is settled
	c := courier(t, s, r, nil)
	testwait.Until(t, "all are delivered", func() bool { return c.Stats().Delivered == 40 })
	testwait.Until(t, "the store knows", func() bool {
		stats, err := s.OutboxStats(t.Context())
		return err == nil && len(stats) == 1 && stats[0].State == record.EventDelivered
	})
	for id, n := range r.got {
		if n != 3 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
	if stats := c.Stats(); r.taken() != 40 || stats != (persist.CourierStats{Delivered: 40, Retried: 80}) {
		t.Errorf("%d were taken; %+v", r.taken(), stats)
	}
}

func TestCourierGivesUpAndAnOperatorReplays(t *testing.T) {
	s := newFaulty(t)
	var log testwait.Log
	fine := make(chan struct{})
	r := &receiver{err: func(record.Event, int) error {
		select {
		case <-fine:
			return nil
		default:
			return errors.New("nobody is there")
		}
	}}
	if err := s.PutEvents(t.Context(), happened(record.PlayerJoined, 1)); err != nil {
		t.Fatal(err)
	}
	c := courier(t, s, r, func(o *persist.CourierOptions) { o.GiveUp, o.Log = 30*time.Millisecond, textLog(&log) })
	testwait.Until(t, "it is given up", func() bool { return c.Stats().Failed == 1 })
	var left record.Delivery
	testwait.Until(t, "the store knows", func() bool {
		for _, left = range stored(t, s, "all") {
			return left.State == record.EventFailed
		}
		return false
	})
	if left.Error != "nobody is there" || left.Tries < 1 || log.Count("given up") != 1 {
		t.Errorf("%+v; log:\n%s", left, &log)
	}
	close(fine)
	if err := s.ReplayEvent(t.Context(), left.Number); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "it is delivered after all", func() bool { return c.Stats().Delivered == 1 })
}

func TestCouriersShareATarget(t *testing.T) {
	s, r := newFaulty(t), &receiver{}
	var all []*persist.Courier
	for range 3 {
		all = append(all, courier(t, s, r, func(o *persist.CourierOptions) { o.Parallel = 4 }))
	}
	for range 5 {
		if err := s.PutEvents(t.Context(), happened(record.PlayerJoined, 30)); err != nil {
			t.Fatal(err)
		}
		all[0].Wake()
	}
	testwait.Until(t, "all are there", func() bool { return r.taken() == 150 })
	for id, n := range r.got {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

// A courier that stops gives back what it has not sent: another one need not wait for its lease.
func TestCourierGivesBack(t *testing.T) {
	s, r := newFaulty(t), &receiver{}
	if err := s.PutEvents(t.Context(), happened(record.PlayerJoined, 20)); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{}, 20)
	stuck := courier(t, s, r, func(o *persist.CourierOptions) {
		o.Parallel, o.Batch, o.Timeout = 2, 20, time.Hour
		o.Send = func(ctx context.Context, _ record.Event) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
	})
	testwait.Receive(t, "it sends", begun)
	if err := stuck.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := courier(t, s, r, nil)
	testwait.Until(t, "another one delivers them", func() bool { return c.Stats().Delivered == 20 })
}
