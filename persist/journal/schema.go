package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver
)

// migrations bring the database from version i to i+1. A released one never changes.
var migrations = []string{`
-- The lives of the node: each opening of the journal is one, with its newest time mark.
CREATE TABLE lives (
	life    INTEGER PRIMARY KEY,
	elapsed INTEGER NOT NULL -- ns of the node's monotonic time
);
-- A room may have been set aside and live again under one name, so rows are told apart by key.
CREATE TABLE rooms (
	key          INTEGER PRIMARY KEY,
	room         TEXT    NOT NULL,
	header       BLOB    NOT NULL,
	sum          INTEGER NOT NULL,
	epoch        INTEGER NOT NULL,           -- of the last claim
	life         INTEGER NOT NULL DEFAULT 0, -- whose time drives the room's clock; 0: it stands still
	clock_offset INTEGER NOT NULL DEFAULT 0, -- ns: that life's time minus room time
	clock_floor  INTEGER NOT NULL DEFAULT 0, -- ns of room time that were certainly reached
	cut          TEXT    NOT NULL DEFAULT '',
	aside_at     INTEGER,                    -- Unix ms; null while live
	aside_reason TEXT
);
CREATE UNIQUE INDEX rooms_live ON rooms (room) WHERE aside_at IS NULL;
CREATE TABLE batches (
	key     INTEGER NOT NULL,
	first   INTEGER NOT NULL,
	last    INTEGER NOT NULL,
	epoch   INTEGER NOT NULL,
	time    INTEGER NOT NULL,
	entries BLOB    NOT NULL,
	sum     INTEGER NOT NULL,
	PRIMARY KEY (key, first)
) WITHOUT ROWID;
CREATE TABLE snapshots (
	key   INTEGER NOT NULL,
	idx   INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	data  BLOB    NOT NULL,
	sum   INTEGER NOT NULL,
	PRIMARY KEY (key, idx)
);
-- Where all logs ended at the last time mark: pairs of key and index.
CREATE TABLE ends (one INTEGER PRIMARY KEY CHECK (one = 1), data BLOB NOT NULL, sum INTEGER NOT NULL);
-- What was cut off a damaged log, for people who look into it.
CREATE TABLE cut_batches   (at INTEGER, key INTEGER, first, last, epoch, time, entries, sum);
CREATE TABLE cut_snapshots (at INTEGER, key INTEGER, idx, epoch, data, sum);
CREATE INDEX cut_batches_key   ON cut_batches (key);
CREATE INDEX cut_snapshots_key ON cut_snapshots (key);
-- How often a process died while it stepped an input of a room.
CREATE TABLE tries (
	room        TEXT    NOT NULL,
	fingerprint INTEGER NOT NULL,
	count       INTEGER NOT NULL,
	PRIMARY KEY (room, fingerprint)
) WITHOUT ROWID;
-- The black box whose slots are in tries already.
CREATE TABLE counted (one INTEGER PRIMARY KEY CHECK (one = 1), generation TEXT NOT NULL);
`}

// applicationID marks the file as ours (`PRAGMA application_id`): "RRjl".
const applicationID = 0x52526a6c

// Connections. Writers begin IMMEDIATE so that a read-then-write never finds the lock taken in
// between; the timeout covers an operator's sqlite3 that looks in.
const (
	writerQuery = "_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
		"&_pragma=wal_autocheckpoint(4096)&_pragma=journal_size_limit(16777216)"
	readerQuery = "_pragma=busy_timeout(5000)&_pragma=query_only(1)"
)

// makePrivate makes the file if it is not there. It holds the seeds and join codes of live rooms, and the folder may be
// one that others can look into; SQLite gives the files beside it the same mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func openDatabase(path, query string, connections int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// migrate brings the database to the present version in one transaction.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return &NewerError{Path: path, Has: version, Known: len(migrations)}
	}
	for _, text := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	stamp := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(migrations), applicationID)
	if _, err := tx.ExecContext(ctx, stamp); err != nil {
		return err
	}
	return tx.Commit()
}

// queryAll scans every row of a query into a list.
func queryAll[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return all, errors.Join(err, rows.Close())
		}
		all = append(all, one)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
