package journal

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room/record"
)

// writer changes the files. It belongs to the loop's goroutine.
type writer struct {
	disk    disk
	handles handles
	marks   *marks
	tries   *tries
	aside   *asideRooms
	elapsed func() time.Duration
	used    *atomic.Int64 // bytes that all rooms take on the disk
	scratch []byte
	format  int // of the journal; 0: not read yet
}

// change is one thing to do. It must be possible to do it again after it failed half way, with the same result.
type change interface {
	apply(w *writer) error
}

// commit applies changes in order and returns how many were applied. When err is nil the operating system has all of them, and with a redo
// log the disk has them.
func (w *writer) commit(changes []change) (applied int, err error) {
	for i, c := range changes {
		if err := c.apply(w); err != nil {
			return i, explainFull(err)
		}
	}
	return len(changes), explainFull(w.disk.redo.commit())
}

// append appends a record to a room's file, in one write.
func (w *writer) append(r *roomFile, kind byte, numbers []int64, parts ...[]byte) error {
	f, err := w.handles.get(&w.disk, r)
	if err != nil {
		return err
	}
	place := r.size.Load()
	w.scratch = appendRecord(w.scratch[:0], r.id, place, kind, numbers, parts...)
	name := ""
	if w.disk.redo != nil {
		name = r.name(logSuffix)
	}
	err = w.disk.writeAt(f, name, place, w.scratch)
	if err == nil {
		r.size.Store(place + int64(len(w.scratch)))
		w.grown(place, place+int64(len(w.scratch)))
	}
	if cap(w.scratch) > 1<<20 {
		w.scratch = nil
	}
	return err
}

// putLog replaces the content of a room's file by facts and a log.
func (w *writer) putLog(r *roomFile, f facts, batches ...record.Batch) error {
	if f.marked() {
		if err := w.needFormat(marksFormat); err != nil {
			return err
		}
	}
	return w.rewrite(r, f.encode(r.id, batches...))
}

// rewrite replaces the content of a room's file.
func (w *writer) rewrite(r *roomFile, content []byte) error {
	r.turns.Add(1)
	defer r.turns.Add(1)
	if err := w.disk.put(r.name(logSuffix), content); err != nil {
		return err
	}
	w.handles.close(r)
	w.grown(r.size.Swap(int64(len(content))), int64(len(content)))
	return nil
}

// saveSnapshot writes a snapshot in place of the older of the room's two.
func (w *writer) saveSnapshot(r *roomFile, s record.Snapshot) error {
	slot := 0
	for i, at := range r.snaps {
		if at == s.Index {
			slot = i
			break
		}
		if at < r.snaps[slot] {
			slot = i
		}
	}
	if r.snaps[slot] > s.Index {
		return nil // there are two newer ones
	}
	content := encodeSnapshot(nil, s)
	if err := w.disk.set(r.name(snapSuffix[slot]), content); err != nil {
		return err
	}
	r.snaps[slot] = s.Index
	w.grown(r.snapSize[slot], int64(len(content)))
	r.snapSize[slot] = int64(len(content))
	return nil
}

func (w *writer) dropSnapshot(r *roomFile, slot int) error {
	if err := w.disk.remove(r.name(snapSuffix[slot])); err != nil {
		return err
	}
	w.grown(r.snapSize[slot], 0)
	r.snaps[slot], r.snapSize[slot] = 0, 0
	return nil
}

// delete deletes all files of a room: the log first, because without it the others mean nothing.
func (w *writer) delete(r *roomFile, suffix string) error {
	w.handles.close(r)
	if err := w.disk.remove(r.name(suffix)); err != nil {
		return err
	}
	w.grown(r.size.Swap(0), 0)
	w.marks.ended(r.key, 0)
	for slot := range snapSuffix {
		if r.snapSize[slot] > 0 {
			if err := w.dropSnapshot(r, slot); err != nil {
				return err
			}
		}
	}
	for len(r.cuts) > 0 {
		if err := w.disk.remove(r.name(r.cuts[0])); err != nil {
			return err
		}
		r.cuts = r.cuts[1:]
	}
	w.used.Add(-r.cutSize)
	r.cutSize = 0
	return nil
}

// grown counts that the size of a file has changed.
func (w *writer) grown(from, to int64) { w.used.Add(blocks(to) - blocks(from)) }

// blocks is how many bytes a file of a size takes on the disk.
func blocks(size int64) int64 { return (size + 4095) &^ 4095 }

func (w *writer) close() error { return errors.Join(w.handles.closeAll(), w.disk.redo.close()) }
