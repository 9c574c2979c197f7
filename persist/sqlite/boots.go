package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room/record"
)

// StartBoot implements persist.Boots.
func (s *Store) StartBoot(ctx context.Context, boot persist.Boot) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		at := now()
		res, err := tx.ExecContext(ctx, `
			INSERT INTO boots (boot, node, folder, host, pid, path, state, started, heartbeat)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'alive', ?7, ?7)
			ON CONFLICT (boot) DO NOTHING`,
			boot.ID, boot.Node, boot.Folder, boot.Host, boot.PID, boot.Path, at)
		if err != nil {
			return err
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return requireAlive(ctx, tx, boot.ID) // this start was tried before
		}
		var older []persist.BootInfo
		for _, folder := range boot.Folders() {
			rows, err := tx.QueryContext(ctx, selectBoot+` WHERE folder = ? AND state = 'alive' AND b.boot <> ? ORDER BY started, b.boot`, folder, boot.ID)
			some, err := collect(rows, err, bootScanner(at))
			if err != nil {
				return err
			}
			older = append(older, some...)
		}
		return ledger.FenceOlder(ctx, &resultTx{Tx: tx, stored: at}, boot, older)
	})
}

// Fence implements ledger.BootTx.
func (tx *resultTx) Fence(ctx context.Context, by record.BootID, boots []persist.BootInfo) error {
	err := each(ctx, tx.Tx, `INSERT INTO fences (number, boot, by_boot, at) SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM fences`,
		boots, func(b persist.BootInfo) []any { return []any{b.ID, by, tx.stored} })
	if err != nil {
		return err
	}
	return each(ctx, tx.Tx, `UPDATE boots SET state = 'dead' WHERE boot = ?`,
		boots, func(b persist.BootInfo) []any { return []any{b.ID} })
}

// Forget implements persist.Boots.
func (s *Store) Forget(ctx context.Context, by record.BootID, node string, heard []record.BootID) (f persist.ForgotNode, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if err := requireAlive(ctx, tx, by); err != nil {
			return err
		}
		at := now()
		rows, err := tx.QueryContext(ctx, selectBoot+` ORDER BY started, b.boot`)
		boots, err := collect(rows, err, bootScanner(at))
		if err != nil {
			return err
		}
		f, err = ledger.Forget(ctx, &resultTx{Tx: tx, subscribers: s.subscribers, stored: at}, boots, by, node, heard)
		return err
	})
	return f, err
}

// GiveUp implements ledger.BootTx.
func (tx *resultTx) GiveUp(ctx context.Context, boots []persist.BootInfo) error {
	return each(ctx, tx.Tx, `UPDATE boots SET forgotten = 1 WHERE boot = ?`, boots, func(b persist.BootInfo) []any { return []any{b.ID} })
}

// LiveRows implements ledger.BootTx.
func (tx *resultTx) LiveRows(ctx context.Context, folders []string) ([]record.Row, error) {
	list, err := json.Marshal(folders)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, ledger.SelectRow+` WHERE room IN (`+selectNaming+`) ORDER BY room`, string(list), "")
	return collect(rows, err, ledger.ScanRow)
}

// Heartbeat implements persist.Boots.
func (s *Store) Heartbeat(ctx context.Context, boot record.BootID) error {
	res, err := s.write.ExecContext(ctx, `UPDATE boots SET heartbeat = ? WHERE boot = ? AND state = 'alive'`, now(), boot)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return persist.ErrBootDead
}

// EndBoot implements persist.Boots.
func (s *Store) EndBoot(ctx context.Context, boot record.BootID) error {
	_, err := s.write.ExecContext(ctx, `UPDATE boots SET state = 'ended', heartbeat = ? WHERE boot = ? AND state = 'alive'`, now(), boot)
	return err
}

const selectBoot = `
	SELECT b.boot, node, folder, host, pid, path, state, started, heartbeat, coalesce(number, 0), forgotten
	FROM boots b LEFT JOIN fences f ON f.boot = b.boot`

// bootScanner reads boots at a time of the store's clock.
func bootScanner(at int64) func(ledger.Scanner) (persist.BootInfo, error) {
	return func(row ledger.Scanner) (b persist.BootInfo, err error) {
		var started, heartbeat int64
		err = row.Scan(&b.ID, &b.Node, &b.Folder, &b.Host, &b.PID, &b.Path, &b.State, &started, &heartbeat, &b.Fence, &b.Forgotten)
		b.Started = ledger.Micros(started)
		b.SetBeat(time.Duration(at-heartbeat) * time.Microsecond)
		return b, err
	}
}

// Boots implements persist.Boots.
func (s *Store) Boots(ctx context.Context) ([]persist.BootInfo, error) {
	rows, err := s.look.QueryContext(ctx, selectBoot+` ORDER BY started, b.boot`)
	return collect(rows, err, bootScanner(now()))
}

// Fences implements persist.Boots.
func (s *Store) Fences(ctx context.Context, from uint64) ([]persist.Fence, error) {
	rows, err := s.look.QueryContext(ctx, `SELECT number, boot, by_boot, at FROM fences WHERE number >= ? ORDER BY number`, int64(from))
	return collect(rows, err, ledger.ScanFence)
}
