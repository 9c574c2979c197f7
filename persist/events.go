package persist

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// EventQueueOptions configure an EventQueue. The zero value is fit for use.
type EventQueueOptions struct {
	// Subscribers are those of the store. Events that none of them wants are not queued.
	Subscribers []Subscriber
	// Most is how many events may wait in memory. Beyond that the oldest of PlayerJoined are dropped and counted, then those of RoomCreated. 0 means 100,000.
	Most int
	// Batch is the most events in one transaction. 0 means 500.
	Batch int
	// Linger is how long a batch that is not full waits for more events. 0 means 5 ms.
	Linger time.Duration
	// Timeout bounds one try to write a batch. 0 means 15 s.
	Timeout time.Duration
	// Retry is the wait between tries. Its zero value is 20 ms doubling up to 2 s, with full jitter.
	Retry clock.Backoff
	Log   *slog.Logger // nil discards
}

// EventQueue keeps the events of live rooms until the store's outbox has them, which takes some milliseconds, or until the store is back.
// It is in memory only: after a crash, rooms that come back derive their events again. It implements actor.Events.
//
// One goroutine writes. NewEventQueue starts it and Close ends it.
type EventQueue struct {
	store  Outbox
	o      EventQueueOptions
	wake   chan struct{} // holds one token when there is something to write
	stop   context.CancelFunc
	ended  chan struct{}
	stored func() // is called after each batch

	mu      sync.Mutex
	closed  bool
	created []record.Event // oldest first; so is the next
	joined  []record.Event
	writing []record.Event // the batch under way
	rooms   map[room.ID]int
	dropped map[record.EventKind]uint64
}

// NewEventQueue starts a queue. It calls stored, if not nil, on its goroutine after each batch that the store has taken. Close ends it.
func NewEventQueue(store Outbox, stored func(), o EventQueueOptions) *EventQueue {
	o.Most = orDefault(o.Most, 100_000)
	o.Batch = orDefault(o.Batch, 500)
	o.Linger = orDefault(o.Linger, 5*time.Millisecond)
	o.Timeout = orDefault(o.Timeout, 15*time.Second)
	o.Log = orDiscard(o.Log)
	if stored == nil {
		stored = func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	q := &EventQueue{store: store, o: o, wake: make(chan struct{}, 1), stop: cancel, ended: make(chan struct{}), stored: stored,
		rooms: map[room.ID]int{}, dropped: map[record.EventKind]uint64{}}
	go q.run(ctx)
	return q
}

// Happened implements actor.Events. The kinds of a room's end are not queued: they go with its result.
func (q *EventQueue) Happened(events []record.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range events {
		switch {
		case !Wants(q.o.Subscribers, e.Kind):
			continue
		case e.Kind == record.RoomCreated:
			q.created = append(q.created, e)
		case e.Kind == record.PlayerJoined:
			q.joined = append(q.joined, e)
		default:
			continue
		}
		q.rooms[e.Room]++
	}
	for len(q.created)+len(q.joined) > q.o.Most {
		q.drop()
	}
	q.signal()
}

// drop makes place for a newer event.
func (q *EventQueue) drop() {
	from := &q.joined
	if len(*from) == 0 {
		from = &q.created
	}
	e := (*from)[0]
	*from = (*from)[1:]
	q.dropped[e.Kind]++
	q.left(e.Room)
}

// left notes that an event of a room waits no more.
func (q *EventQueue) left(id room.ID) {
	if q.rooms[id]--; q.rooms[id] == 0 {
		delete(q.rooms, id)
	}
}

func (q *EventQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Behind implements actor.Events.
func (q *EventQueue) Behind(id room.ID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.rooms[id] > 0
}

// Of returns the events of a room that the store may not have yet. They go into the transaction of its result, so that they are there
// when no node has the room's log any more.
func (q *EventQueue) Of(id room.ID) (events []record.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.rooms[id] == 0 {
		return nil
	}
	for _, some := range [][]record.Event{q.writing, q.created, q.joined} {
		for _, e := range some {
			if e.Room == id {
				events = append(events, e)
			}
		}
	}
	return events
}

// Dropped counts the events that were dropped because too many waited.
func (q *EventQueue) Dropped(kind record.EventKind) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped[kind]
}

// Waiting counts the events that the store has not taken yet.
func (q *EventQueue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.created) + len(q.joined) + len(q.writing)
}

// Close writes what waits and ends the goroutine. When ctx ends first it gives up: rooms that come back tell what is left.
func (q *EventQueue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
	select {
	case <-q.ended:
	case <-ctx.Done():
	}
	q.stop()
	<-q.ended
	if n := q.Waiting(); n > 0 {
		return fmt.Errorf("%d events are not in the store; their rooms tell them again when they come back", n)
	}
	return nil
}

func (q *EventQueue) run(ctx context.Context) {
	defer close(q.ended)
	defer q.stop()
	for {
		batch, closed := q.take()
		switch {
		case len(batch) > 0:
			if !q.write(ctx, batch) {
				return
			}
			q.stored()
			clock.Sleep(ctx, nil, q.o.Linger)
		case closed:
			return
		default:
			select {
			case <-q.wake:
				clock.Sleep(ctx, nil, q.o.Linger)
			case <-ctx.Done():
				return
			}
		}
	}
}

// take moves the next events into the batch under way.
func (q *EventQueue) take() (batch []record.Event, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, from := range []*[]record.Event{&q.created, &q.joined} {
		n := min(len(*from), q.o.Batch-len(batch))
		batch = append(batch, (*from)[:n]...)
		if *from = (*from)[n:]; len(*from) == 0 {
			*from = nil // so that what is written can be freed
		}
	}
	q.writing = batch
	return batch, q.closed
}

// write tries until the store has taken a batch, and returns false when ctx has ended.
func (q *EventQueue) write(ctx context.Context, batch []record.Event) bool {
	failures := 0
	for retry := q.o.Retry; ; {
		limited, cancel := context.WithTimeout(ctx, q.o.Timeout)
		err := q.store.PutEvents(limited, batch)
		cancel()
		if err == nil {
			break
		}
		if failures++; powerOfTwo(failures) && ctx.Err() == nil {
			q.o.Log.Warn("events wait for the store", "failures", failures, "waiting", q.Waiting(), "error", err)
		}
		if !clock.Sleep(ctx, nil, retry.Next()) {
			return false
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = nil
	for _, e := range batch {
		q.left(e.Room)
	}
	return true
}
