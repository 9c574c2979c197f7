// Package sqlite is the store in one SQLite file, the default of a node by itself. Several processes of
// one machine may share the file.
//
// The file is in WAL mode. Every commit is synced to the disk (synchronous=FULL): a killed process would lose
// nothing without, but after a power cut a result could be gone whose journal, on the news that the result
// is stored, has been deleted. Results come in batches, so the sync is paid once for many.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/roomring/roomring/persist"
)

//go:embed migrations
var migrations embed.FS

// BusyTimeout is how long a write waits for another process's write.
const BusyTimeout = 5 * time.Second

// Options are how a store is opened. The zero value is fit for use.
type Options struct {
	// Readers is the number of connections for what strangers may ask for. 0 means 4.
	Readers int
	// Ratings are the rules of ratings. OpenWith goes through all records for who is listed by them. nil means the zero rules, and
	// leaves who is listed as it is.
	Ratings *persist.Ratings
}

// lookers is the number of connections for what games need to read; there is one for writing, which SQLite allows no more of.
const lookers = 2

// Store is a persist.Store in a SQLite file.
type Store struct {
	write   *sql.DB
	read    *sql.DB // for what strangers may ask for: results, replays, players, leaderboards
	readers int
	rules   persist.Ratings
	look    *sql.DB // for what games need to read, so that it waits for none of those
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
	s := &Store{readers: o.Readers}
	if s.readers <= 0 {
		s.readers = 4
	}
	// What is deleted is overwritten, so that a player who is forgotten is not found in the file's free pages.
	if s.write, err = connect(path, "_txlock=immediate&_pragma=secure_delete(1)", 1); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, path); err != nil {
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

func (s *Store) prepare(ctx context.Context, path string) error {
	if err := migrate(ctx, s.write); err != nil {
		if _, newer := errors.AsType[*persist.NewerSchemaError](err); newer {
			return err
		}
		return fmt.Errorf("the store %s: %w", path, err)
	}
	var err error
	if s.read, err = connect(path, "_query_only=1", s.readers); err == nil {
		s.look, err = connect(path, "_query_only=1", lookers)
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

// migrate brings the schema up to date. Of two processes that do it at once, one fails and finds it done.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithSlog(slog.New(slog.DiscardHandler)))
		if err != nil {
			return err
		}
		if err = upgrade(ctx, provider); err == nil || try == 5 || !isSQLite(err) {
			return err
		}
		if err := (persist.Backoff{}).Sleep(ctx, try); err != nil {
			return err
		}
	}
}

func upgrade(ctx context.Context, provider *goose.Provider) error {
	stored, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if stored > known {
		return &persist.NewerSchemaError{Store: stored, Binary: known}
	}
	_, err = provider.Up(ctx)
	return err
}

func isSQLite(err error) bool {
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok
}

// poisoned reports whether the data written is at fault, and not the store.
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

// locked says what a lock that is not given back may mean.
func locked(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("another process has kept the file locked for %v: one that is frozen (SIGSTOP) in the middle of a write holds it until it goes on or is killed: %w", BusyTimeout, err)
	}
	return err
}

// notFound turns the standard library's error into the port's.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return persist.ErrNotFound
	}
	return err
}

// each prepares a statement and runs it once for every element.
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
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
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

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

// now is the store's clock: this machine's, which all its processes share.
func now() int64 { return time.Now().UnixMicro() }

func fromMicros(t int64) time.Time { return time.UnixMicro(t).UTC() }
