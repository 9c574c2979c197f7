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
			INSERT INTO rooms (room, game, epoch, state, boot, folder, code, private, nonce)
			VALUES ($1, $2, $3, 'live', $4, $5, $6, $7, $8)
			ON CONFLICT (room) DO NOTHING`,
			[]any{r.Room, r.Game, int64(r.Epoch), boot, r.Folder, r.Code, r.Private, r.Nonce}}
	}))
}

// ClaimRows implements persist.Rows.
func (s *Store) ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) ([]record.RowResult, error) {
	return s.writeRows(ctx, boot, column(claims, func(c record.Claim) write {
		return write{c.Room, c.Nonce, `
			UPDATE rooms SET epoch = $1, state = 'live', boot = $2, folder = $3, nonce = $4
			WHERE room = $5 AND epoch = $6 AND epoch < $1 AND state = $7 AND state <> 'over'
				AND (state = 'released' OR folder = $8)`,
			[]any{int64(c.Epoch), boot, c.Folder, c.Nonce, c.Room, int64(c.FromEpoch), c.FromState, c.FromFolder}}
	}))
}

// ReleaseRow implements persist.Rows.
func (s *Store) ReleaseRow(ctx context.Context, boot record.BootID, r record.Release) (record.RowResult, error) {
	p := r.Checkpoint.Point
	results, err := s.writeRows(ctx, boot, []write{{r.Room, r.Nonce, `
		UPDATE rooms SET state = 'released', nonce = $1, checkpoint_epoch = $2, checkpoint_seq = $3, checkpoint = $4
		WHERE room = $5 AND epoch = $6 AND state = 'live' AND boot = $7
			AND (coalesce(checkpoint_epoch, 0), coalesce(checkpoint_seq, 0)) <= ($2, $3)`,
		[]any{r.Nonce, int64(p.Epoch), int64(p.Seq), ledger.NotNil(r.Checkpoint.Data), r.Room, int64(r.Epoch), boot}}})
	if err != nil {
		return record.RowResult{}, err
	}
	return results[0], nil
}

// writeRows does the writes in one transaction of an alive boot, in three round trips, and reads back who won.
// The lock on the boot's row makes a fence wait until the writes are committed. Two boots that claim the same
// released rooms in different orders may deadlock. The server then ends one of the transactions, and inTx tries it again.
func (s *Store) writeRows(ctx context.Context, boot record.BootID, writes []write) (results []record.RowResult, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`SELECT state FROM boots WHERE boot = $1 FOR SHARE`, boot).Query(requireAlive)
		for _, w := range writes {
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
