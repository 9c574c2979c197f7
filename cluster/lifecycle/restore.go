package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Restored counts what Restore has found.
type Restored struct {
	Rooms  int // brought back
	Held   int // kept for a program that can run them, see Owner.Held
	Aside  int // set aside because their row has moved on, or because they were poisoned or broken
	Copies int // of rooms that other nodes own
	Over   int // already over with a stored result, including those that people may still look at
	Cut    int // brought back without the damaged tail of their log
}

// Restore brings back the rooms that the journal holds. It claims each in the store at a new epoch. Call it once, before anything is
// served; it blocks until all rooms are decided. After an error serve nothing: the journal cannot be read or written, or the store
// cannot be reached.
func (w *Owner) Restore(ctx context.Context) (Restored, error) {
	var n Restored
	if w.o.Journal == nil {
		return n, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := w.toggleStart()
	defer w.toggleStart()
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		inflight = make(chan struct{}, w.o.Restoring)
	)
	for kept, err := range w.o.Journal.Rooms(ctx) {
		switch {
		case ctx.Err() != nil:
			return n, ctx.Err()
		case err != nil && kept.Header.ID == "":
			return n, fmt.Errorf("the journal's rooms cannot be read: %w", err)
		case err != nil:
			w.loop.Deliver(kept.Header.ID, ownership.Event{Kind: ownership.Broken, Why: err.Error()}, func(r *Room) { r.Header = kept.Header })
			continue
		case kept.Cut != "":
			n.Cut++
			w.o.Log.Warn("a room's log was damaged and is cut", "room", kept.Header.ID, "why", kept.Cut)
		}
		select {
		case inflight <- struct{}{}:
		case err := <-failed:
			return n, err
		}
		wg.Go(func() {
			defer func() { <-inflight }()
			err := w.restore(ctx, kept)
			mu.Lock()
			defer mu.Unlock()
			n.count(err, w.lingers(kept.Header.ID), logOf(kept))
		})
	}
	settled := make(chan struct{})
	go func() { wg.Wait(); close(settled) }()
	select {
	case <-settled:
	case err := <-failed:
		cancel()
		<-settled
		return n, err
	case <-ctx.Done():
		<-settled
	}
	n.Held = len(w.Held())
	return n, ctx.Err()
}

func (w *Owner) restore(ctx context.Context, kept record.Kept) error {
	return w.loop.Await(ctx, kept.Header.ID, ownership.Event{Kind: ownership.Found, Log: logOf(kept)}, func(r *Room) {
		r.Header, r.Kept = kept.Header, &kept
	})
}

func (w *Owner) lingers(id room.ID) bool {
	w.loop.mu.Lock()
	defer w.loop.mu.Unlock()
	r := w.loop.rooms[id]
	return r != nil && r.machine.Lingers()
}

func (n *Restored) count(err error, lingers bool, log ownership.Log) {
	switch {
	case err == nil && !lingers:
		n.Rooms++
	case err == nil, errors.Is(err, ownership.ErrOver):
		n.Over++
	case errors.Is(err, ownership.ErrFollowed), errors.Is(err, record.ErrMovedOn) && log.Copied:
		n.Copies++
	case errors.Is(err, record.ErrMovedOn), errors.Is(err, ownership.ErrDead) && !log.Unborn:
		n.Aside++
	}
}

// toggleStart makes failed report to the returned channel, because a failure must keep a node from starting. The second call ends that.
func (w *Owner) toggleStart() <-chan error {
	w.startLock.Lock()
	defer w.startLock.Unlock()
	if w.starting != nil {
		w.starting = nil
		return nil
	}
	w.starting = make(chan error, 1)
	return w.starting
}

// failed is called when something has failed that is tried again. It ends a start that is under way.
func (w *Owner) failed(err error) {
	w.startLock.Lock()
	defer w.startLock.Unlock()
	select {
	case w.starting <- fmt.Errorf("the rooms of the journal cannot be brought back now: %w", err):
	default:
	}
}
