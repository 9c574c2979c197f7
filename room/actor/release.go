package actor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
)

// Give takes a room out of this node's hands, into the store or to another node. From its call on nothing of the room
// is acknowledged here. ErrMovedOn: the room is somebody else's already. room.ErrPermanent: it can never be given away as it
// is, and stays. After any other error Release tries again, until its ctx ends.
type Give func(ctx context.Context, kept room.Kept) error

// departure is a room on its way out of this node.
type departure struct {
	id room.ID
	// Set by the room when it stops.
	at      time.Duration   // its time
	last    room.Index      // committed
	done    bool            // nothing is left to give away
	settled <-chan struct{} // of a finished room: closed when its result is stored
}

var errLeaving = &UnreachableError{"the room is on its way to another node: retry"}

// releaseMessage ends the room's time at this node.
type releaseMessage struct{ leaving *departure }

func (m releaseMessage) handle(r *liveRoom) {
	r.leaving = m.leaving
	stopMessage{}.handle(r)
}

// leave notes what the departure must know, when everything the room has said is safe.
func (r *liveRoom) leave() {
	l := r.leaving
	l.at, l.last = r.now(), r.core.Committed()
	if r.core.Final() != nil {
		l.settled = r.settled
	}
	l.done = !r.durable
	if !r.stored {
		return
	}
	for s := range r.sessions() {
		s.close(closing(closeOver()), false)
	}
	if l.done = true; r.durable {
		r.dir.later(func(ctx context.Context) { r.dir.removeLog(ctx, r.id) })
	}
}

// Release gives all rooms away, Options.Releases of them at a time, and takes no new ones from its call on. Of each it
// takes no more input, saves a snapshot, waits for what it has stepped to be durable, sends what that releases, ends its
// sessions with 4100, and hands what the journal keeps to give. When give has taken it the journal forgets it.
// A finished room waits for its result to be stored, for a while, and then needs no giving.
//
// Rooms kept in memory alone are lost: nothing of them can be given. A room whose log is damaged, or that give
// refuses with a room.ErrPermanent, is logged once and not given away. Release returns nil when no room is left, such a
// room's error when only such ones are, and the cause of ctx when that ends before. Those that are left stay in the journal, which brings them back when this node starts again;
// Release may be called again for them.
func (d *Directory) Release(ctx context.Context, give Give) error {
	d.Drain()
	slots := make(chan struct{}, d.o.Releases)
	var wg sync.WaitGroup
	begun := map[room.ID]bool{}
	var stays firstError
	for last := false; !last; {
		last = !d.arriving()
		for _, id := range d.present() {
			if !begun[id] {
				begun[id] = true
				wg.Go(func() { stays.set(d.release(ctx, id, give, slots)) })
			}
		}
		if !last && !d.sleep(ctx, 20*time.Millisecond) {
			break
		}
	}
	wg.Wait()
	if n := len(d.present()); n > 0 {
		why := cmp.Or(context.Cause(ctx), stays.err)
		return fmt.Errorf("%d rooms could not be given away and stay in this node's journal: %w", n, why)
	}
	return nil
}

// arriving reports whether rooms may still come that were let in before Drain.
func (d *Directory) arriving() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.coming > 0 || len(d.adoptions) > 0
}

// present are the rooms that this node has not yet got rid of.
func (d *Directory) present() []room.ID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ids := make([]room.ID, 0, len(d.rooms)+len(d.leaving))
	for id := range d.rooms {
		ids = append(ids, id)
	}
	for id := range d.leaving {
		ids = append(ids, id)
	}
	return ids
}

// firstError keeps the first of the errors that goroutines come to.
type firstError struct {
	once sync.Once
	err  error
}

func (f *firstError) set(err error) {
	if err != nil {
		f.once.Do(func() { f.err = err })
	}
}

// release gives a room away, holding one of the slots while it works. The error is why it never can be.
func (d *Directory) release(ctx context.Context, id room.ID, give Give, slots chan struct{}) error {
	if !enter(ctx, slots) {
		return nil
	}
	held := true
	pause := func(wait func() bool) bool { // lets others go first
		<-slots
		held = wait() && enter(ctx, slots)
		return held
	}
	defer func() {
		if held {
			<-slots
		}
	}()
	if r := d.lookup(id); r != nil && !d.out(ctx, r, pause) {
		return nil
	}
	d.mu.RLock()
	l := d.leaving[id]
	d.mu.RUnlock()
	if l == nil {
		return nil // it had nothing to give
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := d.give(ctx, l, give)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, room.ErrDamaged):
			d.o.Log.Error("a room cannot be given away: start this node again to see what is left of it", "room", id, "err", err)
			return err
		case errors.Is(err, room.ErrPermanent):
			d.o.Log.Error("a room cannot be given away: it stays in this node's journal and goes on when this node starts again", "room", id, "err", err)
			return err
		}
		d.o.Log.Warn("a room could not be given away: trying again", "room", id, "err", err)
		if !pause(func() bool { return d.sleep(ctx, wait) }) {
			return nil
		}
	}
}

func enter(ctx context.Context, slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// out has a room stop and waits until it has left memory. One that does not stop soon gives up its place.
func (d *Directory) out(ctx context.Context, r *liveRoom, pause func(func() bool) bool) bool {
	if info, ok := r.public(); ok && info.Final != nil && !d.within(ctx, d.o.ReleaseResults, r.settled, r.in.gone) {
		r.log().Warn("a finished room leaves before its result is stored: whoever takes it on stores it")
	}
	r.in.command(releaseMessage{&departure{id: r.id}})
	if d.within(ctx, d.o.ReleaseWait, r.in.gone, nil) {
		return true
	}
	return pause(func() bool {
		select {
		case <-r.in.gone:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// within waits for either channel to be closed, for at most so long.
func (d *Directory) within(ctx context.Context, patience time.Duration, one, other <-chan struct{}) bool {
	over := make(chan struct{})
	t := d.o.Clock.AfterFunc(patience, func() { close(over) })
	defer t.Stop()
	select {
	case <-one:
		return true
	case <-other:
		return true
	case <-over:
		return false
	case <-ctx.Done():
		return false
	}
}

// give hands over what the journal keeps of a room that has left memory.
func (d *Directory) give(ctx context.Context, l *departure, give Give) error {
	kept, err := d.o.Journal.Load(ctx, l.id)
	if err != nil {
		return err
	}
	switch last := kept.Last(); {
	case kept.Cut != "":
		return fmt.Errorf("%w: %s", room.ErrDamaged, kept.Cut)
	case last < l.last:
		return fmt.Errorf("%w: its log ends at %d, and %d was acknowledged", room.ErrDamaged, last, l.last)
	}
	kept.Time = max(l.at, 0)
	switch err = give(ctx, kept); {
	case err == nil:
		d.forget(l, d.o.Journal.Remove(ctx, l.id))
	case !errors.Is(err, ErrMovedOn):
		return err
	case l.settled != nil && d.within(ctx, d.o.ReleaseResults, l.settled, nil):
		d.forget(l, d.o.Journal.Remove(ctx, l.id)) // its result came first, which ends its row
	default:
		d.o.Log.Warn("a room has moved on: this node's copy is set aside", "room", l.id)
		d.forget(l, d.o.Journal.SetAside(ctx, l.id, "another node has taken the room on"))
	}
	return nil
}

// forget drops a room that is somebody else's. What the journal could not drop, the next start sets aside: the row tells.
func (d *Directory) forget(l *departure, err error) {
	if err != nil {
		d.o.Log.Warn("a room that was given away is still in the journal: the next start sets it aside", "room", l.id, "err", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.leaving, l.id)
}
