package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room/record"
)

// With synchronous replication a commit waits until another server has it. If somebody cancels the wait (an operator, a timeout, a
// client whose patience ends, for which pgx cancels), the server cannot take the commit back: it shows the change to everybody and tells
// its client, as a warning beside success, that a failover may lose it. So here
//
//   - a commit with that warning is no success: the call is tried again, and every write of the port may be repeated;
//   - an answer that found the change made already waits for the replication of what it found, because its transaction writes: the lock
//     on the writer's boot, or settle, comes into the log behind it;
//   - reads on which somebody acts wait in the same way, see read.

// errUnreplicated means that a change is made here, and that a failover may undo it.
var errUnreplicated = errors.New("PostgreSQL has cancelled the wait for synchronous replication: the change may not outlive a failover")

const unreplicated = "roomring: unreplicated"

// noticed remembers at a connection that the server gave up waiting for replication. The message is in the server's language; the name of
// the function is not.
func noticed(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == "SyncRepWaitForLSN" || n.Code == "01000" && strings.Contains(n.Message, "synchronous replication") {
		conn.CustomData()[unreplicated] = true
	}
}

// commit runs do in a read committed transaction, and commits it if do returns nil.
func (s *Store) commit(ctx context.Context, do func(pgx.Tx) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	said := conn.Conn().PgConn().CustomData()
	delete(said, unreplicated)
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := s.begin(ctx, tx); err != nil {
			return err
		}
		return do(tx)
	})
	if err == nil && said[unreplicated] != nil {
		return errUnreplicated
	}
	return err
}

// settle makes a transaction wait at its commit for the replication of all that it has seen, if the server replicates synchronously.
const settle = `SELECT pg_logical_emit_message(true, 'roomring', '') WHERE current_setting('synchronous_standby_names') <> ''`

// read reads rows of rooms, and returns only what no failover undoes.
func (s *Store) read(ctx context.Context, sql string, args ...any) (found []record.Row, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			found, err = collect(rows, ledger.ScanRow)
			return err
		})
		batch.Queue(settle)
		return tx.SendBatch(ctx, batch).Close()
	})
	return found, err
}

// Timeline implements persist.Store. It is the server's identity with the number that each promotion raises.
func (s *Store) Timeline(ctx context.Context) (string, error) {
	lines, err := query(ctx, s, ledger.Scan[string],
		`SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()`)
	if err != nil {
		return "", err
	}
	return lines[0], nil
}
