package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
)

// writer is what the one writing goroutine owns.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn            // nil after a failure, until the next try
	stmts   map[string]*sql.Stmt // of conn
	life    int64
	elapsed func() time.Duration
	joined  []byte // scratch for putBatch

	ends        map[int64]room.Index // of all logs, by key; what a failed transaction put here comes true later or never matters
	endsChanged bool                 // since they were last written
}

// Everything below runs without a deadline: SQLite can leave a statement that is interrupted in
// doubt, and the writer has nothing better to do than to wait.
var unbounded = context.Background()

// commit applies the changes in one transaction. After an error nothing of it has happened, or,
// if COMMIT itself failed, all or nothing; the changes may be applied again either way.
func (w *writer) commit(changes []change) error {
	if err := w.connect(); err != nil {
		return err
	}
	err := w.exec("BEGIN IMMEDIATE")
	for _, c := range changes {
		if err != nil {
			break
		}
		err = c.apply(w)
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		w.discard()
	}
	return err
}

func (w *writer) connect() (err error) {
	if w.conn == nil {
		w.stmts = make(map[string]*sql.Stmt)
		w.conn, err = w.db.Conn(unbounded)
	}
	return err
}

// discard throws the connection away, and with it any transaction that is open: after a disk
// error nobody can be sure what state it is in.
func (w *writer) discard() {
	for _, s := range w.stmts {
		s.Close()
	}
	w.conn.Raw(func(any) error { return driver.ErrBadConn })
	w.conn.Close()
	w.conn = nil
}

func (w *writer) exec(query string, args ...any) error {
	s, err := w.prepare(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(unbounded, args...)
	return err
}

func (w *writer) prepare(query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(unbounded, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = s
	return s, nil
}

type statement struct {
	query string
	args  []any
}

func (w *writer) each(statements ...statement) error {
	for _, s := range statements {
		if err := w.exec(s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) deleteRoom(key int64) error {
	delete(w.ends, key)
	w.endsChanged = true
	return w.each(
		statement{`DELETE FROM batches WHERE key = ?`, []any{key}},
		statement{`DELETE FROM snapshots WHERE key = ?`, []any{key}},
		statement{`DELETE FROM cut_batches WHERE key = ?`, []any{key}},
		statement{`DELETE FROM cut_snapshots WHERE key = ?`, []any{key}},
		statement{`DELETE FROM rooms WHERE key = ?`, []any{key}},
	)
}

func (w *writer) asideBefore(t time.Time) ([]int64, error) {
	scan := func(r *sql.Rows) (key int64, err error) { return key, r.Scan(&key) }
	return queryAll(unbounded, w.conn, scan, `SELECT key FROM rooms WHERE aside_at < ?`, t.UnixMilli())
}

// close empties the write-ahead log into the database, so that the next start has less to do.
func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	err := w.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	for _, s := range w.stmts {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, w.conn.Close())
}
