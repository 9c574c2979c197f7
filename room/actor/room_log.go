package actor

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// roomLog is a room's log on its way to be durable: entries that were stepped wait in pending, batches of them in window until
// they are committed, and at most one snapshot goes with them. Only the room's goroutine uses it. The log of a room that is
// kept in memory alone has no store and keeps nothing.
type roomLog struct {
	room   room.ID
	store  LogStore
	most   int                 // batches in window
	expect func(record.Point)  // is told how far the log is handed over; commits beyond are refused
	logger func() *slog.Logger // for the operator
	epoch  record.Epoch        // the present one
	opened room.Index          // the entry that began it

	pending     []core.Entry
	since       time.Duration // when the first of pending was stepped
	window      []inflight    // oldest first
	handed      int           // how many of window the store has
	durable     room.Index    // the end of what is committed
	snapshotDue bool          // one is to be taken
	snapshot    *record.Snapshot
	snapHanded  bool  // the store has the snapshot
	failing     error // why nothing can be saved at present; a room.ErrPermanent is for ever
	warned      bool  // of failing, and nothing was saved since
}

// inflight is a batch that is not committed yet.
type inflight struct {
	batch record.Batch
	since time.Duration // when its first entry was stepped
}

// add takes the entry of an input that was stepped at a time of the clock.
func (l *roomLog) add(e core.Entry, at time.Duration) {
	if l.store == nil {
		return
	}
	if e.Kind == core.KindEpoch {
		l.epoch, l.opened = e.Epoch, e.Index
		l.expectHanded()
	}
	if len(l.pending) == 0 {
		l.since = at
	}
	l.pending = append(l.pending, e)
}

// write makes batches of what is pending, as many as may be under way, and hands them over. What is stepped meanwhile
// goes into the next batches, so the slower the store is the larger the groups that are committed together. What begins an epoch
// does not wait, because until the store has it nothing is committed.
func (l *roomLog) write() error {
	for len(l.pending) > 0 && (l.pending[0].Index <= l.opened ||
		len(l.window) < l.most && len(l.pending) >= leastEntries(len(l.window))) {
		if err := l.batch(); err != nil {
			return record.Permanent(err)
		}
	}
	return l.handOver()
}

// leastEntries is how many entries make a batch when so many batches are under way. One batch goes while another is being
// written; a third would wait behind them, and costs less as a part of something larger.
func leastEntries(underway int) int { return 1 << (2 * max(underway-1, 0)) }

// largeBatch is how many bytes of inputs end a batch: no store need take all that may wait at once.
const largeBatch = 1 << 20

// batch moves entries from pending into a new batch. A cut of the log and an epoch begin another.
func (l *roomLog) batch() error {
	n, size := 1, len(l.pending[0].Data)
	for n < len(l.pending) && !beginsBatch(l.pending[n].Kind) && size < largeBatch {
		size += len(l.pending[n].Data)
		n++
	}
	first, last := l.pending[0], l.pending[n-1]
	raw, err := core.EncodeEntries(nil, l.pending[:n]...)
	if err != nil {
		return err
	}
	l.window = append(l.window, inflight{since: l.since, batch: record.Batch{
		Room: l.room, Epoch: last.Epoch, First: first.Index, Last: last.Index, Time: last.At,
		Begins: first.Kind == core.KindCut, Entries: raw,
	}})
	l.pending = slices.Delete(l.pending, 0, n)
	return nil
}

func beginsBatch(k core.Kind) bool { return k == core.KindCut || k == core.KindEpoch }

// handOver gives the store what it does not have: batches, then the snapshot when all before it is there.
func (l *roomLog) handOver() error {
	for l.handed < len(l.window) {
		b := l.window[l.handed].batch
		l.expect(record.Point{Epoch: l.epoch, Seq: b.Last}) // before: the commit may come at once
		if err := l.store.Append(b); err != nil {
			l.expectHanded()
			return err
		}
		l.handed++
	}
	if l.snapshot == nil || l.snapHanded || l.snapshot.Index > l.end() {
		return nil
	}
	err := l.store.Save(*l.snapshot)
	if errors.Is(err, record.ErrPermanent) {
		l.logger().Error("a snapshot cannot be saved: the room will be replayed from its log", "err", err)
		l.snapshot = nil
		return nil
	}
	l.snapHanded = err == nil
	return err
}

// end is the end of what is handed over.
func (l *roomLog) end() room.Index {
	if l.handed == 0 {
		return l.durable
	}
	return max(l.window[l.handed-1].batch.Last, l.durable)
}

func (l *roomLog) expectHanded() { l.expect(record.Point{Epoch: l.epoch, Seq: l.end()}) }

