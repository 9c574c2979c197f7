package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Replicas copies the logs of rooms between nodes. Members are named by their data folders. Only Learn and Unfollow block, on the disk.
type Replicas interface {
	// Lead begins to own a room, with the log that the journal has; nil: the room is new. Wary: its owner was lost, or others before it
	// in a known step, and so this process may be if it steps the same.
	Lead(h record.Header, e record.Epoch, standby string, kept *record.Kept, wary bool)
	// Enter goes on at a later epoch, with another standby.
	Enter(id room.ID, e record.Epoch, standby string)
	// Replicate lets a room be copied: it has a row.
	Replicate(id room.ID, h record.Header)
	// Join counts a follower as a member.
	Join(id room.ID, folder string)
	// Notify tells a follower to look at a room's row.
	Notify(id room.ID, folder string)
	// Retire lets the followers of a room go. It is copied no more.
	Retire(id room.ID)
	// Pass tells the standby that it may take a room, which this node owns at an epoch and does not serve. Stopped is its room time; 0:
	// not known.
	Pass(id room.ID, e record.Epoch, folder string, log ownership.Log, stopped time.Duration)
	// Wanting reports whether a room lacks a standby that stays while there is a node that could be it. It has one looked for.
	Wanting(id room.ID) bool
	// Decline tells an owner that this node does not take what it was offered.
	Decline(id room.ID, e record.Epoch, folder string, log ownership.Log)

	// Offered is the header of a room that was offered at an epoch.
	Offered(id room.ID, e record.Epoch) (record.Header, bool)
	// Follow begins to take what a room's owner sends, at an epoch that the row has shown or later.
	Follow(id room.ID, e record.Epoch, owner string, kept record.Kept)
	// Unfollow ends that and returns when all that was taken is written: the index of the last entry, and room time as the owner told
	// it last. Lost: the owner did not give the room away. A step that it has not returned from is noted in the black box. Not
	// followed: it was not.
	Unfollow(id room.ID) (last room.Index, at time.Duration, lost, followed bool)
	// Stepping is the step from which the owner of a followed room has not returned, as far as it has said, and how many processes had died
	// in it by then.
	Stepping(id room.ID) (s record.Strike, open bool)
	// Node is the name of the node that serves a folder; "": it is not known.
	Node(folder string) string
	// Copy says what a follower has.
	Copy(id room.ID) (log ownership.Log, followed bool)
}

// alone copies nothing: there is no other node.
type alone struct{}

func (alone) Lead(record.Header, record.Epoch, string, *record.Kept, bool)              {}
func (alone) Enter(room.ID, record.Epoch, string)                                       {}
func (alone) Replicate(room.ID, record.Header)                                          {}
func (alone) Join(room.ID, string)                                                      {}
func (alone) Notify(room.ID, string)                                                    {}
func (alone) Retire(room.ID)                                                            {}
func (alone) Pass(room.ID, record.Epoch, string, ownership.Log, time.Duration)          {}
func (alone) Wanting(room.ID) bool                                                      { return false }
func (alone) Decline(room.ID, record.Epoch, string, ownership.Log)                      {}
func (alone) Offered(room.ID, record.Epoch) (h record.Header, ok bool)                  { return }
func (alone) Follow(room.ID, record.Epoch, string, record.Kept)                         {}
func (alone) Unfollow(room.ID) (last room.Index, at time.Duration, lost, followed bool) { return }
func (alone) Stepping(room.ID) (s record.Strike, open bool)                             { return }
func (alone) Node(string) string                                                        { return "" }
func (alone) Copy(room.ID) (log ownership.Log, followed bool)                           { return }

// Deliver gives an event that has come from another node, or from the policy of copies, to a room's machine. While this node gives its
// rooms away it takes no new copies.
func (w *Owner) Deliver(id room.ID, e ownership.Event) {
	w.loop.mu.Lock()
	refused := e.Kind == ownership.Offered && w.loop.draining && w.loop.rooms[id] == nil
	w.loop.mu.Unlock()
	if refused {
		w.copies.Decline(id, e.Epoch, e.Folder, ownership.Log{})
		return
	}
	w.loop.Deliver(id, e, nil)
}

// readRow reads a room's row and then what this node keeps of it. Without a store there is no row.
func (w *Owner) readRow(r *Room, answer func(ownership.Event)) {
	if w.o.Store == nil {
		answer(w.withLog(r, ownership.Event{Outcome: ownership.NoRow}))
		return
	}
	w.reads.put(write[room.ID]{r.ID, func(a ownership.Event) { answer(w.withLog(r, a)) }})
}

// readRows reads the rows of many rooms at once and answers each.
func (w *Owner) readRows(some []write[room.ID]) {
	ids := make([]room.ID, len(some))
	for i, one := range some {
		ids[i] = one.what
	}
	ctx, cancel := clock.WithTimeout(w.ctx, w.o.Clock, w.o.Timeout)
	defer cancel()
	rows, err := w.o.Store.Rows(ctx, ids)
	if err != nil && w.ctx.Err() == nil {
		w.o.Log.Warn("rooms wait for the store to say who has them", "err", err)
		w.failed(err)
	}
	for i, one := range some {
		switch {
		case err != nil:
			one.answer(ownership.Event{Err: err})
		case rows[i] == record.Row{}:
			one.answer(ownership.Event{Outcome: ownership.NoRow})
		default:
			one.answer(ownership.Event{Row: rows[i]})
		}
	}
}

