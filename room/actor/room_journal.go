package actor

import (
	"errors"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// stretch is a part of the log on its way to the journal.
type stretch struct {
	batch room.Batch
	snap  *room.Snapshot
	since time.Duration // when its first entry was stepped
}

// waiter is somebody whose answer waits for a commit.
type waiter struct {
	at   room.Index
	done chan<- error
}

// flush hands what was stepped to the journal. One stretch is there at a time; what is stepped meanwhile
// becomes the next one, so a busy room commits in groups as large as the journal is slow.
func (r *liveRoom) flush() {
	if !r.durable {
		r.pending = r.pending[:0]
		return
	}
	if r.flight != nil || r.failing != nil || len(r.pending) == 0 && !r.stopping {
		return
	}
	s := &stretch{since: r.since}
	if r.upToCut() == len(r.pending) {
		s.snap = r.takeSnapshot()
	}
	n := r.upToCut()
	if n < len(r.pending) && s.snap != nil {
		s.snap, r.snapshot = nil, true // it is of a later point: the next stretch takes it
	}
	if s.snap == nil && n == 0 {
		return
	}
	if err := s.fill(r.id, r.core.Point(), r.pending[:n]); err != nil {
		r.suffer(room.Permanent(err))
		return
	}
	r.pending = append(r.pending[:0], r.pending[n:]...)
	r.flight = s
	r.submit()
}

// upToCut is how many of the entries that wait are one stretch: a cut of the log begins another.
func (r *liveRoom) upToCut() int {
	for i, e := range r.pending {
		if i > 0 && e.Kind == room.KindCut {
			return i
		}
	}
	return len(r.pending)
}

func (s *stretch) fill(id room.ID, now room.Point, entries []room.Entry) error {
	s.batch = room.Batch{Room: id, Epoch: now.Epoch}
	if len(entries) == 0 {
		return nil
	}
	last := entries[len(entries)-1]
	s.batch.First, s.batch.Last, s.batch.Epoch, s.batch.Time = entries[0].Index, last.Index, last.Epoch, last.At
	s.batch.Begins = entries[0].Kind == room.KindCut
	raw, err := room.EncodeEntries(nil, entries...)
	s.batch.Entries = raw
	return err
}

// snapshotting stands for a game's snapshot in the black box: it may kill the process as an input may.
var snapshotting = room.Input{Name: "snapshot"}.Fingerprint()

// takeSnapshot takes one if it is due and the room is at a point where it can be taken.
func (r *liveRoom) takeSnapshot() *room.Snapshot {
	if !r.snapshot {
		return nil
	}
	snap, err := r.shoot()
	for r.stopping && errors.Is(err, room.ErrNotClean) && r.hurry() {
		snap, err = r.shoot()
	}
	if errors.Is(err, room.ErrNotClean) {
		return nil // after the next tick
	}
	r.snapshot = false
	if err != nil {
		r.log().Error("no snapshot could be taken: the room will be replayed from its log", "err", err)
		return nil
	}
	return &snap
}

func (r *liveRoom) shoot() (room.Snapshot, error) {
	mark := r.o.Black.Begin(r.id, snapshotting)
	defer mark.Release()
	return r.core.Snapshot()
}

// hurry steps what is due next ahead of its time: a room that ticks and ends its time in this process goes to its
// next tick, because only there a snapshot can be taken, and only from one can a newer version go on.
func (r *liveRoom) hurry() bool {
	at, ok := r.core.Deadline()
	if !ok {
		return false
	}
	in, ok := r.core.Due(at)
	return ok && r.apply(in).Entry != nil
}

func (r *liveRoom) submit() {
	r.refused = false
	done := func(err error) { r.in.tell(func(c *control) { c.commit = &committed{err} }) }
	err := r.o.Journal.Append(r.flight.batch, r.flight.snap, done)
	if r.flight.snap != nil && errors.Is(err, room.ErrPermanent) {
		r.log().Error("the journal does not take a snapshot: the room will be replayed from its log", "err", err)
		r.flight.snap, err = nil, nil
		if r.flight.batch.Last > 0 {
			err = r.o.Journal.Append(r.flight.batch, nil, done)
		} else {
			done(nil)
		}
	}
	if err != nil {
		done(err)
	}
}

// landed hears what has become of the stretch in flight.
func (r *liveRoom) landed(err error) {
	if err != nil {
		r.refused = true
		r.suffer(err)
		return
	}
	s := r.flight
	r.flight, r.told = nil, false
	r.commit(s.batch.Last)
	r.o.Metrics.CommitDelay(r.o.Clock.Now() - s.since)
}

// release commits what needs no journal and sends out everything that may leave.
func (r *liveRoom) release() {
	i := r.core.Committed()
	if !r.durable {
		i = r.core.Point().Seq
	}
	r.commit(i)
}

func (r *liveRoom) commit(i room.Index) {
	var out []room.Output
	if r.core.Held() > 0 || i > r.core.Committed() {
		out = r.core.Commit(i)
	}
	r.committed.Store(uint64(r.core.Committed()))
	r.publish() // before anybody hears of it: who asks then is told no less
	r.route(out)
	r.rouse()
	r.dispatch()
}

// answer tells those who have waited for a commit that has come.
func (r *liveRoom) answer() {
	i := r.core.Committed()
	kept := r.waiters[:0]
	for _, w := range r.waiters {
		if w.at > i {
			kept = append(kept, w)
			continue
		}
		w.done <- nil
	}
	clear(r.waiters[len(kept):])
	r.waiters = kept
}

// heal hears that the journal has begun to fail, or works again.
func (r *liveRoom) heal(err error) {
	if err != nil {
		r.suffer(err)
		return
	}
	r.failing = nil
	if r.refused {
		r.submit()
		return
	}
	r.told = false
}

// suffer stands the room still: nothing more is acknowledged, and everybody is told to come back. What trying again
// cannot help holds the room instead, see end.
func (r *liveRoom) suffer(err error) {
	if r.failing != nil {
		return
	}
	r.failing = err
	if errors.Is(err, room.ErrPermanent) {
		r.lost = true
		return
	}
	r.dir.sick(r)
	if !r.told {
		r.told = true
		r.log().Error("the room cannot be saved and stands still", "err", err)
	}
	for s := range r.sessions() {
		s.close(closeUnsaved(), false)
	}
}

// holdUnsaved takes a room that can never be saved as it is out of memory. What is durable stays in the journal, and the
// next start goes on from there: nothing that came after was acknowledged.
func (r *liveRoom) holdUnsaved() {
	held := r.dir.holdAs(Held{ID: r.id, Game: r.game, Why: fmt.Sprintf(
		"it cannot be saved: %v: it goes on from index %d when this node starts again", r.failing, r.core.Committed())})
	for s := range r.sessions() {
		s.close(closing(wire.CloseUnreachable, held.Error()), false)
	}
	r.left = true
}

func closeUnsaved() *CloseError {
	return closing(wire.CloseUnreachable, "the game cannot be saved right now: it stands still, try again soon")
}

func closeMoved() *CloseError {
	return closing(wire.CloseMoved, "the server is restarting: reconnect")
}

// Moved reports whether the room goes on elsewhere: who attaches again, wherever it is then, misses nothing.
func (e *CloseError) Moved() bool { return e != nil && e.Code == wire.CloseMoved }

func closeOver() (wire.CloseCode, string) { return wire.CloseOver, "the room is over" }
