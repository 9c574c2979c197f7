package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
)

// Drain gives all rooms to the store, OwnerOptions.Releases of them at a time, and takes no new ones from then on. It returns nil when
// no room is left here. When only rooms are left that can never be given away, it returns the error of one. When ctx ends before, it
// returns ctx's cause. The rooms that are left stay in the journal, which brings them back when this node starts again. Drain may be
// called again for them.
func (w *Owner) Drain(ctx context.Context) error {
	w.rooms.Drain()
	w.loop.drain()
	slots := make(chan struct{}, w.o.Releases)
	var wg sync.WaitGroup
	begun := map[room.ID]bool{}
	for last := false; !last; {
		last = !w.rooms.Creating() && w.loop.count(func(m *ownership.Machine) bool { return arriving(m.State()) }) == 0
		for _, id := range w.loop.served() {
			if !begun[id] {
				begun[id] = true
				wg.Go(func() { w.release(ctx, id, slots) })
			}
		}
		if !last && !clock.Sleep(ctx, w.o.Clock, 20*time.Millisecond) {
			break
		}
	}
	wg.Wait()
	left, stays := w.loop.left(begun)
	if left == 0 {
		return nil
	}
	return fmt.Errorf("%d rooms could not be given away and stay in this node's journal: %w", left, cmp.Or(context.Cause(ctx), stays))
}

// release gives one room away, and waits until it is at rest. It holds one of the slots until then, for ReleaseWait at most: after that
// others go first.
func (w *Owner) release(ctx context.Context, id room.ID, slots chan struct{}) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	left := w.loop.leave(id)
	patience, stop := clock.After(w.o.Clock, w.o.ReleaseWait)
	defer stop()
	select {
	case <-left:
		<-slots
		return
	case <-patience:
	case <-ctx.Done():
	}
	<-slots
	select {
	case <-left:
	case <-ctx.Done():
	}
}

// drain makes the loop refuse rooms from elsewhere.
func (l *Loop) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
}

// served are the rooms that are to be given away.
func (l *Loop) served() (ids []room.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.rooms {
		if s := r.machine.State(); s == ownership.Owning || s == ownership.Releasing {
			ids = append(ids, id)
		}
	}
	return ids
}

// leave has a room released. The channel is closed when it is at rest.
func (l *Loop) leave(id room.ID) <-chan struct{} {
	l.mu.Lock()
	r := l.room(id)
	if r.left == nil {
		r.left = make(chan struct{})
	}
	left := r.left
	l.deliver(r, ownership.Event{Kind: ownership.Drain})
	return left
}

// left counts the rooms that are still here, and says why one of them stays for good.
func (l *Loop) left(begun map[room.ID]bool) (n int, stays error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range begun {
		r := l.rooms[id]
		if r == nil || r.machine.State() == ownership.Absent || r.machine.State() == ownership.Ending {
			continue
		}
		n++
		if held := r.machine.Held(); held.Why != "" {
			stays = &held
		}
	}
	return n, stays
}
