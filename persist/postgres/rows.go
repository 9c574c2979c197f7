package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// write is the write of one row: a statement, and the nonce that the row has afterwards if the write won.
type write struct {
	room  room.ID
	nonce string
	query string
	args  []any
}

// CreateRows implements persist.Rows.
func (s *Store) CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) ([]record.RowResult, error) {
	return s.writeRows(ctx, boot, column(rows, func(r record.Row) write {
		return write{r.Room, r.Nonce, `
			INSERT INTO rooms (room, game, epoch, state, boot, folder, standby, standby_epoch, code, private, nonce)
			VALUES ($1, $2, $3, 'live', $4, $5, $6, $3, $7, $8, $9)
			ON CONFLICT (room) DO NOTHING`,
			[]any{r.Room, r.Game, int64(r.Epoch), boot, r.Folder, r.Standby, r.Code, r.Private, r.Nonce}}
	}))
}

// ClaimRows implements persist.Rows.
func (s *Store) ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) ([]record.RowResult, error) {
	return s.writeRows(ctx, boot, column(claims, func(c record.Claim) write {
		strike, deaths := ledger.Strike(c.Strike)
		return write{c.Room, c.Nonce, `
			UPDATE rooms SET epoch = $1, state = 'live', boot = $2, folder = $3, standby = $4, standby_epoch = $1, nonce = $5,
				strike = coalesce($10, strike), deaths = coalesce($11, deaths),
				strike_epoch = CASE WHEN $11 IS NOT NULL OR strike_epoch = epoch THEN $1 END
			WHERE room = $6 AND epoch = $7 AND epoch < $1 AND state = $8 AND state <> 'over'
				AND (state = 'released' OR folder = $9)`,
			[]any{int64(c.Epoch), boot, c.Folder, c.Standby, c.Nonce, c.Room, int64(c.FromEpoch), c.FromState, c.FromFolder, strike, deaths}}
	}))
}

// ReleaseRow implements persist.Rows.
func (s *Store) ReleaseRow(ctx context.Context, boot record.BootID, r record.Release) (record.RowResult, error) {
	p := r.Checkpoint.Point
	strike, deaths := ledger.Strike(r.Strike)
	results, err := s.writeRows(ctx, boot, []write{{r.Room, r.Nonce, `
		UPDATE rooms SET epoch = $1, state = 'released', folder = '', standby = '', nonce = $2,
			checkpoint_epoch = $3, checkpoint_seq = $4, checkpoint = $5,
			strike = coalesce($9, strike), deaths = coalesce($10, deaths),
			strike_epoch = CASE WHEN $10 IS NOT NULL OR strike_epoch = epoch THEN $1 END
		WHERE room = $6 AND epoch = $7 AND epoch <= $1 AND state = 'live' AND boot = $8
			AND (coalesce(checkpoint_epoch, 0), coalesce(checkpoint_seq, 0)) <= ($3, $4)`,
		[]any{int64(r.Epoch), r.Nonce, int64(p.Epoch), int64(p.Seq), ledger.NotNil(r.Checkpoint.Data), r.Room, int64(r.FromEpoch), boot,
			strike, deaths}}})
	if err != nil {
		return record.RowResult{}, err
	}
	return results[0], nil
}

// writeRows does the writes in one transaction of an alive boot, in three round trips, and reads back who won.
// The lock on the boot's row makes a fence wait until the writes are committed. The rows are written, and so locked, in the order of
// room ids, as WriteResults locks them: boots that write the same rooms do not deadlock, whatever the order of their callers.
func (s *Store) writeRows(ctx context.Context, boot record.BootID, writes []write) (results []record.RowResult, err error) {
	sorted := ledger.ByRoom(writes, func(w write) room.ID { return w.room })
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`SELECT state FROM boots WHERE boot = $1 FOR SHARE`, boot).Query(requireAlive)
		for _, w := range sorted {
			batch.Queue(w.query, w.args...)
		}
		present := map[room.ID]record.Row{}
		batch.Queue(ledger.SelectRow+` WHERE room = ANY ($1)`, column(writes, func(w write) string { return string(w.room) })).
			Query(func(rows pgx.Rows) error {
				all, err := collect(rows, ledger.ScanRow)
				for _, r := range all {
					present[r.Room] = r
				}
				return err
			})
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		results = column(writes, func(w write) record.RowResult { return ledger.JudgeWrite(present[w.room], w.nonce) })
		return nil
	})
	return results, err
}

// requireAlive reads the state of the boot that wants to write.
func requireAlive(rows pgx.Rows) error {
	states, err := collect(rows, ledger.Scan[persist.BootState])
	if err == nil && (len(states) == 0 || states[0] != persist.BootAlive) {
		return persist.ErrBootDead
	}
	return err
}

// Row implements persist.Rows.
func (s *Store) Row(ctx context.Context, id room.ID) (record.Row, error) {
	return queryOne(ctx, s, ledger.ScanRow, ledger.SelectRow+` WHERE room = $1`, id)
}

// Rows implements persist.Rows.
func (s *Store) Rows(ctx context.Context, ids []room.ID) ([]record.Row, error) {
	found, err := s.read(ctx, ledger.SelectRow+` WHERE room = ANY ($1)`, column(ids, func(id room.ID) string { return string(id) }))
	return ledger.InOrder(found, ids), err
}

// RowsNaming implements persist.Rows. Each folder's rooms are read from an index, in order, so that a page costs no more than a page.
func (s *Store) RowsNaming(ctx context.Context, folders []string, after room.ID, limit int) ([]record.Row, error) {
	return s.read(ctx, selectNaming, folders, after, persist.MaxRows(limit))
}

const selectNaming = ledger.SelectRow + ` WHERE room IN (
	SELECT named.room FROM unnest($1::text[]) AS of (folder) CROSS JOIN LATERAL (
		(SELECT room FROM rooms WHERE state = 'live' AND rooms.folder = of.folder AND room > $2 ORDER BY room LIMIT $3)
		UNION ALL
		(SELECT room FROM rooms WHERE state = 'live' AND standby <> '' AND standby = of.folder AND standby_epoch = epoch AND room > $2
			ORDER BY room LIMIT $3)) AS named
	ORDER BY room LIMIT 2 * $3)
	ORDER BY room LIMIT $3`

// RowByCode implements persist.Rows.
func (s *Store) RowByCode(ctx context.Context, code string) (record.Row, error) {
	return queryOne(ctx, s, ledger.ScanRow,
		ledger.SelectRow+` WHERE code = $1 AND code <> '' AND state <> 'over' ORDER BY created DESC LIMIT 1`, code)
}

// ListRows implements persist.Rows.
func (s *Store) ListRows(ctx context.Context, f persist.RowFilter) ([]record.Row, error) {
	return query(ctx, s, ledger.ScanRow, ledger.SelectRow+`
		WHERE `+f.StateTerm("$1")+` AND ($2 = '' OR folder = $2) AND room > $3
		ORDER BY room LIMIT $4`, string(f.State), f.Folder, f.After, f.Max())
}

// Checkpoint implements persist.Rows.
func (s *Store) Checkpoint(ctx context.Context, id room.ID) (record.Checkpoint, error) {
	return queryOne(ctx, s, ledger.ScanCheckpoint, `SELECT checkpoint_epoch, checkpoint_seq, checkpoint FROM rooms WHERE room = $1 AND checkpoint IS NOT NULL`, id)
}