// committed notes that the log is durable up to an index, and tells how long ago each batch was begun.
func (l *roomLog) committed(i room.Index, now time.Duration, delay func(time.Duration)) {
	n := 0
	for n < len(l.window) && l.window[n].batch.Last <= i {
		delay(now - l.window[n].since)
		n++
	}
	l.window = slices.Delete(l.window, 0, n)
	l.handed, l.durable, l.warned = max(l.handed-n, 0), max(l.durable, i), false
}

// saved notes that the snapshot of an index is durable.
func (l *roomLog) saved(i room.Index) {
	if l.snapshot != nil && l.snapHanded && i >= l.snapshot.Index {
		l.snapshot, l.warned = nil, false
	}
}

// lost notes that what was handed over is not durable: all of it is handed over again.
func (l *roomLog) lost() { l.handed, l.snapHanded = 0, false }

// resume hands over again what the store does not have.
func (l *roomLog) resume() error {
	l.failing = nil
	if l.handed == len(l.window) && (l.snapshot == nil || l.snapHanded) {
		l.warned = false
		return nil
	}
	return l.handOver()
}

// empty reports whether all that was stepped is durable, the snapshot too.
func (l *roomLog) empty() bool {
	return len(l.pending) == 0 && len(l.window) == 0 && l.snapshot == nil
}

// writeLog takes a snapshot if one is due and hands the log to its store.
func (r *liveRoom) writeLog() {
	if r.log.store == nil || r.log.failing != nil {
		return
	}
	r.takeSnapshot()
	if err := r.log.write(); err != nil {
		r.logFailed(err)
	}
}

// snapshotting stands for a game's snapshot in the black box: it may kill the process as an input may.
var snapshotting = core.Input{Name: "snapshot"}.Fingerprint()

// takeSnapshot takes a snapshot if one is due, none is under way, and the room is at a point where one can be taken.
func (r *liveRoom) takeSnapshot() {
	if !r.log.snapshotDue || r.log.snapshot != nil {
		return
	}
	take := func() (record.Snapshot, error) {
		mark := r.o.Black.Begin(r.id, snapshotting)
		defer mark.Release()
		return r.core.Snapshot()
	}
	snap, err := take()
	for r.life.stopping && errors.Is(err, core.ErrNotClean) && r.stepEarly() {
		snap, err = take()
	}
	if errors.Is(err, core.ErrNotClean) {
		return // after the next tick
	}
	r.log.snapshotDue = false
	if err != nil {
		r.logger().Error("no snapshot could be taken: the room will be replayed from its log", "err", err)
		return
	}
	r.log.snapshot, r.log.snapHanded = &snap, false
}

// stepEarly steps what is due next before its time. A room that ticks and stops goes on to its next tick, because only there
// a snapshot can be taken, and only from a snapshot can a newer version go on.
func (r *liveRoom) stepEarly() bool {
	at, ok := r.core.Deadline()
	if !ok {
		return false
	}
	in, ok := r.core.Due(at)
	return ok && r.apply(in).Entry != nil
}

func (r *liveRoom) commitDelay(d time.Duration) { r.o.Metrics.CommitDelay(r.header.Durability, d) }

// hearLog takes in what has become of the log.
func (r *liveRoom) hearLog(c control) {
	if c.refused != (record.Point{}) && !r.refused {
		r.refused = true
		r.logger().Error("a commit is refused: it is not of what this room has handed over; further ones are not logged",
			"epoch", c.refused.Epoch, "index", c.refused.Seq, "present_epoch", r.core.Point().Epoch)
	}
	if c.commit > 0 {
		r.log.committed(c.commit, r.o.Clock.Now(), r.commitDelay)
		r.commit(c.commit)
	}
	if c.saved > 0 {
		r.log.saved(c.saved)
	}
	if c.failed != nil {
		r.log.lost()
		r.logFailed(c.failed)
	}
	if c.unavailable != nil {
		r.logFailed(c.unavailable)
	}
	if c.available {
		if err := r.log.resume(); err != nil {
			r.logFailed(err)
		}
	}
}

// logFailed has the room stand still: nothing more is acknowledged, and every client is told to come back. When the error is a
// room.ErrPermanent the room is held, see end.
func (r *liveRoom) logFailed(err error) {
	if r.log.failing != nil {
		return
	}
	r.log.failing = err
	if errors.Is(err, record.ErrPermanent) {
		return
	}
	if !r.log.warned {
		r.log.warned = true
		r.logger().Error("the room cannot be saved and stands still", "err", err)
	}
	for s := range r.sessions.all() {
		s.close(closeUnsaved(), false)
	}
}
