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

// Drain gives all rooms away, OwnerOptions.Releases of them at a time: to their standbys, or else into the store. From then on the owner
// accepts neither rooms nor copies. Drain blocks until no room is left here and no row needs a copy here, and then returns nil. If only
// rooms are left that can never be given away, it returns the error of one of them. If ctx ends first, it returns ctx's cause. The rooms
// that are left stay in the journal, and go on at their standbys or when this node starts again. Drain may be called again for them.
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
		for _, id := range w.loop.copies() {
			if !begun[id] {
				begun[id] = true
				wg.Go(func() { w.dismissed(ctx, id) })
			}
		}
		if !last && !clock.Sleep(ctx, w.o.Clock, 20*time.Millisecond) {
			break
		}
	}
	wg.Wait()
	left, one, held := w.loop.remaining(begun)
	if left == 0 {
		return nil
	}
	return fmt.Errorf("%d rooms could not be given away and stay in this node's journal (%s): %w", left, one, cmp.Or(context.Cause(ctx), held))
}

// heir waits until a room has a standby that stays, if it may get one: the room plays on meanwhile, while the way through the store
// would take it from its players for longer.
func (w *Owner) heir(ctx context.Context, id room.ID) {
	if !w.copies.Wanting(id) {
		return
	}
	ctx, cancel := clock.WithTimeout(ctx, w.o.Clock, heirWait)
	defer cancel()
	for clock.Sleep(ctx, w.o.Clock, heirLook) && w.copies.Wanting(id) {
	}
}

const (
	heirWait = 3 * time.Second
	heirLook = 50 * time.Millisecond
)

// release gives one room away and waits until no row needs this node's copy of it. It holds a slot meanwhile, but for ReleaseWait at most, so
// that a slow room does not delay the others.
func (w *Owner) release(ctx context.Context, id room.ID, slots chan struct{}) {
	w.heir(ctx, id)
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	idle, given := w.loop.release(id)
	late, stop := clock.After(w.o.Clock, w.o.ReleaseWait)
	defer stop()
	select {
	case <-given:
	case <-late:
	case <-ctx.Done():
	}
	<-slots
	select {
	case <-given: // its new owner still has this node as its standby
		w.unneeded(ctx, id, idle)
	case <-idle:
	case <-ctx.Done():
	}
}

// dismissed waits until a copy that another node's owner feeds is needed no more. That owner finds itself another standby.
func (w *Owner) dismissed(ctx context.Context, id room.ID) {
	idle, _ := w.loop.release(id)
	w.unneeded(ctx, id, idle)
}

// unneeded waits until a copy is gone, or its row has not named it for a while.
func (w *Owner) unneeded(ctx context.Context, id room.ID, idle <-chan struct{}) {
	looks := clock.NewTicker(w.o.Clock, lookEvery)
	defer looks.Stop()
	for needless := 0; needless < enoughLooks; needless++ {
		w.loop.Deliver(id, ownership.Event{Kind: ownership.Look}, nil)
		select {
		case <-idle:
			return
		case <-looks.C:
		case <-ctx.Done():
			return
		}
		if w.loop.member(id) {
			needless = -1
		}
	}
}

// A copy that its row has not named at so many looks is needed by nobody. An owner that feeds it as its learner finds it gone, and chooses another.
const (
	lookEvery   = 500 * time.Millisecond
	enoughLooks = 3
)

// member reports whether this node is a room's standby, or may take it.
func (l *Loop) member(id room.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[id]
	return r != nil && needed(r.machine)
}

// needed reports whether a room is more here than a copy that its row does not name.
func needed(m *ownership.Machine) bool {
	s := m.State()
	return s == ownership.Seizing || m.Member() || s != ownership.Learning && s != ownership.Following
}

// drain makes the loop refuse rooms from the store and from other nodes.
func (l *Loop) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
}

// served returns the rooms that this node serves or is giving away.
func (l *Loop) served() (ids []room.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.rooms {
		if s := r.machine.State(); s == ownership.Owning || s == ownership.Yielding || s == ownership.Releasing {
			ids = append(ids, id)
		}
	}
	return ids
}

// copies returns the rooms that are copied here.
func (l *Loop) copies() (ids []room.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.rooms {
		if followed(r.machine.State()) {
			ids = append(ids, id)
		}
	}
	return ids
}

// release makes a room's machine give it away. Idle is closed when the room is Absent or Held, given when this node does not own it any
// more.
func (l *Loop) release(id room.ID) (idle, given <-chan struct{}) {
	l.mu.Lock()
	r := l.room(id)
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	if r.given == nil {
		r.given = make(chan struct{})
	}
	idle, given = r.idle, r.given
	l.deliver(r, ownership.Event{Kind: ownership.Drain})
	return idle, given
}

// remaining counts the rooms that are still here, and says where one of them stands. If some are held, it returns why one of them is.
func (l *Loop) remaining(begun map[room.ID]bool) (n int, one string, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range begun {
		r := l.rooms[id]
		if r == nil || r.machine.State() == ownership.Absent || r.machine.State() == ownership.Ending || !needed(r.machine) {
			continue
		}
		n++
		one = fmt.Sprintf("%s is %s", id, r.machine.State())
		if held := r.machine.Held(); held.Why != "" {
			why = &held
		}
	}
	return n, one, why
}
