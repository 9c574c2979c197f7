package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// CreateRows implements persist.Rows.
func (s *Store) CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) ([]record.RowResult, error) {
	at := now()
	return writeRows(ctx, s, boot, rows, func(tx *sql.Tx, r record.Row) (room.ID, string, error) {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO rooms (room, game, epoch, state, boot, folder, standby, standby_epoch, code, private, nonce, created)
			VALUES (?1, ?2, ?3, 'live', ?4, ?5, ?6, ?3, ?7, ?8, ?9, ?10)
			ON CONFLICT (room) DO NOTHING`,
			r.Room, r.Game, int64(r.Epoch), boot, r.Folder, r.Standby, r.Code, r.Private, r.Nonce, at)
		return r.Room, r.Nonce, err
	})
}

// ClaimRows implements persist.Rows.
func (s *Store) ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) ([]record.RowResult, error) {
	return writeRows(ctx, s, boot, claims, func(tx *sql.Tx, c record.Claim) (room.ID, string, error) {
		strike, deaths := ledger.Strike(c.Strike)
		_, err := tx.ExecContext(ctx, `
			UPDATE rooms SET epoch = ?1, state = 'live', boot = ?2, folder = ?3, standby = ?4, standby_epoch = ?1, nonce = ?5,
				strike = coalesce(?10, strike), deaths = coalesce(?11, deaths),
				strike_epoch = CASE WHEN ?11 IS NOT NULL OR strike_epoch = epoch THEN ?1 END
			WHERE room = ?6 AND epoch = ?7 AND epoch < ?1 AND state = ?8 AND state <> 'over'
				AND (state = 'released' OR folder = ?9)`,
			int64(c.Epoch), boot, c.Folder, c.Standby, c.Nonce, c.Room, int64(c.FromEpoch), c.FromState, c.FromFolder, strike, deaths)
		return c.Room, c.Nonce, err
	})
}

// ReleaseRow implements persist.Rows.
func (s *Store) ReleaseRow(ctx context.Context, boot record.BootID, release record.Release) (record.RowResult, error) {
	results, err := writeRows(ctx, s, boot, []record.Release{release}, func(tx *sql.Tx, r record.Release) (room.ID, string, error) {
		p := r.Checkpoint.Point
		strike, deaths := ledger.Strike(r.Strike)
		_, err := tx.ExecContext(ctx, `
			UPDATE rooms SET epoch = ?1, state = 'released', folder = '', standby = '', nonce = ?2,
				checkpoint_epoch = ?3, checkpoint_seq = ?4, checkpoint = ?5,
				strike = coalesce(?9, strike), deaths = coalesce(?10, deaths),
				strike_epoch = CASE WHEN ?10 IS NOT NULL OR strike_epoch = epoch THEN ?1 END
			WHERE room = ?6 AND epoch = ?7 AND epoch <= ?1 AND state = 'live' AND boot = ?8
				AND (coalesce(checkpoint_epoch, 0), coalesce(checkpoint_seq, 0)) <= (?3, ?4)`,
			int64(r.Epoch), r.Nonce, int64(p.Epoch), int64(p.Seq), ledger.NotNil(r.Checkpoint.Data), r.Room, int64(r.FromEpoch), boot,
			strike, deaths)
		return r.Room, r.Nonce, err
	})
	if err != nil {
		return record.RowResult{}, err
	}
	return results[0], nil
}

// writeRows runs write for every item in one transaction of an alive boot, and reads back who won.
func writeRows[T any](ctx context.Context, s *Store, boot record.BootID, items []T, write func(*sql.Tx, T) (room.ID, string, error)) ([]record.RowResult, error) {
	results := make([]record.RowResult, 0, len(items))
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := requireAlive(ctx, tx, boot); err != nil {
			return err
		}
		for _, item := range items {
			id, nonce, err := write(tx, item)
			if err != nil {
				return err
			}
			present, err := ledger.ScanRow(tx.QueryRowContext(ctx, ledger.SelectRow+` WHERE room = ?`, id))
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			results = append(results, ledger.JudgeWrite(present, nonce))
		}
		return nil
	})
	return results, err
}

// requireAlive is an error unless the boot that wants to write is alive.
func requireAlive(ctx context.Context, tx *sql.Tx, boot record.BootID) error {
	var state persist.BootState
	err := tx.QueryRowContext(ctx, `SELECT state FROM boots WHERE boot = ?`, boot).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) || err == nil && state != persist.BootAlive {
		return persist.ErrBootDead
	}
	return err
}

// Row implements persist.Rows.
func (s *Store) Row(ctx context.Context, id room.ID) (record.Row, error) {
	r, err := ledger.ScanRow(s.look.QueryRowContext(ctx, ledger.SelectRow+` WHERE room = ?`, id))
	return r, notFound(err)
}

// Rows implements persist.Rows.
func (s *Store) Rows(ctx context.Context, ids []room.ID) ([]record.Row, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.look.QueryContext(ctx, ledger.SelectRow+` WHERE room IN (SELECT value FROM json_each(?))`, string(list))
	found, err := collect(rows, err, ledger.ScanRow)
	return ledger.InOrder(found, ids), err
}

// RowsNaming implements persist.Rows.
func (s *Store) RowsNaming(ctx context.Context, folders []string, after room.ID, limit int) ([]record.Row, error) {
	list, err := json.Marshal(folders)
	if err != nil {
		return nil, err
	}
	rows, err := s.look.QueryContext(ctx, ledger.SelectRow+` WHERE room IN (`+selectNaming+`) ORDER BY room LIMIT ?3`, string(list), after, persist.MaxRows(limit))
	return collect(rows, err, ledger.ScanRow)
}

// selectNaming selects the rooms of live rows that name folders, each role from its index.
const selectNaming = `
	SELECT room FROM rooms WHERE state = 'live' AND folder IN (SELECT value FROM json_each(?1)) AND room > ?2
	UNION
	SELECT room FROM rooms WHERE state = 'live' AND standby <> '' AND standby_epoch = epoch
		AND standby IN (SELECT value FROM json_each(?1)) AND room > ?2`

// RowByCode implements persist.Rows.
func (s *Store) RowByCode(ctx context.Context, code string) (record.Row, error) {
	r, err := ledger.ScanRow(s.look.QueryRowContext(ctx,
		ledger.SelectRow+` WHERE code = ? AND code <> '' AND state <> 'over' ORDER BY created DESC LIMIT 1`, code))
	return r, notFound(err)
}

// ListRows implements persist.Rows.
func (s *Store) ListRows(ctx context.Context, f persist.RowFilter) ([]record.Row, error) {
	rows, err := s.look.QueryContext(ctx, ledger.SelectRow+`
		WHERE `+f.StateTerm("?1")+` AND (?2 = '' OR folder = ?2) AND room > ?3
		ORDER BY room LIMIT ?4`, f.State, f.Folder, f.After, f.Max())
	return collect(rows, err, ledger.ScanRow)
}

// Checkpoint implements persist.Rows.
func (s *Store) Checkpoint(ctx context.Context, id room.ID) (record.Checkpoint, error) {
	c, err := ledger.ScanCheckpoint(s.look.QueryRowContext(ctx,
		`SELECT checkpoint_epoch, checkpoint_seq, checkpoint FROM rooms WHERE room = ? AND checkpoint IS NOT NULL`, id))
	return c, notFound(err)
}
