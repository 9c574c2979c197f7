// Package postgres is the store in PostgreSQL (15 is tested), for one node or a whole cluster, also behind PgBouncer.
//
// The store retries a call, with exponential backoff and full jitter, after an error that another try may cure:
// see retryable. Every write of the port may be repeated, so a lost answer is such an error too.
// When the server stays away, the call fails and the caller waits, as persist.Flusher does.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Options are how a store is opened. The zero value is fit for use.
type Options struct {
	// Wait is how long Open waits for a server that does not answer. 0 means 10 s.
	Wait time.Duration
	// Conns is the largest number of connections for what games need: rows, heartbeats, results to be written. 0 means 8.
	// The URL's pool_max_conns overrides it.
	Conns int32
	// Readers is the largest number of connections for what strangers may ask for: results, replays, players, leaderboards.
	// Games have connections of their own, so that they never wait for strangers. 0 means 4.
	Readers int32
	// Retry is the wait between the tries of one call. Zero means clock.Backoff's defaults.
	Retry clock.Backoff
	// Tries bounds the tries of one call. 0 means 6.
	Tries int
	// Ratings are the rules of ratings. Open updates in all records who is listed by them. nil means the zero rules, and
	// leaves who is listed as it is.
	Ratings *persist.Ratings
	// Subscribers are told events, see persist.Outbox. None: no event is written.
	Subscribers []persist.Subscriber
}

// Store is a persist.Store in PostgreSQL.
type Store struct {
	pool   *pgxpool.Pool
	reader *Store // the same with Options.Readers
	pooled bool   // see pooler.go
	retry  clock.Backoff
	tries  int
	rules  persist.Ratings

	subscribers []persist.Subscriber
}

var _ persist.Store = (*Store)(nil)

// Open connects to a server and brings the schema up to date. rawURL is a postgres:// URL or a keyword/value
// string, see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING. The error is a
// *persist.UnreachableError after Options.Wait without an answer, a *persist.NewerSchemaError if a newer
// binary has migrated the database, or the server's refusal.
func Open(ctx context.Context, rawURL string, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, fmt.Errorf("the store's URL: %w", err)
	}
	o.apply(config, rawURL)
	s := &Store{retry: o.Retry, tries: o.Tries, subscribers: o.Subscribers}
	if err := s.await(ctx, o.Wait, config); err != nil {
		return nil, err
	}
	if s.pooled {
		behindPooler(config)
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("the store %s: %w", describe(config), err)
	}
	if err = s.migrate(ctx, config); err == nil && o.Ratings != nil {
		s.rules = *o.Ratings
		err = s.list(ctx)
	}
	if err == nil {
		err = s.openReader(ctx, config, o.Readers)
	}
	if err == nil {
		return s, nil
	}
	s.pool.Close()
	if _, newer := errors.AsType[*persist.NewerSchemaError](err); newer {
		return nil, err
	}
	return nil, fmt.Errorf("the store %s: migrating: %s", describe(config), oneLine(err))
}

func (s *Store) openReader(ctx context.Context, config *pgxpool.Config, conns int32) (err error) {
	config = config.Copy()
	config.MaxConns = conns
	config.MinConns, config.MinIdleConns = min(config.MinConns, conns), min(config.MinIdleConns, conns)
	reader := *s
	if reader.pool, err = pgxpool.NewWithConfig(ctx, config); err == nil {
		s.reader = &reader
	}
	return err
}

func (o *Options) apply(config *pgxpool.Config, rawURL string) {
	if o.Wait <= 0 {
		o.Wait = 10 * time.Second
	}
	if o.Tries <= 0 {
		o.Tries = 6
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Conns <= 0 {
		o.Conns = 8
	}
	if !strings.Contains(rawURL, "pool_max_conns") {
		config.MaxConns = o.Conns
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, settings(false))
		return err
	}
	config.ConnConfig.OnNotice = noticed
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "roomring"
	}
}

