package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
)

// Aside is a room that was set aside.
type Aside struct {
	Key    int64 // names it: a room may be set aside more than once
	Room   room.ID
	Reason string
	At     time.Time
	Last   room.Index // the end of its log
	Bytes  int64      // of its log and snapshots
}

// ListAside lists the rooms that were set aside, newest first.
func (j *Journal) ListAside(ctx context.Context) ([]Aside, error) {
	scan := func(r *sql.Rows) (a Aside, err error) {
		var at int64
		err = r.Scan(&a.Key, &a.Room, &a.Reason, &at, &a.Last, &a.Bytes)
		a.At = time.UnixMilli(at)
		return a, err
	}
	return queryAll(ctx, j.read, scan, `SELECT key, room, aside_reason, aside_at,
			coalesce((SELECT max(last) FROM batches b WHERE b.key = r.key), 0),
			coalesce((SELECT sum(length(entries)) FROM batches b WHERE b.key = r.key), 0) +
			coalesce((SELECT sum(length(data)) FROM snapshots s WHERE s.key = r.key), 0)
		FROM rooms r WHERE aside_at IS NOT NULL ORDER BY aside_at DESC, key DESC`)
}

// NoteAside gives a room that was set aside another reason. It returns when that is written.
func (j *Journal) NoteAside(ctx context.Context, key int64, reason string) error {
	return j.wait(ctx, func(*queue) (change, error) { return noteAside{key, reason}, nil })
}

type noteAside struct {
	key    int64
	reason string
}

func (c noteAside) apply(w *writer) error {
	return w.exec(`UPDATE rooms SET aside_reason = ? WHERE key = ? AND aside_at IS NOT NULL`, c.reason, c.key)
}

// LoadAside reads a room that was set aside. Errors: ErrUnknown, *DamagedError and those of the disk.
func (j *Journal) LoadAside(ctx context.Context, key int64) (room.Kept, error) {
	var id room.ID
	err := j.read.QueryRowContext(ctx, `SELECT room FROM rooms WHERE key = ? AND aside_at IS NOT NULL`, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return room.Kept{}, ErrUnknown
	}
	if err != nil {
		return room.Kept{}, err
	}
	s, err := j.readRoom(ctx, key)
	if err != nil {
		return room.Kept{}, damaged(id, err)
	}
	kept, _, err := s.check()
	if err != nil {
		return room.Kept{}, &DamagedError{Room: id, Err: err}
	}
	return kept, nil
}
