package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func saveOthers(ctx context.Context, tx *sql.Tx, others []ledger.Other) error {
	return each(ctx, tx, `INSERT INTO others (room, player) VALUES (?, ?) ON CONFLICT DO NOTHING`, others,
		func(o ledger.Other) []any { return []any{o.Room, o.Player} })
}

// RoomsOf implements persist.People.
func (s *Store) RoomsOf(ctx context.Context, player room.PlayerID, after room.ID, limit int) ([]room.ID, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT room FROM outcomes WHERE player = ?1 AND room > ?2
		UNION SELECT room FROM others WHERE player = ?1 AND room > ?2
		ORDER BY room LIMIT ?3`, player, after, max(limit, 0))
	return collect(rows, err, ledger.Scan[room.ID])
}

// Unindexed implements persist.People.
func (s *Store) Unindexed(ctx context.Context, limit int) ([]room.ID, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT room FROM results WHERE indexed = 0 AND room IN (SELECT room FROM replays) ORDER BY room LIMIT ?`, max(limit, 0))
	return collect(rows, err, ledger.Scan[room.ID])
}

// Index implements persist.People.
func (s *Store) Index(ctx context.Context, id room.ID, named []room.PlayerID) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var text []byte
		err := tx.QueryRowContext(ctx, `UPDATE results SET indexed = 1 WHERE room = ? AND indexed = 0 RETURNING outcomes`, id).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var outcomes []room.Outcome
		if err := json.Unmarshal(text, &outcomes); err != nil {
			return err
		}
		return saveOthers(ctx, tx, ledger.OthersIn(id, outcomes, named))
	})
}

// Redact implements persist.People.
func (s *Store) Redact(ctx context.Context, r persist.Redacted) error {
	f := r.Final
	text, err := ledger.Encode(f)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `
			UPDATE results SET outcomes = ?, reason = ?, summary = ?, data = ?, readers = ?, redactions = redactions + 1, redacted = ?
			WHERE room = ? AND redactions = ?`,
			text.Outcomes, f.Result.Reason, f.Result.Summary, text.Data, text.Readers, now(), f.Room, r.Redactions))
		if err != nil {
			return err
		}
		if n == 0 {
			return record.ErrMovedOn
		}
		for _, query := range []string{`DELETE FROM outcomes WHERE room = ? AND player = ?`, `DELETE FROM others WHERE room = ? AND player = ?`} {
			if _, err := tx.ExecContext(ctx, query, f.Room, r.Player); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE room = ?`, f.Room); err != nil {
			return err
		}
		return replaceReplay(ctx, tx, f)
	})
}

// replaceReplay puts the replay of f in place of the stored one. The later pieces get new numbers, so that whoever reads the old
// replay meanwhile finds its end and no mixture.
func replaceReplay(ctx context.Context, tx *sql.Tx, f record.Final) error {
	if f.Replay.Len() == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM replays WHERE room = ?`, f.Room)
		return err
	}
	first, more := ledger.FirstPiece(f.Replay)
	var base int
	err := tx.QueryRowContext(ctx, `UPDATE replays SET data = ?, base = base + more, more = ?, size = ? WHERE room = ? RETURNING base`,
		first, more, f.Replay.Len(), f.Room).Scan(&base)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM replay_pieces WHERE room = ?`, f.Room); err != nil {
		return err
	}
	return ledger.LaterPieces([]record.Final{f}, func(p ledger.Piece) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO replay_pieces (room, nth, data) VALUES (?, ?, ?)`, p.Room, base+p.Nth, p.Data)
		return err
	})
}

// DropRecords implements persist.People.
func (s *Store) DropRecords(ctx context.Context, player room.PlayerID) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{
			`DELETE FROM records WHERE player = ?`,
			`UPDATE players SET name = '' WHERE player = ?`,
			`DELETE FROM players WHERE player = ?1 AND NOT EXISTS (SELECT 1 FROM outcomes WHERE player = ?1)`,
			`DELETE FROM outbox WHERE player = ?1 AND player <> ''`,
		} {
			if _, err := tx.ExecContext(ctx, query, player); err != nil {
				return err
			}
		}
		return nil
	})
}

// IdleGuests implements persist.People.
func (s *Store) IdleGuests(ctx context.Context, after room.PlayerID, since time.Duration, limit int) (idle []room.PlayerID, next room.PlayerID, err error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT player,
			NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.player = page.player AND o.stored >= ?2) AND
			NOT EXISTS (SELECT 1 FROM others o JOIN results r USING (room) WHERE o.player = page.player AND r.stored >= ?2)
		FROM (
			SELECT player FROM (SELECT player FROM players WHERE player > ?1 AND player < ?4 ORDER BY player LIMIT ?3)
			UNION
			SELECT player FROM (SELECT DISTINCT player FROM others WHERE player > ?1 AND player < ?4 ORDER BY player LIMIT ?3)
			ORDER BY player LIMIT ?3) page
		ORDER BY player`, max(after, room.GuestPrefix), now()-since.Microseconds(), max(limit, 0), guestsEnd)
	all, err := collect(rows, err, ledger.ScanGuest)
	idle, next = ledger.Idle(all, limit)
	return idle, next, err
}

// guestsEnd follows the ids of all guests in their order.
const guestsEnd = "g`"
