package journal

import (
	"time"

	"github.com/roomring/roomring/room"
)

// change is one thing to do inside a transaction. Doing it again after a transaction whose fate
// was unclear must come to the same.
type change interface {
	apply(w *writer) error
}

type putRoom struct {
	key    int64
	id     room.ID
	header []byte
	epoch  room.Epoch
}

func (c putRoom) apply(w *writer) error {
	return w.exec(`INSERT INTO rooms (key, room, header, sum, epoch) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		c.key, string(c.id), c.header, sumHeader(c.id, c.header), int64(c.epoch))
}

// putBatch is one row: one Append, or several of one room that follow each other.
type putBatch struct {
	key   int64
	batch room.Batch
	more  [][]byte // entries of batches that were joined to the first
	size  int
}

func (c *putBatch) join(b room.Batch) {
	c.batch.Last, c.batch.Epoch, c.batch.Time = b.Last, b.Epoch, b.Time
	c.more = append(c.more, b.Entries)
	c.size += len(b.Entries)
}

func (c *putBatch) apply(w *writer) error {
	b := c.batch
	if len(c.more) > 0 {
		w.joined = append(w.joined[:0], b.Entries...)
		for _, m := range c.more {
			w.joined = append(w.joined, m...)
		}
		b.Entries = w.joined
	}
	w.ended(c.key, b.Last)
	if b.Begins {
		if err := w.forgetBefore(c.key, b.First); err != nil {
			return err
		}
	}
	return w.exec(`INSERT OR REPLACE INTO batches (key, first, last, epoch, time, entries, sum) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		c.key, int64(b.First), int64(b.Last), int64(b.Epoch), int64(b.Time), notNull(b.Entries), sumBatch(b))
}

// forgetBefore deletes what lies before the beginning of a log.
func (w *writer) forgetBefore(key int64, first room.Index) error {
	return w.each(
		statement{`DELETE FROM batches WHERE key = ? AND first < ?`, []any{key, int64(first)}},
		statement{`DELETE FROM snapshots WHERE key = ? AND idx < ?`, []any{key, int64(first)}},
	)
}

// putSnapshot keeps the two newest of the room.
type putSnapshot struct {
	key      int64
	snapshot room.Snapshot
}

func (c putSnapshot) apply(w *writer) error {
	s := c.snapshot
	err := w.exec(`INSERT OR REPLACE INTO snapshots (key, idx, epoch, data, sum) VALUES (?, ?, ?, ?, ?)`,
		c.key, int64(s.Index), int64(s.Epoch), notNull(s.Data), sumSnapshot(s))
	if err != nil {
		return err
	}
	return w.exec(`DELETE FROM snapshots WHERE key = ?1 AND idx <
		(SELECT idx FROM snapshots WHERE key = ?1 ORDER BY idx DESC LIMIT 1 OFFSET 1)`, c.key)
}

// claim notes a claim's epoch. From here on a cut is history that the claimer has dealt with.
type claim struct {
	key   int64
	epoch room.Epoch
}

func (c claim) apply(w *writer) error {
	return w.exec(`UPDATE rooms SET epoch = max(epoch, ?), cut = '' WHERE key = ?`, int64(c.epoch), c.key)
}

// setClock ties a room's clock to this life's time.
type setClock struct {
	key           int64
	offset, floor time.Duration
}

func (c setClock) apply(w *writer) error {
	return w.exec(`UPDATE rooms SET life = ?, clock_offset = ?, clock_floor = max(clock_floor, ?) WHERE key = ?`,
		w.life, int64(c.offset), int64(c.floor), c.key)
}

// mark writes down the node's time.
type mark struct{}

func (mark) apply(w *writer) error {
	return w.exec(`INSERT OR REPLACE INTO lives (life, elapsed) VALUES (?, ?)`, w.life, int64(w.elapsed()))
}

type removeRoom struct {
	key int64
	id  room.ID
}

func (c removeRoom) apply(w *writer) error {
	if err := w.exec(`DELETE FROM tries WHERE room = ?`, string(c.id)); err != nil {
		return err
	}
	return w.deleteRoom(c.key)
}

// setAside takes a room out of the live ones and stops its clock where the last mark puts it.
type setAside struct {
	key    int64
	id     room.ID
	reason string
	at     time.Time
}

func (c setAside) apply(w *writer) error {
	if err := w.exec(`DELETE FROM tries WHERE room = ?`, string(c.id)); err != nil {
		return err
	}
	return w.exec(`UPDATE rooms SET aside_at = ?, aside_reason = ?, life = 0, clock_floor = max(clock_floor,
		coalesce((SELECT elapsed FROM lives WHERE lives.life = rooms.life) - clock_offset, 0)) WHERE key = ?`,
		c.at.UnixMilli(), c.reason, c.key)
}

// cutTail moves what stands behind the last whole batch out of a log that is damaged there.
type cutTail struct {
	key    int64
	after  int64      // the last whole batch begins here
	last   room.Index // and ends here
	reason string
	at     time.Time
}

func (c cutTail) apply(w *writer) error {
	at, last := c.at.UnixMilli(), int64(c.last)
	w.ended(c.key, c.last)
	return w.each(
		statement{`INSERT INTO cut_batches SELECT ?, key, first, last, epoch, time, entries, sum FROM batches
			WHERE key = ? AND first > ?`, []any{at, c.key, c.after}},
		statement{`DELETE FROM batches WHERE key = ? AND first > ?`, []any{c.key, c.after}},
		statement{`INSERT INTO cut_snapshots SELECT ?, key, idx, epoch, data, sum FROM snapshots
			WHERE key = ? AND idx > ?`, []any{at, c.key, last}},
		statement{`DELETE FROM snapshots WHERE key = ? AND idx > ?`, []any{c.key, last}},
		statement{`UPDATE rooms SET cut = ? WHERE key = ?`, []any{c.reason, c.key}},
	)
}

// purge deletes what has been set aside for too long.
type purge struct {
	before time.Time
}

func (c purge) apply(w *writer) error {
	keys, err := w.asideBefore(c.before)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := w.deleteRoom(key); err != nil {
			return err
		}
	}
	return nil
}

// forgive takes back what a step was suspected of.
type forgive struct {
	suspect suspect
}

func (c forgive) apply(w *writer) error {
	return w.exec(`DELETE FROM tries WHERE room = ? AND fingerprint = ?`, string(c.suspect.room), int64(c.suspect.fingerprint))
}

// notNull keeps an empty list of bytes from becoming NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
