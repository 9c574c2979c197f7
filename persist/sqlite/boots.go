package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
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
		return fenceOlder(ctx, tx, boot, at)
	})
}

// fenceOlder fences every other alive boot of the folder, or refuses to.
func fenceOlder(ctx context.Context, tx *sql.Tx, boot persist.Boot, at int64) error {
	var older []persist.BootInfo
	for _, folder := range boot.Folders() {
		rows, err := tx.QueryContext(ctx, selectBoot+` WHERE folder = ? AND state = 'alive' AND b.boot <> ? ORDER BY started, b.boot`, folder, boot.ID)
		some, err := collect(rows, err, bootScanner(at))
		if err != nil {
			return err
		}
		older = append(older, some...)
	}
	for _, old := range older {
		if !persist.MayFence(boot, old) {
			return &persist.FolderInUseError{Holder: old}
		}
	}
	return fence(ctx, tx, boot.ID, older, at)
}

// fence declares boots dead.
func fence(ctx context.Context, tx *sql.Tx, by room.BootID, boots []persist.BootInfo, at int64) error {
	err := each(ctx, tx, `INSERT INTO fences (number, boot, by_boot, at) SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM fences`,
		boots, func(b persist.BootInfo) []any { return []any{b.ID, by, at} })
	if err != nil {
		return err
	}
	return each(ctx, tx, `UPDATE boots SET state = 'dead' WHERE boot = ?`,
		boots, func(b persist.BootInfo) []any { return []any{b.ID} })
}

// Forget implements persist.Boots.
func (s *Store) Forget(ctx context.Context, by room.BootID, node string, heard []room.BootID) (f persist.Forgotten, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		f, err = forget(ctx, tx, by, node, heard)
		return err
	})
	return f, err
}

func forget(ctx context.Context, tx *sql.Tx, by room.BootID, node string, heard []room.BootID) (f persist.Forgotten, err error) {
	if err := requireAlive(ctx, tx, by); err != nil {
		return f, err
	}
	at := now()
	rows, err := tx.QueryContext(ctx, selectBoot+` ORDER BY started, b.boot`)
	boots, err := collect(rows, err, bootScanner(at))
	if err != nil {
		return f, err
	}
	lost, err := persist.ToForget(node, boots, heard)
	if err != nil {
		return f, err
	}
	var live []room.Row
	for _, b := range lost {
		rows, err := tx.QueryContext(ctx, selectRow+` WHERE state = 'live' AND boot = ? ORDER BY room`, b.ID)
		some, err := collect(rows, err, scanRow)
		if err != nil {
			return f, err
		}
		live = append(live, some...)
	}
	lost = slices.DeleteFunc(lost, func(b persist.BootInfo) bool { return b.State != persist.BootAlive })
	finals, err := persist.Lost(live)
	if err != nil {
		return f, err
	}
	if err := fence(ctx, tx, by, lost, at); err != nil {
		return f, err
	}
	_, err = ledger.Post(ctx, &resultTx{Tx: tx, stored: at}, persist.Ratings{}, finals) // none of them was finished
	return persist.Forgotten{Boots: len(lost), Rooms: len(finals)}, err
}

// Heartbeat implements persist.Boots.
func (s *Store) Heartbeat(ctx context.Context, boot room.BootID) error {
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
func (s *Store) EndBoot(ctx context.Context, boot room.BootID) error {
	_, err := s.write.ExecContext(ctx, `UPDATE boots SET state = 'ended', heartbeat = ? WHERE boot = ? AND state = 'alive'`, now(), boot)
	return err
}

const selectBoot = `
	SELECT b.boot, node, folder, host, pid, path, state, started, heartbeat, coalesce(number, 0)
	FROM boots b LEFT JOIN fences f ON f.boot = b.boot`

func bootScanner(at int64) func(scanner) (persist.BootInfo, error) {
	return func(row scanner) (b persist.BootInfo, err error) {
		var started, heartbeat int64
		err = row.Scan(&b.ID, &b.Node, &b.Folder, &b.Host, &b.PID, &b.Path, &b.State, &started, &heartbeat, &b.Fence)
		b.Started = fromMicros(started)
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
	return collect(rows, err, func(row scanner) (f persist.Fence, err error) {
		var at int64
		err = row.Scan(&f.Number, &f.Boot, &f.By, &at)
		f.At = fromMicros(at)
		return f, err
	})
}
