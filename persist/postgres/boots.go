package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room/record"
)

// arbiterLock is the advisory lock of every transaction that fences boots, so that fence numbers leave no gap.
const arbiterLock int64 = 0x726f6f6d72696e67 // "roomring"

// StartBoot implements persist.Boots.
func (s *Store) StartBoot(ctx context.Context, boot persist.Boot) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, arbiterLock); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO boots (boot, node, folder, host, pid, path, state, started, heartbeat)
			VALUES ($1, $2, $3, $4, $5, $6, 'alive', clock_timestamp(), clock_timestamp())
			ON CONFLICT (boot) DO NOTHING`,
			boot.ID, boot.Node, boot.Folder, boot.Host, boot.PID, boot.Path)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 { // this start was tried before
			if _, err := tx.Exec(ctx, settle); err != nil {
				return err
			}
			rows, _ := tx.Query(ctx, `SELECT state FROM boots WHERE boot = $1`, boot.ID)
			return requireAlive(rows)
		}
		// FOR UPDATE waits for row writes of the old boot that are under way. Any later one finds it dead.
		rows, _ := tx.Query(ctx, selectBoot+`
			WHERE folder = ANY ($1) AND state = 'alive' AND b.boot <> $2 ORDER BY started, b.boot FOR UPDATE OF b`, boot.Folders(), boot.ID)
		older, err := collect(rows, scanBoot)
		if err != nil {
			return err
		}
		return ledger.FenceOlder(ctx, resultTx{Tx: tx}, boot, older)
	})
}

// Fence implements ledger.BootTx. The caller holds the arbiter's lock.
func (tx resultTx) Fence(ctx context.Context, by record.BootID, boots []persist.BootInfo) error {
	batch := &pgx.Batch{}
	for _, b := range boots {
		batch.Queue(`
			INSERT INTO fences (number, boot, by_boot, at)
			SELECT coalesce(max(number), 0) + 1, $1, $2, clock_timestamp() FROM fences`, b.ID, by)
		batch.Queue(`UPDATE boots SET state = 'dead' WHERE boot = $1`, b.ID)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Forget implements persist.Boots. It holds the arbiter's lock to the end, so that no process of a folder that is given up
// can start meanwhile. FOR UPDATE waits for row writes of its former processes that are under way.
func (s *Store) Forget(ctx context.Context, by record.BootID, node string, heard []record.BootID) (f persist.ForgotNode, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, arbiterLock); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `SELECT state FROM boots WHERE boot = $1 FOR SHARE`, by)
		if err := requireAlive(rows); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT boot FROM boots WHERE node = $1 AND boot <> $2 ORDER BY boot FOR UPDATE`, node, by); err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, selectBoot+` ORDER BY started, b.boot`)
		boots, err := collect(rows, scanBoot)
		if err != nil {
			return err
		}
		f, err = ledger.Forget(ctx, resultTx{Tx: tx, subscribers: s.subscribers}, boots, by, node, heard)
		return err
	})
	return f, err
}

// GiveUp implements ledger.BootTx.
func (tx resultTx) GiveUp(ctx context.Context, boots []persist.BootInfo) error {
	_, err := tx.Exec(ctx, `UPDATE boots SET forgotten = true WHERE boot = ANY ($1)`,
		column(boots, func(b persist.BootInfo) string { return string(b.ID) }))
	return err
}

// LiveRows implements ledger.BootTx.
func (tx resultTx) LiveRows(ctx context.Context, folders []string) ([]record.Row, error) {
	rows, _ := tx.Query(ctx, ledger.SelectRow+`
		WHERE state = 'live' AND (folder = ANY ($1) OR standby = ANY ($1) AND standby_epoch = epoch) ORDER BY room`, folders)
	return collect(rows, ledger.ScanRow)
}

// Heartbeat implements persist.Boots.
func (s *Store) Heartbeat(ctx context.Context, boot record.BootID) error {
	alive, err := query(ctx, s, ledger.Scan[record.BootID],
		`UPDATE boots SET heartbeat = clock_timestamp() WHERE boot = $1 AND state = 'alive' RETURNING boot`, boot)
	if err == nil && len(alive) == 0 {
		return persist.ErrBootDead
	}
	return err
}

// EndBoot implements persist.Boots.
func (s *Store) EndBoot(ctx context.Context, boot record.BootID) error {
	return s.do(ctx, func() error {
		_, err := s.pool.Exec(ctx, `UPDATE boots SET state = 'ended', heartbeat = clock_timestamp() WHERE boot = $1 AND state = 'alive'`, boot)
		return err
	})
}

const selectBoot = `
	SELECT b.boot, node, folder, host, pid, path, state, started,
		clock_timestamp() - heartbeat, coalesce(number, 0), forgotten
	FROM boots b LEFT JOIN fences f ON f.boot = b.boot`

func scanBoot(row ledger.Scanner) (b persist.BootInfo, err error) {
	var age time.Duration
	err = row.Scan(&b.ID, &b.Node, &b.Folder, &b.Host, &b.PID, &b.Path, &b.State, &b.Started, &age, &b.Fence, &b.Forgotten)
	b.SetBeat(age)
	b.Started = b.Started.UTC()
	return b, err
}

// Boots implements persist.Boots.
func (s *Store) Boots(ctx context.Context) ([]persist.BootInfo, error) {
	return query(ctx, s, scanBoot, selectBoot+` ORDER BY started, b.boot`)
}

// Fences implements persist.Boots.
func (s *Store) Fences(ctx context.Context, from uint64) ([]persist.Fence, error) {
	return query(ctx, s, ledger.ScanFence, `SELECT number, boot, by_boot, at FROM fences WHERE number >= $1 ORDER BY number`, int64(from))
}
