// Package sqlite is the store in one SQLite file, the default of a single node. Several processes of
// one machine may share the file.
//
// The file is in WAL mode, and every commit is synced to the disk (synchronous=FULL). A killed process would lose
// nothing without the sync. But a power cut could lose a result after its journal was deleted because the result
// was stored. Results are written in batches, so that many share one sync.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

//go:embed migrations
var migrations embed.FS

// BusyTimeout is how long a write waits for another process's write.
const BusyTimeout = 5 * time.Second

// Options are how a store is opened. The zero value is fit for use.
type Options struct {
	// Readers is the number of connections for what strangers may ask for. 0 means 4.
	Readers int
	// Ratings are the rules of ratings. OpenWith updates in all records who is listed by them. nil means the zero rules, and
	// leaves who is listed as it is.
	Ratings *persist.Ratings
	// Subscribers are told events, see persist.Outbox. None: no event is written.
	Subscribers []persist.Subscriber
}

// gameReaders is the number of connections for what games need to read.
const gameReaders = 2

// Store is a persist.Store in a SQLite file.
type Store struct {
	write *sql.DB // one connection: SQLite has one writer at a time
	read  *sql.DB // for what strangers may ask for: results, replays, players, leaderboards
	look  *sql.DB // for what games need to read, so that they do not wait for strangers
	rules persist.Ratings

	subscribers []persist.Subscriber
}

var _ persist.Store = (*Store)(nil)

// Open opens the file at path, makes it and its folder if they are not there, and brings its schema up to date.
// The error is a *persist.NewerSchemaError if a newer binary did so before.
func Open(ctx context.Context, path string) (*Store, error) { return OpenWith(ctx, path, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, path string, o Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the store: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // it holds the join codes of live rooms
	if err != nil {
		return nil, fmt.Errorf("the store %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("the store %s: %w", path, err)
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	s := &Store{subscribers: o.Subscribers}
	// secure_delete overwrites what is deleted, so that a player who is forgotten is not found in the file's free pages.
	if s.write, err = connect(path, "_txlock=immediate&_pragma=secure_delete(1)", 1); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, path, o.Readers); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if o.Ratings != nil {
		s.rules = *o.Ratings
		if err := s.list(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("the store %s: %w", path, err), s.Close())
		}
	}
	return s, nil
}

// prepare migrates the file and opens the connections that read.
func (s *Store) prepare(ctx context.Context, path string, readers int) error {
	if err := migrate(ctx, s.write); err != nil {
		if _, newer := errors.AsType[*persist.NewerSchemaError](err); newer {
			return err
		}
		return fmt.Errorf("the store %s: %w", path, err)
	}
	var err error
	if s.read, err = connect(path, "_query_only=1", readers); err == nil {
		s.look, err = connect(path, "_query_only=1", gameReaders)
	}
	return err
}

func connect(path, parameter string, conns int) (*sql.DB, error) {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: fmt.Sprintf(
		"_busy_timeout=%d&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&%s", BusyTimeout.Milliseconds(), parameter)}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("the store %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// migrate brings the schema up to date. If two processes do so at once, one fails, tries again and finds it done.
func migrate(ctx context.Context, db *sql.DB) error {
	var retry clock.Backoff
	for try := 1; ; try++ {
		err := ledger.Migrate(ctx, goose.DialectSQLite3, db, migrations)
		if _, ok := errors.AsType[*sqlite.Error](err); !ok || try == 6 {
			return err
		}
		if !clock.Sleep(ctx, nil, retry.Next()) {
			return ctx.Err()
		}
	}
}

// poisoned reports whether an error is the fault of the data that was written, and not of the store.
func poisoned(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return true
	}
	return false
}

// Ping implements persist.Store.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.look.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM results LIMIT 1)`).Scan(&one)
}

// Timeline implements persist.Store. A file has one history.
func (s *Store) Timeline(context.Context) (string, error) { return "file", nil }

// Close implements persist.Store.
func (s *Store) Close() error {
	var err error
	for _, db := range []*sql.DB{s.read, s.look, s.write} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// inTx runs do in a write transaction, which it commits if do returns nil.
func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return locked(err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// locked explains an error that says only that the file is locked.
func locked(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("another process has kept the file locked for %v: one that is frozen (SIGSTOP) in the middle of a write holds it until it goes on or is killed: %w", BusyTimeout, err)
	}
	return err
}

// notFound turns the standard library's error into the port's.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return record.ErrNotFound
	}
	return err
}

// each prepares a statement and runs it once for every item.
func each[T any](ctx context.Context, tx *sql.Tx, query string, items []T, args func(T) []any) error {
	if len(items) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, item := range items {
		if _, err := stmt.ExecContext(ctx, args(item)...); err != nil {
			return err
		}
	}
	return nil
}

// collect reads all rows with scan.
func collect[T any](rows *sql.Rows, err error, scan func(ledger.Scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// now is the store's clock in microseconds: that of this machine, which all processes of the file share.
func now() int64 { return time.Now().UnixMicro() }
