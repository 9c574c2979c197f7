package actor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// inflight is a batch on its way to be committed.
type inflight struct {
	batch record.Batch
	since time.Duration // when its first entry was stepped
}

// waiter is somebody whose answer waits for a commit.
type waiter struct {
	at   room.Index
	done chan<- error
}

// flush makes batches of what was stepped, as many as may be under way, and hands them over. What is stepped meanwhile
// becomes the next ones, so a busy room commits in groups as large as its log store is slow.
func (r *liveRoom) flush() {
	if r.logStore == nil {
		r.pending = r.pending[:0]
		return
	}
	if r.failing != nil {
		return
	}
	r.takeSnapshot()
	for len(r.pending) > 0 && len(r.window) < r.o.Window && len(r.pending) >= worthwhile(len(r.window)) {
		if err := r.batch(); err != nil {
			r.fail(record.Permanent(err))
			return
		}
	}
	r.handOver()
}

// worthwhile is how many entries a batch has at least when so many are under way. One goes while another is written; a
// third would wait behind them, and costs less as a part of something larger.
func worthwhile(underway int) int { return 1 << (2 * max(underway-1, 0)) }

// largeBatch is how many bytes of inputs a batch has before another is begun: no log store need take all that may wait at once.
const largeBatch = 1 << 20

// batch makes one of the entries that wait. A cut of the log begins another.
func (r *liveRoom) batch() error {
	n, size := 1, len(r.pending[0].Data)
	for n < len(r.pending) && r.pending[n].Kind != core.KindCut && size < largeBatch {
		size += len(r.pending[n].Data)
		n++
	}
	first, last := r.pending[0], r.pending[n-1]
	raw, err := core.EncodeEntries(nil, r.pending[:n]...)
	if err != nil {
		return err
	}
	r.window = append(r.window, inflight{since: r.since, batch: record.Batch{
		Room: r.id, Epoch: last.Epoch, First: first.Index, Last: last.Index, Time: last.At,
		Begins: first.Kind == core.KindCut, Entries: raw,
	}})
	r.pending = slices.Delete(r.pending, 0, n)
	return nil
}

// handOver hands over what the log store has not got, or has not kept: batches first, then a snapshot when all before it is
// there.
func (r *liveRoom) handOver() {
	for r.taken < len(r.window) {
		b := r.window[r.taken].batch
		r.in.expect(record.Point{Epoch: r.core.Point().Epoch, Seq: b.Last})
		if err := r.logStore.Append(b); err != nil {
			r.in.expect(record.Point{Epoch: r.core.Point().Epoch, Seq: r.handedOver()})
			r.fail(err)
			return
		}
		r.taken++
	}
	if r.snap == nil || r.snapSent || r.snap.Index > r.handedOver() {
		return
	}
	switch err := r.logStore.Save(*r.snap); {
	case errors.Is(err, record.ErrPermanent):
		r.log().Error("a snapshot cannot be saved: the room will be replayed from its log", "err", err)
		r.snap = nil
	case err != nil:
		r.fail(err)
	default:
		r.snapSent = true
	}
}

// handedOver is the end of what was handed over.
func (r *liveRoom) handedOver() room.Index {
	if r.taken == 0 {
		return r.core.Committed()
	}
	return max(r.window[r.taken-1].batch.Last, r.core.Committed())
}

// snapshotting stands for a game's snapshot in the black box: it may kill the process as an input may.
var snapshotting = core.Input{Name: "snapshot"}.Fingerprint()

// takeSnapshot takes one if it is due, none is under way, and the room is at a point where it can be taken.
func (r *liveRoom) takeSnapshot() {
	if !r.snapDue || r.snap != nil {
		return
	}
	snap, err := r.shoot()
	for r.stopping && errors.Is(err, core.ErrNotClean) && r.hurry() {
		snap, err = r.shoot()
	}
	if errors.Is(err, core.ErrNotClean) {
		return // after the next tick
	}
	r.snapDue = false
	if err != nil {
		r.log().Error("no snapshot could be taken: the room will be replayed from its log", "err", err)
		return
	}
	r.snap, r.snapSent = &snap, false
}

func (r *liveRoom) shoot() (record.Snapshot, error) {
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

// hear takes in what has become of the log.
func (r *liveRoom) hear(c control) {
	if c.refused != (record.Point{}) && !r.refused {
		r.refused = true
		r.log().Error("a commit is refused that is not of what this room has handed over: it is told of once",
			"epoch", c.refused.Epoch, "index", c.refused.Seq, "present_epoch", r.core.Point().Epoch)
	}
	if c.commit > 0 {
		r.landed(c.commit)
	}
	if r.snap != nil && r.snapSent && c.saved >= r.snap.Index {
		r.snap, r.told = nil, false
	}
	if c.failed != nil {
		r.taken, r.snapSent = 0, false
		r.fail(c.failed)
	}
	if c.health != nil {
		r.recover(c.health.err)
	}
}

// landed hears that the log is durable up to an index.
func (r *liveRoom) landed(i room.Index) {
	n := 0
	for n < len(r.window) && r.window[n].batch.Last <= i {
		r.o.Metrics.CommitDelay(r.o.Clock.Now() - r.window[n].since)
		n++
	}
	r.window = slices.Delete(r.window, 0, n)
	r.taken, r.told = max(r.taken-n, 0), false
	r.commit(i)
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
	var out []core.Output
	if r.core.Held() > 0 || i > r.core.Committed() {
		out = r.core.Commit(i)
	}
	r.committed.Store(uint64(r.core.Committed()))
	r.publish() // before anybody hears of it: who asks then is told no less
	r.route(out)
	r.sendDeferred()
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

// recover hears that logs cannot be saved any more, or can be again.
func (r *liveRoom) recover(err error) {
	if err != nil {
		r.fail(err)
		return
	}
	r.failing = nil
	again := r.taken < len(r.window) || r.snap != nil && !r.snapSent
	r.handOver()
	if !again {
		r.told = false
	}
}

// fail stands the room still: nothing more is acknowledged, and everybody is told to come back. What trying again
// cannot help holds the room instead, see end.
func (r *liveRoom) fail(err error) {
	if r.failing != nil {
		return
	}
	r.failing = err
	if errors.Is(err, record.ErrPermanent) {
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
	held := &HeldError{Held{ID: r.id, Game: r.game, Why: fmt.Sprintf(
		"it cannot be saved: %v: it goes on from index %d when this node starts again", r.failing, r.core.Committed())}}
	r.o.Owner.Lost(r.id, held.Why)
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
