package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room/record"
)

// PutEvents implements persist.Outbox.
func (s *Store) PutEvents(ctx context.Context, events []record.Event) error {
	rows := ledger.EventRows(s.subscribers, events)
	if len(rows) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *sql.Tx) error { return putEvents(ctx, tx, rows, now()) })
}

func putEvents(ctx context.Context, tx *sql.Tx, rows []ledger.EventRow, at int64) error {
	return each(ctx, tx, `
		INSERT INTO outbox (event, target, kind, room, player, data, made, since, state, due)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 'waiting', ?7)
		ON CONFLICT (event, target) DO NOTHING`,
		rows, func(r ledger.EventRow) []any { return []any{r.Event, r.Target, r.Kind, r.Room, r.Player, r.Data, at} })
}

// Events implements ledger.Tx.
func (tx *resultTx) Events(ctx context.Context, events []record.Event) error {
	return putEvents(ctx, tx.Tx, ledger.EventRows(tx.subscribers, events), tx.stored)
}

const deliveryColumns = `number, target, kind, data, made, state, tries, ?1 - since, due, settled, error`

// ClaimEvents implements persist.Outbox. It asks before it writes, because a look costs no lock.
func (s *Store) ClaimEvents(ctx context.Context, target string, n int, lease time.Duration) (claimed []record.Delivery, err error) {
	var due bool
	err = s.look.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM outbox WHERE target = ? AND state = 'waiting' AND due <= ?)`, target, now()).Scan(&due)
	if err != nil || !due {
		return nil, err
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		at := now()
		rows, err := tx.QueryContext(ctx, `
			UPDATE outbox SET due = ?1 + ?2, tries = tries + 1
			WHERE number IN (SELECT number FROM outbox WHERE target = ?3 AND state = 'waiting' AND due <= ?1 ORDER BY due, number LIMIT ?4)
			RETURNING `+deliveryColumns, at, lease.Microseconds(), target, n)
		claimed, err = collect(rows, err, ledger.ScanDelivery)
		return err
	})
	return claimed, err
}

// SettleEvents implements persist.Outbox.
func (s *Store) SettleEvents(ctx context.Context, settled []persist.Settled) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		at := now()
		return each(ctx, tx, `
			UPDATE outbox SET state = ?1, due = ?2, error = ?3, settled = CASE WHEN ?1 <> 'waiting' THEN ?4 END
			WHERE number = ?5 AND tries = ?6 AND state = 'waiting'`,
			settled, func(d persist.Settled) []any {
				return []any{d.State, at + d.Retry.Microseconds(), d.Error, at, d.Number, d.Tries}
			})
	})
}

// TrimEvents implements persist.Outbox.
func (s *Store) TrimEvents(ctx context.Context, most int) (map[record.EventKind]int, error) {
	gone := map[record.EventKind]int{}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var excess int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) - ? FROM outbox WHERE state = 'waiting'`, most).Scan(&excess); err != nil {
			return err
		}
		for _, kind := range ledger.Droppable {
			if excess <= 0 {
				return nil
			}
			n, err := affected(tx.ExecContext(ctx, `
				DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE state = 'waiting' AND kind = ? ORDER BY number LIMIT ?)`, kind, excess))
			if err != nil {
				return err
			}
			gone[kind], excess = n, excess-n
		}
		return nil
	})
	return gone, err
}

// PruneEvents implements persist.Outbox.
func (s *Store) PruneEvents(ctx context.Context, keep, waits time.Duration) (n int, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		at := now()
		n, err = affected(tx.ExecContext(ctx, `
			DELETE FROM outbox WHERE number IN (
				SELECT number FROM outbox o WHERE (state <> 'waiting' AND settled < ?1 OR state = 'waiting' AND since < ?2)
					AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.room = o.room AND r.state <> 'over')
				LIMIT ?3)`, at-keep.Microseconds(), at-waits.Microseconds(), persist.PruneBatch))
		return err
	})
	return n, err
}

// OutboxStats implements persist.Outbox.
func (s *Store) OutboxStats(ctx context.Context) ([]record.OutboxStat, error) {
	rows, err := s.look.QueryContext(ctx, `SELECT target, state, count(*), ? - min(since) FROM outbox GROUP BY target, state ORDER BY target, state`, now())
	return collect(rows, err, ledger.ScanOutboxStat)
}

// Deliveries implements persist.Outbox.
func (s *Store) Deliveries(ctx context.Context, f record.DeliveryFilter) ([]record.Delivery, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM outbox
		WHERE (?2 = '' OR state = ?2) AND (?3 = '' OR target = ?3) AND (?4 = '' OR room = ?4) AND (?5 = 0 OR number < ?5)
		ORDER BY number DESC LIMIT ?6`, now(), f.State, f.Target, f.Room, f.Before, f.Max())
	return collect(rows, err, ledger.ScanDelivery)
}

// ReplayEvent implements persist.Outbox.
func (s *Store) ReplayEvent(ctx context.Context, number int64) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `UPDATE outbox SET state = 'waiting', since = ?1, due = ?1, settled = NULL WHERE number = ?2`, now(), number))
		if err == nil && n == 0 {
			err = record.ErrNotFound
		}
		return err
	})
}
