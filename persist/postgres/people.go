package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func queueOthers(batch *pgx.Batch, others []ledger.Other) {
	if len(others) == 0 {
		return
	}
	batch.Queue(`INSERT INTO others (room, player) SELECT room, player FROM unnest($1::text[], $2::text[]) AS t (room, player) ON CONFLICT DO NOTHING`,
		column(others, func(o ledger.Other) string { return string(o.Room) }), column(others, func(o ledger.Other) string { return string(o.Player) }))
}

// RoomsOf implements persist.People.
func (s *Store) RoomsOf(ctx context.Context, player room.PlayerID, after room.ID, limit int) ([]room.ID, error) {
	return query(ctx, s.reader, ledger.Scan[room.ID], `
		SELECT room COLLATE "C" FROM outcomes WHERE player = $1 AND room COLLATE "C" > $2
		UNION SELECT room COLLATE "C" FROM others WHERE player = $1 AND room COLLATE "C" > $2
		ORDER BY 1 LIMIT $3`, player, after, max(limit, 0))
}

// Unindexed implements persist.People.
func (s *Store) Unindexed(ctx context.Context, limit int) ([]room.ID, error) {
	return query(ctx, s.reader, ledger.Scan[room.ID], `
		SELECT room FROM results r WHERE NOT indexed AND EXISTS (SELECT FROM replays p WHERE p.room = r.room) ORDER BY room LIMIT $1`, max(limit, 0))
}

// Index implements persist.People.
func (s *Store) Index(ctx context.Context, id room.ID, named []room.PlayerID) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var text string
		err := tx.QueryRow(ctx, `UPDATE results SET indexed = true WHERE room = $1 AND NOT indexed RETURNING outcomes::text`, id).Scan(&text)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var outcomes []room.Outcome
		if err := json.Unmarshal([]byte(text), &outcomes); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		queueOthers(batch, ledger.OthersIn(id, outcomes, named))
		return tx.SendBatch(ctx, batch).Close()
	})
}

// Redact implements persist.People.
func (s *Store) Redact(ctx context.Context, r persist.Redacted) error {
	f := r.Final
	text, err := ledger.Encode(f)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE results SET outcomes = $1::text::json, reason = $2, summary = $3, data = $4::text::json, readers = $5::text::json,
				redactions = redactions + 1, redacted = clock_timestamp()
			WHERE room = $6 AND redactions = $7`,
			text.Outcomes, f.Result.Reason, f.Result.Summary, text.Data, text.Readers, f.Room, r.Redactions)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return record.ErrMovedOn
		}
		for _, query := range []string{`DELETE FROM outcomes WHERE room = $1 AND player = $2`, `DELETE FROM others WHERE room = $1 AND player = $2`} {
			if _, err := tx.Exec(ctx, query, f.Room, r.Player); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM outbox WHERE room = $1`, f.Room); err != nil {
			return err
		}
		return replaceReplay(ctx, tx, f)
	})
}

// replaceReplay puts the replay of f in place of the stored one. The later pieces get new numbers, so that whoever reads the old
// replay meanwhile finds its end and no mixture.
func replaceReplay(ctx context.Context, tx pgx.Tx, f record.Final) error {
	if f.Replay.Len() == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM replays WHERE room = $1`, f.Room)
		return err
	}
	first, more := ledger.FirstPiece(f.Replay)
	var base int
	err := tx.QueryRow(ctx, `UPDATE replays SET data = $1, base = base + more, more = $2, size = $3 WHERE room = $4 RETURNING base`,
		first, more, f.Replay.Len(), f.Room).Scan(&base)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM replay_pieces WHERE room = $1`, f.Room); err != nil {
		return err
	}
	return ledger.LaterPieces([]record.Final{f}, func(p ledger.Piece) error {
		_, err := tx.Exec(ctx, `INSERT INTO replay_pieces (room, nth, data) VALUES ($1, $2, $3)`, p.Room, base+p.Nth, p.Data)
		return err
	})
}

// DropRecords implements persist.People. It locks the player before the records, as batches of results do.
func (s *Store) DropRecords(ctx context.Context, player room.PlayerID) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		for _, query := range []string{
			`UPDATE players SET name = '' WHERE player = $1`,
			`DELETE FROM records WHERE player = $1`,
			`DELETE FROM players WHERE player = $1 AND NOT EXISTS (SELECT FROM outcomes WHERE player = $1)`,
			`DELETE FROM outbox WHERE player = $1 AND player <> ''`,
		} {
			if _, err := tx.Exec(ctx, query, player); err != nil {
				return err
			}
		}
		return nil
	})
}

// IdleGuests implements persist.People.
func (s *Store) IdleGuests(ctx context.Context, after room.PlayerID, since time.Duration, limit int) (idle []room.PlayerID, next room.PlayerID, err error) {
	all, err := query(ctx, s.reader, ledger.ScanGuest, `
		SELECT player,
			NOT EXISTS (SELECT FROM outcomes o WHERE o.player = page.player AND o.stored >= now() - $2::interval) AND
			NOT EXISTS (SELECT FROM others o JOIN results r USING (room) WHERE o.player = page.player AND r.stored >= now() - $2::interval)
		FROM (
			(SELECT player COLLATE "C" AS player FROM players
				WHERE player COLLATE "C" >= 'g_' AND player COLLATE "C" < 'g`+"`"+`' AND player COLLATE "C" > $1
				ORDER BY player COLLATE "C" LIMIT $3)
			UNION
			(SELECT DISTINCT player FROM others WHERE player > $1 AND player >= 'g_' AND player < 'g`+"`"+`' ORDER BY player LIMIT $3)
			ORDER BY 1 LIMIT $3) page
		ORDER BY player`, after, since, max(limit, 0))
	idle, next = ledger.Idle(all, limit)
	return idle, next, err
}
