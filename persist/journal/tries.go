package journal

import (
	"context"
	"database/sql"
	"errors"
)

// countTries adds what a black box held to what is known. Each box counts once, even if the
// process dies between counting it and starting a new one. Rooms that no journal brings back cannot
// kill again and are left out.
type countTries struct {
	left       map[suspect]string // of a room that was opened: its game
	generation string
}

func (c countTries) apply(w *writer) error {
	counted, err := w.counted()
	if err != nil || counted == c.generation {
		return err
	}
	for s := range c.left {
		err := w.exec(`INSERT INTO tries (room, fingerprint, count) VALUES (?, ?, 1)
			ON CONFLICT (room, fingerprint) DO UPDATE SET count = count + 1`, string(s.room), int64(s.fingerprint))
		if err != nil {
			return err
		}
	}
	return w.each(
		statement{`DELETE FROM tries WHERE room NOT IN (SELECT room FROM rooms WHERE aside_at IS NULL)`, nil},
		statement{`INSERT OR REPLACE INTO counted (one, generation) VALUES (1, ?)`, []any{c.generation}},
	)
}

func (w *writer) counted() (generation string, err error) {
	err = w.conn.QueryRowContext(unbounded, `SELECT generation FROM counted`).Scan(&generation)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return generation, err
}

func readTries(ctx context.Context, db querier) (map[suspect]int, error) {
	type row struct {
		suspect
		count int
	}
	scan := func(r *sql.Rows) (t row, err error) {
		var fingerprint int64
		err = r.Scan(&t.room, &fingerprint, &t.count)
		t.fingerprint = uint64(fingerprint)
		return t, err
	}
	rows, err := queryAll(ctx, db, scan, `SELECT room, fingerprint, count FROM tries`)
	tries := make(map[suspect]int)
	for _, t := range rows {
		tries[t.suspect] = t.count
	}
	return tries, err
}
