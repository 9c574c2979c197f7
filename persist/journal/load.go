package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// DamagedError means that nothing of a room can be used, because its header is damaged. SetAside keeps what there is. It is a
// record.ErrDamaged.
type DamagedError struct {
	Room room.ID
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("what the journal holds of room %s is damaged: %v", e.Room, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, record.ErrDamaged) true.
func (e *DamagedError) Is(target error) bool { return target == record.ErrDamaged }

// Rooms loads every live room, one after another, in the order of their ids. With an error comes
// a Kept that has only the id. If the error is a *DamagedError the other rooms may be intact,
// and the loop may go on.
func (j *Journal) Rooms(ctx context.Context) iter.Seq2[record.Kept, error] {
	return func(yield func(record.Kept, error) bool) {
		for _, id := range j.queue.live() {
			kept, err := j.Load(ctx, id)
			if errors.Is(err, errNotFound) {
				continue // removed meanwhile
			}
			if !yield(kept, err) {
				return
			}
		}
	}
}

func (q *queue) live() []room.ID {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Sorted(maps.Keys(q.tails))
}

// Load reads a live room as far as it is written. After the first Load of a room from an earlier life,
// Append continues the log at its end. If the log is damaged or has a hole, it ends with the last
// whole batch before that. What follows is cut off, a copy of it is kept, and Kept.Cut says why.
// Every Load reports the cut until the room is Claimed or marked whole. Kept.Doubt is then record.Partial, or record.Unsure if power was lost
// before, which may be what damaged the log. A damaged snapshot is left out. Errors: record.ErrNotFound,
// ErrClosed, *DamagedError and those of the disk.
func (j *Journal) Load(ctx context.Context, id room.ID) (record.Kept, error) {
	none := record.Kept{Header: record.Header{ID: id}}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	t, err := j.queue.find(id)
	if err != nil {
		return none, err
	}
	s, err := t.file.read(j.path, logSuffix, t.loaded)
	if err != nil {
		return none, err
	}
	marks := j.loop.writer.marks
	now, unsure := marks.timeOf(s.clock), marks.unsure(t.file.key, s.loss)
	if t.loaded {
		kept, _, err := s.kept(now, unsure)
		if err != nil {
			return none, j.gone(id, t.file, err)
		}
		return kept, nil
	}
	s.seen = t.seen
	if s.torn && j.power.doubtful {
		s.bad = tornReason(s)
	}
	kept, cut, err := s.kept(now, unsure)
	if err != nil {
		return none, &DamagedError{Room: id, Err: err}
	}
	if err := j.mend(ctx, t.file, s, cut, kept); err != nil {
		return none, err
	}
	j.queue.loaded(id, s, kept)
	return kept, nil
}

// gone returns the error of a room that cannot be read: record.ErrNotFound if it was removed meanwhile, else a *DamagedError.
func (j *Journal) gone(id room.ID, f *roomFile, err error) error {
	if t, none := j.queue.find(id); none != nil || t.file != f {
		return errNotFound
	}
	return &DamagedError{Room: id, Err: err}
}

// tornReason says why a log is cut that ends within a record. It is for logs where that record may have been acknowledged.
func tornReason(s *stored) string {
	return fmt.Sprintf("the batch from entry %d on is not all there", s.end()+1)
}

// mend repairs the file of a room from an earlier life, so that its log can be continued.
func (j *Journal) mend(ctx context.Context, f *roomFile, s *stored, cut string, kept record.Kept) error {
	var c change
	switch {
	case cut != "":
		j.options.Log.Error("a damaged log is cut; what is cut off is kept beside it", "room", f.id, "cut", cut, "file", f.name(logSuffix))
		c = cutTail{file: f, reason: kept.Cut, doubt: kept.Doubt, at: time.Now()}
	case s.torn:
		c = cutTorn{f, s.size}
	default:
		return nil
	}
	return j.wait(ctx, func(*queue) (change, error) { f.snaps = s.slots; return c, nil })
}

// find returns a copy of the room's tail.
func (q *queue) find(id room.ID) (tail, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.tails[id]; t != nil {
		return *t, nil
	}
	return tail{}, errNotFound
}

// loaded allows the room's log to be continued.
func (q *queue) loaded(id room.ID, s *stored, kept record.Kept) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.tails[id]; t != nil && !t.loaded {
		t.loaded, t.first, t.last, t.life = true, s.first(), s.end(), s.clock.life
		t.epoch, t.doubt = kept.Epoch, kept.Doubt
		for slot, at := range s.slots {
			if at <= s.end() {
				t.file.snaps[slot] = at
			}
		}
	}
}
