package journal

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// commandCost is about what a command costs in memory in addition to its bytes.
const commandCost = 256

// Append adds the next batch to a room's log, with a snapshot of the room at or
// before the batch's end if there is one. It never blocks. A batch without entries (Last zero) adds a snapshot alone.
//
// A room may append its next batch while others are under way. Their done functions are called in order.
//
// When Append returns an error (ErrFull, ErrTooBig, ErrClosed, record.ErrNotFound, ErrUnread, ErrGap)
// nothing was taken and done is never called. After ErrFull the batches that follow are refused with ErrFull too, until the refused
// one is offered again. Otherwise done is called exactly once, on the
// writer's goroutine: with nil when all of it is written, with an error only when the journal was
// closed before. The bytes belong to the journal until then. Done may be nil.
func (j *Journal) Append(b record.Batch, snapshot *record.Snapshot, done func(error)) error {
	size := len(b.Entries) + commandCost
	if snapshot != nil {
		size += len(snapshot.Data)
	}
	if size-commandCost > j.options.MaxBatch {
		return ErrTooBig
	}
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	if j.full(size) {
		if t := j.queue.tails[b.Room]; t != nil {
			t.refused = true
		}
		return ErrFull
	}
	return j.queue.append(b, snapshot, command{size: size, done: done})
}

// append checks that the batch continues its room's log, and queues it. The last command that it queues has size
// and done. The caller holds mu.
func (q *queue) append(b record.Batch, snapshot *record.Snapshot, c command) error {
	t, err := q.ready(b.Room)
	if err != nil {
		return err
	}
	if t.owed {
		return ErrFull
	}
	end := t.last
	if b.Last != 0 {
		switch follows := b.First == t.last+1 || t.last == 0 && b.Begins; {
		case !follows && t.refused:
			return ErrFull
		case !follows || b.Last < b.First:
			return ErrGap
		}
		end = b.Last
	}
	if snapshot != nil && (snapshot.Room != b.Room || snapshot.Index > end || snapshot.Index == 0) || snapshot == nil && b.Last == 0 {
		return ErrGap
	}
	t.last, t.imported, t.refused = end, false, false
	if b.Last != 0 {
		if t.epoch = max(t.epoch, b.Epoch); t.first == 0 || b.Begins {
			t.first = b.First
		}
		entries := command{change: &putBatch{file: t.file, batch: b, size: len(b.Entries)}, size: c.size, done: c.done}
		if snapshot == nil {
			q.push(entries)
			return nil
		}
		entries.size, entries.done = 0, nil
		q.push(entries)
	}
	c.change = &putSnapshot{file: t.file, snapshot: *snapshot}
	q.push(c)
	return nil
}

// ready returns the tail of a room that may be appended to. The caller holds mu.
func (q *queue) ready(id room.ID) (*tail, error) {
	t := q.tails[id]
	switch {
	case q.closed:
		return nil, ErrClosed
	case t == nil:
		return nil, errNotFound
	case !t.loaded:
		return nil, ErrUnread
	}
	return t, nil
}

// Create makes a new room, and returns when it is written. After an error, also that of
// ctx, the room is not kept. If the process dies before it is removed from the disk, the next life finds a room without a log
// that no client was ever told of.
func (j *Journal) Create(ctx context.Context, header record.Header, epoch record.Epoch) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	id := header.ID
	err = j.wait(ctx, func(q *queue) (change, error) {
		if q.tails[id] != nil {
			return nil, ErrExists
		}
		t := &tail{file: q.newFile(id), loaded: true, epoch: epoch}
		q.tails[id] = t
		return putRoom{file: t.file, facts: facts{header: text, epoch: epoch}}, nil
	})
	if err != nil && errors.Is(err, ctx.Err()) {
		j.abandon(id)
	}
	return err
}

// newFile returns the file of a room that is about to be made. The caller holds mu.
func (q *queue) newFile(id room.ID) *roomFile {
	f := &roomFile{key: q.nextKey, id: id}
	q.nextKey++
	return f
}

// abandon undoes a Create or an Import that nobody waits for any more, whether it is already written or still queued.
// It does not block.
func (j *Journal) abandon(id room.ID) {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	if c, err := j.queue.forget(id); err == nil && !j.queue.closed {
		j.queue.push(command{change: c})
	}
}

// Claimed records the epoch of a claim and returns when it is written. Whoever claims a room goes on from this very log, so it is
// whole from then on, and Load no longer reports a cut that it has reported before.
func (j *Journal) Claimed(ctx context.Context, id room.ID, epoch record.Epoch) error {
	return j.wait(ctx, func(q *queue) (change, error) {
		t, err := q.ready(id)
		if err != nil {
			return nil, err
		}
		t.epoch, t.doubt, t.owed = max(t.epoch, epoch), record.Whole, false
		if j.loop.writer.marks.loss != 0 {
			return putMark{file: t.file, epoch: epoch, doubt: record.Whole}, nil // a claim does not tell whether it came before the loss
		}
		return claim{file: t.file, epoch: epoch}, nil
	})
}

// SetClock sets a room's time to Options.Elapsed minus offset, from now on. Call it when
// a room is made or restored, before its first Append. It is written with that Append at the latest.
// Until then the room's clock stands where the life before left it.
func (j *Journal) SetClock(id room.ID, offset time.Duration) error {
	floor := max(j.options.Elapsed()-offset, 0)
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	t, err := j.queue.ready(id)
	if err != nil {
		return err
	}
	t.life = j.loop.writer.marks.life
	j.queue.push(command{change: setClock{file: t.file, offset: offset, floor: floor}})
	return nil
}

// Remove deletes a live room. Call it only after the store has confirmed the room's result, or its release.
// When ctx ends first, the room is removed as soon as the disk allows.
func (j *Journal) Remove(ctx context.Context, id room.ID) error {
	defer j.blackBox.forget(id)
	return j.wait(ctx, func(q *queue) (change, error) { return q.forget(id) })
}

// forget removes a room from the live ones. The caller holds mu.
func (q *queue) forget(id room.ID) (change, error) {
	t := q.tails[id]
	if t == nil {
		return nil, errNotFound
	}
	delete(q.tails, id)
	return removeRoom{t.file}, nil
}

// SetAside removes a room from the live ones and keeps all of it, for Options.KeepAside, with the
// reason and the time. A room with the same id may then be created again. When ctx ends first, the room is
// set aside as soon as the disk allows.
func (j *Journal) SetAside(ctx context.Context, id room.ID, reason string) error {
	defer j.blackBox.forget(id)
	return j.wait(ctx, func(q *queue) (change, error) {
		t := q.tails[id]
		if t == nil {
			return nil, errNotFound
		}
		delete(q.tails, id)
		return setAside{file: t.file, reason: reason, at: time.Now()}, nil
	})
}

// wait queues a change and returns when it is written. plan makes the change, holding the queue's mutex.
func (j *Journal) wait(ctx context.Context, plan func(*queue) (change, error)) error {
	written := make(chan error, 1)
	if err := j.queue.add(plan, func(err error) { written <- err }); err != nil {
		return err
	}
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) add(plan func(*queue) (change, error), done func(error)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	c, err := plan(q)
	if err != nil {
		return err
	}
	q.push(command{change: c, done: done})
	return nil
}
