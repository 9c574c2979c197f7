package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3/lock"
)

// A connection pooler such as PgBouncer may lead each transaction of a connection to another process of the server. Then
// nothing holds beyond a transaction: no statement that was prepared by name, no setting, no lock of a session.

// pooled reports whether a pooler answers in the server's place: it makes up the number of the process by which clients
// cancel.
func pooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return err == nil && pid != conn.PgConn().PID(), err
}

// behindPooler has every statement be sent whole, parsed and run in one go, with its types known from the first time.
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

// whileLocked runs do under the lock of migrations, which is that of a transaction here: a lock of a session would stay
// with the server's process and not with this one. Who waits for it does so outside of a transaction: the pooler may have few
// connections, and the holder needs another one.
func (s *Store) whileLocked(ctx context.Context, config *pgx.ConnConfig, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, migrateWait)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for try := 0; ; try++ {
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
		if err := s.retry.Sleep(ctx, try); err != nil {
			return err
		}
	}
}

// migrateWait bounds how long a process waits for others that migrate, and migrates.
const migrateWait = time.Minute
