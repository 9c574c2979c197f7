package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3/lock"

	"github.com/roomring/roomring/room/clock"
)

// A connection pooler such as PgBouncer may send each transaction of a connection to another process of the server. Then
// nothing lasts longer than a transaction: no prepared statement, no setting, no session lock.

// pooled reports whether a pooler answers in the server's place. A pooler invents the process id by which clients cancel.
func pooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return err == nil && pid != conn.PgConn().PID(), err
}

// behindPooler makes the pool send every statement whole, to be parsed and run at once. Types are cached from the first time.
func behindPooler(config *pgxpool.Config) {
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	config.ConnConfig.StatementCacheCapacity = 0
	config.AfterConnect = nil // see begin
}

// Pooled reports whether a connection pooler stands between this store and its server.
func (s *Store) Pooled() bool { return s.pooled }

// begin is the first statement of each transaction.
func (s *Store) begin(ctx context.Context, tx pgx.Tx) error {
	if !s.pooled {
		return nil // the connection has the settings
	}
	_, err := tx.Exec(ctx, settings(true))
	return err
}

// whileLocked runs do under the lock of migrations. Here it is the lock of a transaction: a session lock would stay
// with the server's process and not with this one. Waiting for it happens outside of a transaction, because the pooler may have few
// connections and the holder needs another one.
func (s *Store) whileLocked(ctx context.Context, config *pgx.ConnConfig, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, migrateWait)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for retry := s.retry; ; {
		done := false
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1) FROM set_config('idle_in_transaction_session_timeout', '0', true)`,
				lock.DefaultLockID).Scan(&done)
			if err != nil || !done {
				return err
			}
			return do()
		})
		if done || err != nil {
			return err
		}
		if !clock.Sleep(ctx, nil, retry.Next()) {
			return ctx.Err()
		}
	}
}

// migrateWait bounds how long a process waits for others that migrate, and migrates.
const migrateWait = time.Minute