// settings is the SQL that sets what a connection, or a transaction alone, needs, unless the operator has chosen otherwise.
//
// A journal is deleted once its result is stored, so synchronous_commit=off becomes on; other values, such as remote_apply,
// stay. The warning that noticed looks for must come. The timeout ends the transaction of a process that freezes or is cut off in the middle of it: otherwise it would hold
// the arbiter's lock or a room's row for as long as its connection seems to live.
func settings(transaction bool) string {
	return fmt.Sprintf(`
		SELECT set_config('synchronous_commit', 'on', %[1]t) WHERE current_setting('synchronous_commit') = 'off';
		SELECT set_config('client_min_messages', 'warning', %[1]t) WHERE current_setting('client_min_messages') IN ('error', 'fatal', 'panic');
		SELECT set_config('idle_in_transaction_session_timeout', '10s', %[1]t)
			WHERE current_setting('idle_in_transaction_session_timeout') = '0'`, transaction)
}

// await tries to connect until the server answers, refuses for good, or the wait is over. It finds out whether the server is a pooler.
func (s *Store) await(ctx context.Context, wait time.Duration, config *pgxpool.Config) error {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for retry := s.retry; ; {
		conn, err := pgx.ConnectConfig(waiting, config.ConnConfig)
		if err == nil {
			s.pooled, err = pooled(waiting, conn)
			conn.Close(context.WithoutCancel(waiting))
		}
		if err == nil {
			return nil
		}
		if !retryable(err) && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("the store %s: %s", describe(config), oneLine(err))
		}
		if !retryable(err) || !clock.Sleep(waiting, nil, retry.Next()) {
			return &persist.UnreachableError{Store: describe(config), Wait: wait, Cause: errors.New(oneLine(err))}
		}
	}
}

// describe names a store without its password.
func describe(config *pgxpool.Config) string {
	c := config.ConnConfig
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Host: fmt.Sprintf("%s:%d", c.Host, c.Port), Path: c.Database}
	if strings.HasPrefix(c.Host, "/") { // a socket's folder
		u.Host = fmt.Sprintf(":%d", c.Port)
		u.RawQuery = "host=" + c.Host
	}
	return u.String()
}

// oneLine is the cause of an error on one line. pgx repeats it for each address and method that it tried.
func oneLine(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		err = e
	} else if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// Ping implements persist.Store.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// Close implements persist.Store.
func (s *Store) Close() error {
	s.pool.Close()
	s.reader.pool.Close()
	return nil
}

// do runs a call, and tries again after an error that another try may cure.
func (s *Store) do(ctx context.Context, call func() error) error {
	retry := s.retry
	for try := 1; ; try++ {
		err := call()
		if err == nil || try >= s.tries || !retryable(err) || !clock.Sleep(ctx, nil, retry.Next()) {
			return err
		}
	}
}

// inTx runs do in a read committed transaction, and commits it if do returns nil. It returns nil only when the server has replicated the
// commit, if it does so synchronously.
func (s *Store) inTx(ctx context.Context, do func(pgx.Tx) error) error {
	return s.do(ctx, func() error { return s.commit(ctx, do) })
}

// query reads all rows with scan.
func query[T any](ctx context.Context, s *Store, scan func(ledger.Scanner) (T, error), sql string, args ...any) (all []T, err error) {
	err = s.do(ctx, func() error {
		rows, _ := s.pool.Query(ctx, sql, args...)
		all, err = collect(rows, scan)
		return err
	})
	return all, err
}

// queryOne reads one row with scan; none is record.ErrNotFound.
func queryOne[T any](ctx context.Context, s *Store, scan func(ledger.Scanner) (T, error), sql string, args ...any) (one T, err error) {
	err = s.do(ctx, func() error {
		rows, _ := s.pool.Query(ctx, sql, args...)
		one, err = pgx.CollectOneRow(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = record.ErrNotFound
	}
	return one, err
}

// collect reads all rows of an answer with scan.
func collect[T any](rows pgx.Rows, scan func(ledger.Scanner) (T, error)) ([]T, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
}
