package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

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
	return s.inTx(ctx, func(tx pgx.Tx) error { return putEvents(ctx, tx, rows) })
}

// putEvents inserts in the order of rows, which is the same for all writers: two of them that write the same events wait for each other
// and never in a circle.
func putEvents(ctx context.Context, tx pgx.Tx, rows []ledger.EventRow) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO outbox (event, target, kind, room, player, data, made, since, state, due)
		SELECT event, target, kind, room, player, data, t.at, t.at, 'waiting', t.at
		FROM (SELECT *, clock_timestamp() AS at FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
			WITH ORDINALITY AS n (event, target, kind, room, player, data, nth)) t
		ORDER BY nth
		ON CONFLICT (event, target) DO NOTHING`,
		column(rows, func(r ledger.EventRow) string { return r.Event }), column(rows, func(r ledger.EventRow) string { return r.Target }),
		column(rows, func(r ledger.EventRow) string { return r.Kind }), column(rows, func(r ledger.EventRow) string { return r.Room }),
		column(rows, func(r ledger.EventRow) string { return r.Player }), column(rows, func(r ledger.EventRow) string { return r.Data }))
	return err
}

// Events implements ledger.Tx.
func (tx resultTx) Events(ctx context.Context, events []record.Event) error {
	return putEvents(ctx, tx.Tx, ledger.EventRows(tx.subscribers, events))
}

const deliveryColumns = `number, target, kind, data, made, state, tries,
	(extract(epoch FROM clock_timestamp() - since) * 1000000)::bigint, due, settled, error`

// ClaimEvents implements persist.Outbox.
func (s *Store) ClaimEvents(ctx context.Context, target string, n int, lease time.Duration) ([]record.Delivery, error) {
	return query(ctx, s, ledger.ScanDelivery, `
		UPDATE outbox SET due = clock_timestamp() + $3::interval, tries = tries + 1
		WHERE number = ANY (ARRAY (
			SELECT number FROM outbox WHERE target = $1 AND state = 'waiting' AND due <= now() ORDER BY due, number LIMIT $2 FOR UPDATE SKIP LOCKED))
		RETURNING `+deliveryColumns, target, n, lease)
}

// SettleEvents implements persist.Outbox. It locks the rows in order, because a trim may be on its way to them.
func (s *Store) SettleEvents(ctx context.Context, settled []persist.Settled) error {
	return s.do(ctx, func() error {
		_, err := s.pool.Exec(ctx, `
			UPDATE outbox o SET state = t.state, due = clock_timestamp() + t.retry * interval '1 microsecond', error = t.error,
				settled = CASE WHEN t.state <> 'waiting' THEN clock_timestamp() END
			FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[]) AS t (number, tries, state, retry, error),
				(SELECT number FROM outbox WHERE number = ANY ($1) ORDER BY number FOR UPDATE) AS locked
			WHERE o.number = t.number AND o.number = locked.number AND o.tries = t.tries AND o.state = 'waiting'`,
			column(settled, func(d persist.Settled) int64 { return d.Number }), column(settled, func(d persist.Settled) int64 { return int64(d.Tries) }),
			column(settled, func(d persist.Settled) string { return string(d.State) }), column(settled, func(d persist.Settled) int64 { return d.Retry.Microseconds() }),
			column(settled, func(d persist.Settled) string { return d.Error }))
		return err
	})
}

// TrimEvents implements persist.Outbox. Rows that another node deletes or settles now are skipped.
func (s *Store) TrimEvents(ctx context.Context, most int) (map[record.EventKind]int, error) {
	gone := map[record.EventKind]int{}
	excess, err := queryOne(ctx, s, ledger.Scan[int], `SELECT count(*) - $1::bigint FROM outbox WHERE state = 'waiting'`, most)
	for _, kind := range ledger.Droppable {
		if err != nil || excess <= 0 {
			break
		}
		err = s.do(ctx, func() error {
			tag, err := s.pool.Exec(ctx, `
				DELETE FROM outbox WHERE number = ANY (ARRAY (
					SELECT number FROM outbox WHERE state = 'waiting' AND kind = $1 ORDER BY number LIMIT $2 FOR UPDATE SKIP LOCKED))`, string(kind), excess)
			gone[kind] += int(tag.RowsAffected())
			return err
		})
		excess -= gone[kind]
	}
	return gone, err
}

// PruneEvents implements persist.Outbox.
func (s *Store) PruneEvents(ctx context.Context, keep, waits time.Duration) (n int, err error) {
	err = s.do(ctx, func() error {
		tag, err := s.pool.Exec(ctx, `
			DELETE FROM outbox WHERE number = ANY (ARRAY (
				SELECT number FROM outbox o WHERE (state <> 'waiting' AND settled < now() - $1::interval OR state = 'waiting' AND since < now() - $2::interval)
					AND NOT EXISTS (SELECT FROM rooms r WHERE r.room = o.room AND r.state <> 'over')
				LIMIT $3 FOR UPDATE OF o SKIP LOCKED))`, keep, waits, persist.PruneBatch)
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}

// OutboxStats implements persist.Outbox.
func (s *Store) OutboxStats(ctx context.Context) ([]record.OutboxStat, error) {
	return query(ctx, s, ledger.ScanOutboxStat, `
		SELECT target, state, count(*), (extract(epoch FROM clock_timestamp() - min(since)) * 1000000)::bigint
		FROM outbox GROUP BY target, state ORDER BY target, state`)
}

// Deliveries implements persist.Outbox.
func (s *Store) Deliveries(ctx context.Context, f record.DeliveryFilter) ([]record.Delivery, error) {
	return query(ctx, s.reader, ledger.ScanDelivery, `SELECT `+deliveryColumns+` FROM outbox
		WHERE ($1 = '' OR state = $1) AND ($2 = '' OR target = $2) AND ($3 = '' OR room = $3) AND ($4 = 0 OR number < $4)
		ORDER BY number DESC LIMIT $5`, string(f.State), f.Target, string(f.Room), f.Before, f.Max())
}

// ReplayEvent implements persist.Outbox.
func (s *Store) ReplayEvent(ctx context.Context, number int64) error {
	return s.do(ctx, func() error {
		tag, err := s.pool.Exec(ctx, `UPDATE outbox SET state = 'waiting', since = clock_timestamp(), due = clock_timestamp(), settled = NULL WHERE number = $1`, number)
		if err == nil && tag.RowsAffected() == 0 {
			err = record.ErrNotFound
		}
		return err
	})
}
