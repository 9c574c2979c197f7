package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// putRoom makes a room's file, whole and at once, and deletes what an earlier import of the room has left.
type putRoom struct {
	file      *roomFile
	facts     facts
	batches   []record.Batch
	snapshots []record.Snapshot
	replaces  *roomFile // may be nil
}

func (c putRoom) apply(w *writer) error {
	for _, s := range c.snapshots {
		if err := w.saveSnapshot(c.file, s); err != nil {
			return err
		}
	}
	if err := w.putLog(c.file, c.facts, c.batches...); err != nil {
		return err
	}
	if n := len(c.batches); n > 0 {
		w.marks.ended(c.file.key, c.batches[n-1].Last)
	}
	if c.replaces != nil {
		return w.delete(c.replaces, logSuffix)
	}
	return nil
}

// putBatch writes one record: one Append, or consecutive ones of the same room.
type putBatch struct {
	file  *roomFile
	batch record.Batch
	more  [][]byte // entries of batches that were joined to the first
	size  int
	outcome
}

func (c *putBatch) join(b record.Batch) {
	c.batch.Last, c.batch.Epoch, c.batch.Time = b.Last, b.Epoch, b.Time
	c.more = append(c.more, b.Entries)
	c.size += len(b.Entries)
}

func (c *putBatch) apply(w *writer) (err error) {
	if c.refuse(c.file) {
		return nil
	}
	b := c.batch
	if b.Begins {
		err = c.begin(w)
	} else {
		numbers := [...]int64{int64(b.First), int64(b.Last), int64(b.Epoch), int64(b.Time)}
		if c.more == nil {
			err = w.append(c.file, kindBatch, numbers[:], b.Entries)
		} else {
			err = w.append(c.file, kindBatch, numbers[:], append([][]byte{b.Entries}, c.more...)...)
		}
	}
	if err == nil {
		w.marks.ended(c.file.key, b.Last)
	}
	return err
}

// begin deletes the snapshots from before the batch, and rewrites the room's file with nothing before it.
func (c *putBatch) begin(w *writer) error {
	s, err := c.file.read(w.disk.root, logSuffix, true)
	if err != nil {
		return err
	}
	b := c.batch
	b.Entries = slices.Concat(append([][]byte{b.Entries}, c.more...)...)
	for slot, at := range c.file.snaps {
		if at != 0 && at < b.First {
			if err := w.dropSnapshot(c.file, slot); err != nil {
				return err
			}
		}
	}
	return w.putLog(c.file, s.facts, b)
}

// putSnapshot writes a snapshot. The two newest of a room are kept.
type putSnapshot struct {
	file     *roomFile
	snapshot record.Snapshot
	outcome
}

func (c *putSnapshot) apply(w *writer) error {
	if c.refuse(c.file) {
		return nil
	}
	return w.saveSnapshot(c.file, c.snapshot)
}

// claim writes a claim's epoch. From then on a cut is not reported any more: the claimer has dealt with it.
type claim struct {
	file  *roomFile
	epoch record.Epoch
}

func (c claim) apply(w *writer) error { return w.append(c.file, kindClaim, []int64{int64(c.epoch)}) }

// setClock makes a room's clock follow this life's time.
type setClock struct {
	file          *roomFile
	offset, floor time.Duration
}

func (c setClock) apply(w *writer) error {
	return w.append(c.file, kindClock, roomClock{w.marks.life, c.offset, c.floor}.numbers())
}

// mark writes the node's time, and where all logs end.
type mark struct{}

func (mark) apply(w *writer) error { return w.marks.write(&w.disk, w.elapsed()) }

// removeRoom deletes a room.
type removeRoom struct{ file *roomFile }

func (c removeRoom) apply(w *writer) error {
	if err := w.tries.forget(&w.disk, c.file.id); err != nil {
		return err
	}
	return w.delete(c.file, logSuffix)
}

// setAside removes a room from the live ones and stops its clock where the last mark puts it.
type setAside struct {
	file   *roomFile
	reason string
	at     time.Time
}

