package journal

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
)

// Import takes in a room that comes from elsewhere, whole: log, snapshots and clock, which stands at Kept.Time until
// SetClock. It returns when all of it is written, in one transaction; then Append goes on where the log ends. Copies
// of the room that were set aside stay as they are, and an earlier import to which nothing was appended is replaced.
// After an error, also that of ctx, the room is not kept. Errors: ErrExists, ErrClosed, and what is wrong with kept.
func (j *Journal) Import(ctx context.Context, kept room.Kept) error {
	if err := kept.Validate(); err != nil {
		return err
	}
	header, err := json.Marshal(kept.Header)
	if err != nil {
		return err
	}
	id := kept.Header.ID
	err = j.wait(ctx, func(q *queue) (change, error) {
		c := importRoom{header: header, kept: kept}
		if old := q.tails[id]; old != nil {
			if !old.imported {
				return nil, ErrExists
			}
			c.replaces = old.key
		}
		c.key = q.nextKey
		q.nextKey++
		q.tails[id] = &tail{key: c.key, loaded: true, imported: true, last: kept.Last()}
		return c, nil
	})
	if err != nil && errors.Is(err, ctx.Err()) {
		j.abandon(id)
	}
	return err
}

// importRoom is a whole room in one change.
type importRoom struct {
	key      int64
	replaces int64 // key of an earlier import; 0: none
	header   []byte
	kept     room.Kept
}

func (c importRoom) apply(w *writer) error {
	if c.replaces != 0 {
		if err := w.deleteRoom(c.replaces); err != nil {
			return err
		}
	}
	changes := []change{
		putRoom{key: c.key, id: c.kept.Header.ID, header: c.header, epoch: c.kept.Epoch},
		standStill{key: c.key, at: c.kept.Time},
	}
	for _, b := range c.kept.Batches {
		changes = append(changes, &putBatch{key: c.key, batch: b})
	}
	for _, s := range c.kept.Snapshots {
		changes = append(changes, putSnapshot{key: c.key, snapshot: s})
	}
	for _, one := range changes {
		if err := one.apply(w); err != nil {
			return err
		}
	}
	return nil
}

// standStill sets the clock of a room that no life drives yet.
type standStill struct {
	key int64
	at  time.Duration
}

func (c standStill) apply(w *writer) error {
	return w.exec(`UPDATE rooms SET life = 0, clock_floor = ? WHERE key = ?`, int64(c.at), c.key)
}
