package journal

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Import adds a whole room that comes from elsewhere: log, snapshots and clock. The clock stands at Kept.Time until
// SetClock. Import writes all of it at once and returns when it is written. Then Append continues the log. Copies
// of the room that were set aside stay as they are. An earlier import to which nothing was appended is replaced.
// After an error, also that of ctx, the room is not kept. Errors: ErrExists, ErrClosed, and what is wrong with kept.
func (j *Journal) Import(ctx context.Context, kept record.Kept) error {
	if err := core.CheckKept(&kept); err != nil {
		return err
	}
	header, err := json.Marshal(kept.Header)
	if err != nil {
		return err
	}
	id := kept.Header.ID
	err = j.wait(ctx, func(q *queue) (change, error) {
		c := putRoom{facts: facts{header: header, epoch: kept.Epoch, doubt: kept.Doubt, clock: roomClock{floor: kept.Time}}, batches: kept.Batches, snapshots: kept.Snapshots}
		if old := q.tails[id]; old != nil {
			if !old.imported {
				return nil, ErrExists
			}
			c.replaces = old.file
			c.facts.epoch = max(c.facts.epoch, old.epoch) // what was promised stays so
		}
		c.file = q.newFile(id)
		t := &tail{file: c.file, loaded: true, imported: true, last: kept.Last(), epoch: c.facts.epoch, doubt: kept.Doubt}
		for _, b := range kept.Batches {
			t.epoch = max(t.epoch, b.Epoch)
		}
		if len(kept.Batches) > 0 {
			t.first = kept.Batches[0].First
		}
		q.tails[id] = t
		return c, nil
	})
	if err != nil && errors.Is(err, ctx.Err()) {
		j.abandon(id)
	}
	return err
}