func (c setAside) apply(w *writer) error {
	if err := w.tries.forget(&w.disk, c.file.id); err != nil {
		return err
	}
	there, err := exists(w.disk.path(c.file.name(logSuffix)))
	if err != nil {
		return err
	}
	if there {
		s, err := c.file.read(w.disk.root, logSuffix, false)
		if err != nil {
			return err
		}
		n := asideNote{Reason: c.reason, At: c.at, Last: s.end(), Time: w.marks.timeOf(s.clock)}
		for _, b := range s.batches {
			n.Bytes += int64(len(b.Entries))
		}
		for _, snap := range s.snapshots {
			n.Bytes += int64(len(snap.Data))
		}
		if err := w.aside.note(&w.disk, c.file, n); err != nil {
			return err
		}
		w.handles.close(c.file)
		if err := w.disk.rename(c.file.name(logSuffix), c.file.name(asideSuffix)); err != nil {
			return err
		}
	}
	w.aside.add(c.file)
	w.marks.ended(c.file.key, 0)
	return nil
}

// cutTail removes everything after the last whole batch from a damaged log, and keeps a copy of the file as it was.
type cutTail struct {
	file   *roomFile
	reason string
	doubt  record.Doubt
	at     time.Time
}

func (c cutTail) apply(w *writer) error {
	name := c.file.name(logSuffix)
	s, err := c.file.read(w.disk.root, logSuffix, false)
	if err != nil {
		return err
	}
	suffix := fmt.Sprintf("%s%d", cutSuffix, c.at.UnixNano())
	if err := w.copyBeforeCut(c.file, name, suffix); err != nil {
		return err
	}
	for slot, at := range c.file.snaps {
		if at > s.end() {
			if err := w.copyBeforeCut(c.file, c.file.name(snapSuffix[slot]), suffix+snapSuffix[slot]); err != nil {
				return err
			}
			if err := w.dropSnapshot(c.file, slot); err != nil {
				return err
			}
		}
	}
	if s.cut = c.reason; c.doubt == record.Unsure { // a cut alone says that the log is partial
		s.doubt, s.loss = c.doubt, w.marks.loss
	}
	if err := w.putLog(c.file, s.facts, s.batches...); err != nil {
		return err
	}
	w.marks.ended(c.file.key, s.end())
	return w.marks.write(&w.disk, w.elapsed()) // or the next life finds the same end missing again
}

// copyBeforeCut copies a file before something is cut off it. A copy that exists is kept: it was made before the cut.
func (w *writer) copyBeforeCut(r *roomFile, name, suffix string) error {
	if slices.Contains(r.cuts, suffix) {
		return nil
	}
	data, err := os.ReadFile(w.disk.path(name))
	if err != nil {
		return err
	}
	if err := w.disk.put(r.name(suffix), data); err != nil {
		return err
	}
	r.cuts = append(r.cuts, suffix)
	r.cutSize += blocks(int64(len(data)))
	w.grown(0, int64(len(data)))
	return nil
}

// cutTorn removes a record from the end of a log that was being written when the process was killed. It was never acknowledged.
type cutTorn struct {
	file *roomFile
	size int64
}

func (c cutTorn) apply(w *writer) error {
	err := w.disk.truncate(c.file.name(logSuffix), c.size)
	if err == nil {
		w.grown(c.file.size.Swap(c.size), c.size)
	}
	return err
}

// purge deletes the rooms that were set aside before a time. A later note of a room counts as the time.
type purge struct{ before time.Time }

func (c purge) apply(w *writer) error {
	for _, r := range w.aside.all() {
		at, err := mtime(w.disk.path(r.name(whySuffix)))
		if errors.Is(err, os.ErrNotExist) {
			at, err = mtime(w.disk.path(r.name(asideSuffix)))
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if !at.Before(c.before) {
			continue
		}
		if err := w.delete(r, asideSuffix); err != nil {
			return err
		}
		if err := w.disk.remove(r.name(whySuffix)); err != nil {
			return err
		}
		w.aside.forget(r)
	}
	return c.earlier(w)
}

// earlier deletes the database of an earlier version that was kept because it is damaged.
func (c purge) earlier(w *writer) error {
	path := filepath.Join(filepath.Dir(w.disk.root), damagedName)
	at, err := mtime(path)
	if err != nil || !at.Before(c.before) {
		return nil
	}
	return removeFile(path)
}

// forgive deletes the tries of a suspect.
type forgive struct{ suspect suspect }

func (c forgive) apply(w *writer) error { return w.tries.forgive(&w.disk, c.suspect) }

// strike raises the tries of a suspect.
type strike struct {
	suspect suspect
	deaths  int
}

func (c strike) apply(w *writer) error { return w.tries.strike(&w.disk, c.suspect, c.deaths) }

// countTries adds the steps that a black box held to the tries.
type countTries struct {
	left       map[suspect]string // the game, of a room that was being made or run again
	generation string
	live       func(room.ID) bool
}

func (c countTries) apply(w *writer) error { return w.tries.count(&w.disk, c) }
