package journal

import (
	"fmt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// A node that keeps a copy of a room that another node serves appends what it is sent, as an owner does. It needs two things more: it cuts
// what its copy has and the owner has not, and it marks how far the copy can be relied on.

// ErrBeforeLog means that a log cannot be cut where it has no entries any more. Cut it at 0 and append it from where it begins.
var ErrBeforeLog = permanent("the log begins behind that entry: it can only be cut at 0, which empties it")

var errDoubt = permanent("this journal knows no such doubt")

// Cut drops the entries of a room's log behind last, and the snapshots behind it. The next Append begins at last+1. It takes its turn among the
// room's Appends, in the order of the calls, and never blocks. A process that is killed meanwhile leaves all of the entries or none, and
// never a snapshot behind the end of the log. Kept.Epoch does not fall. Cutting at the log's end changes nothing. Cutting at 0
// empties the log, and then it may begin with any core.KindCut.
//
// When Cut returns an error (ErrFull, ErrClosed, record.ErrNotFound, ErrUnread, ErrGap if the log is shorter, ErrBeforeLog) nothing was
// taken. After ErrFull the batches behind the cut are refused too, until it is offered again. Otherwise done is called as by Append. Its
// error is a record.ErrPermanent if entries that must be divided cannot be read: then the log stays as it was, and the room takes no
// batch in this life of the node. Done may be nil.
func (j *Journal) Cut(id room.ID, last room.Index, done func(error)) error {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	t, err := j.queue.ready(id)
	switch {
	case err != nil:
		return err
	case last > t.last:
		return ErrGap
	case last > 0 && last < t.first:
		return ErrBeforeLog
	case t.owed:
		return ErrFull
	case j.full(commandCost):
		t.refused = true
		return ErrFull
	}
	t.last, t.refused, t.imported = last, false, false
	if last == 0 {
		t.first = 0
	}
	j.queue.push(command{change: &cutLog{file: t.file, last: last}, size: commandCost, done: done})
	return nil
}

// Mark notes the highest epoch that a copy has promised to follow, and whether the copy can be relied on. Kept.Epoch is never lower from then
// on. It takes its turn among the room's Appends, in the order of the calls, and never blocks. Nothing is written if nothing changes.
//
// When Mark returns an error (ErrFull, ErrClosed, record.ErrNotFound, ErrUnread) nothing was taken. After ErrFull the room's batches and cuts
// are refused too, until something is marked. Otherwise done is called as by Append. Done may be nil.
func (j *Journal) Mark(id room.ID, epoch record.Epoch, d record.Doubt, done func(error)) error {
	if d > record.Unsure {
		return errDoubt
	}
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	t, err := j.queue.ready(id)
	switch {
	case err != nil:
		return err
	case j.full(commandCost):
		t.owed = true
		return ErrFull
	}
	var c change = nothing{}
	if epoch > t.epoch || d != t.doubt {
		c = putMark{file: t.file, epoch: epoch, doubt: d}
	}
	t.owed = false
	t.epoch, t.doubt = max(t.epoch, epoch), d
	j.queue.push(command{change: c, size: commandCost, done: done})
	return nil
}

// full reports whether a command of a size must wait. The caller holds the queue's mutex.
func (j *Journal) full(size int) bool {
	return j.queue.bytes+size > j.options.MaxPending && j.queue.bytes > 0
}

// nothing is a change that is there already. Its done function takes its turn all the same.
type nothing struct{}

func (nothing) apply(*writer) error { return nil }

// putMark writes a mark.
type putMark struct {
	file  *roomFile
	epoch record.Epoch
	doubt record.Doubt
}

func (c putMark) apply(w *writer) error {
	if err := w.needFormat(marksFormat); err != nil {
		return err
	}
	return w.append(c.file, kindMark, []int64{int64(c.epoch), int64(c.doubt), w.marks.loss})
}

// cutLog drops the entries behind last.
type cutLog struct {
	file *roomFile
	last room.Index
	outcome
}

func (c *cutLog) apply(w *writer) error {
	if c.refuse(c.file) {
		return nil
	}
	s, err := c.file.read(w.disk.root, logSuffix, true)
	if err != nil || s.end() <= c.last {
		return err
	}
	batches, err := cutBatches(s.batches, c.last)
	if err != nil {
		c.file.spoilt = record.Permanent(fmt.Errorf("the log of room %s cannot be cut behind entry %d: %w", c.file.id, c.last, err))
		c.refuse(c.file)
		return nil
	}
	// The snapshots go first. Without them the log only takes longer to read, but a snapshot of another history must never outlive it.
	for slot, at := range c.file.snaps {
		if at > c.last {
			if err := w.dropSnapshot(c.file, slot); err != nil {
				return err
			}
		}
	}
	w.marks.ended(c.file.key, c.last)
	return w.putLog(c.file, s.facts, batches...)
}

// outcome is of a change that a room's file may refuse, because a cut before it was impossible.
type outcome struct{ err error }

// refuse reports whether the file takes no change. Then the change must not be made, and its done function gets the reason.
func (o *outcome) refuse(f *roomFile) bool {
	o.err = f.spoilt
	return o.err != nil
}

func (o *outcome) refused() error { return o.err }

// refusal is why a change that was applied changed nothing; nil: it did what it should.
func refusal(c change) error {
	if r, can := c.(interface{ refused() error }); can {
		return r.refused()
	}
	return nil
}

// cutBatches returns the batches up to last, of which the last one may be divided.
func cutBatches(batches []record.Batch, last room.Index) (kept []record.Batch, err error) {
	for _, b := range batches {
		if b.First > last {
			break
		}
		if b.Last > last {
			if b.Entries, b.Epoch, b.Time, err = core.EntriesUpTo(b.Entries, last); err != nil {
				return nil, err
			}
			b.Last = last
		}
		kept = append(kept, b)
	}
	return kept, nil
}

// lowerEnds lowers the ends of logs that are about to be cut, in the marks on the disk. Otherwise a process that is killed right after
// a cut would leave marks by which the log has lost its end.
type lowerEnds struct {
	cuts    []*cutLog
	lowered bool
}

func (c *lowerEnds) apply(w *writer) error {
	for _, cut := range c.cuts {
		if w.marks.ends[cut.file.key] > cut.last {
			w.marks.ended(cut.file.key, cut.last)
			c.lowered = true
		}
	}
	if !c.lowered {
		return nil
	}
	return w.marks.write(&w.disk, w.elapsed())
}

func cutsOf(group []command) (cuts []*cutLog) {
	for _, c := range group {
		if cut, is := c.change.(*cutLog); is {
			cuts = append(cuts, cut)
		}
	}
	return cuts
}