// withLog adds to a row that was read what this node keeps of the room now.
func (w *Owner) withLog(r *Room, a ownership.Event) ownership.Event {
	log, followed := w.copies.Copy(r.ID)
	switch {
	case a.Err != nil:
	case followed:
		a.Log = log
	case r.Kept != nil:
		a.Log = logOf(*r.Kept)
	case r.stopped || r.expelled:
		a.Log = w.load(w.ctx, r).Log
	}
	return a
}

// loaded is what the journal has of a room, when done is closed.
type loaded struct {
	done chan struct{}
	kept record.Kept
	err  error
}

// loadAhead begins to read the log of a room that has stopped and was passed on, so that this node can follow the next owner at once: until
// then that one acknowledges nothing.
func (w *Owner) loadAhead(r *Room) {
	if !r.stopped || r.ahead != nil {
		return
	}
	a := &loaded{done: make(chan struct{})}
	r.ahead = a
	if !w.spawn(func() {
		a.kept, a.err = w.o.Journal.Load(w.ctx, r.ID)
		close(a.done)
	}) {
		r.ahead = nil
	}
}

// fromJournal reads what the journal keeps of a room. Nothing is written to one that has stopped.
func (w *Owner) fromJournal(ctx context.Context, r *Room) (record.Kept, error) {
	if a := r.ahead; a != nil {
		r.ahead = nil
		if <-a.done; a.err == nil {
			return a.kept, nil
		}
	}
	return w.o.Journal.Load(ctx, r.ID)
}

// load reads what the journal keeps of a room.
func (w *Owner) load(ctx context.Context, r *Room) (answer ownership.Event) {
	last, at, lost, followed := w.copies.Unfollow(r.ID)
	r.yielded = followed && !lost
	kept, err := w.fromJournal(ctx, r)
	if err != nil {
		if w.ctx.Err() == nil {
			w.o.Log.Warn("the journal could not load a room", "room", r.ID, "err", err)
			w.failed(err)
		}
		return ownership.Event{Err: err}
	}
	if r.stopped {
		kept.Time = max(r.Time, 0)
	}
	kept.Time = max(kept.Time, at)
	if followed && kept.Last() < last && kept.Cut == "" {
		kept.Cut, kept.Doubt = fmt.Sprintf("it ends at %d, and %d was written", kept.Last(), last), record.Partial
		if err := w.o.Journal.Mark(r.ID, kept.Epoch, record.Partial, nil); err != nil { // no later process can know it
			return ownership.Event{Err: err}
		}
	}
	if followed {
		r.follows = w.loop.owner(r)
	}
	r.Kept, r.Header = &kept, kept.Header
	return ownership.Event{Log: logOf(kept)}
}

var errNotOffered = errors.New("the owner does not offer the room any more")

// learn keeps an empty copy of a room that was offered.
func (w *Owner) learn(ctx context.Context, r *Room, e record.Epoch) error {
	h, ok := w.copies.Offered(r.ID, e)
	if !ok {
		return errNotOffered
	}
	r.Header = h
	return w.o.Journal.Import(ctx, record.Kept{Header: h, Epoch: e, Doubt: record.Partial})
}

// follow lets a copy be fed. Its log is read if this node has had the room in memory before.
func (w *Owner) follow(r *Room, e record.Epoch, owner string) {
	if _, followed := w.copies.Copy(r.ID); followed {
		w.copies.Follow(r.ID, e, owner, record.Kept{})
		return
	}
	kept := record.Kept{Header: r.Header, Epoch: e, Doubt: record.Partial}
	if r.Kept != nil {
		kept = *r.Kept
	}
	if r.passed {
		w.moves.count(func(m *Moves) { m.Yielded++ })
	}
	r.Kept, r.Cargo, r.stopped, r.expelled, r.follows, r.passed = nil, nil, false, false, "", false
	w.copies.Follow(r.ID, e, owner, kept)
}

// note notes the epoch that is about to be claimed. A copy that is in doubt stays so until the store has granted it.
func (w *Owner) note(ctx context.Context, r *Room, e record.Epoch) error {
	if r.Kept == nil || r.Kept.Doubt == record.Whole {
		return w.o.Journal.Claimed(ctx, r.ID, e)
	}
	noted := make(chan error, 1)
	if err := w.o.Journal.Mark(r.ID, e, r.Kept.Doubt, func(err error) { noted <- err }); err != nil {
		return err
	}
	select {
	case err := <-noted:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// counts notes that a copy which was in doubt is the room's log now. It blocks on the disk.
func (w *Owner) counts(id room.ID, e record.Epoch) {
	w.o.Log.Error("a room goes on from a copy that may lack its last moments", "room", id, "epoch", e)
	if err := w.o.Journal.Claimed(w.ctx, id, e); err != nil {
		w.o.Log.Warn("the journal could not note that a copy counts", "room", id, "err", err)
	}
}
