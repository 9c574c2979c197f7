package sqlite

import (
	"context"
	"database/sql"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Result implements persist.Results.
func (s *Store) Result(ctx context.Context, id room.ID) (record.StoredResult, error) {
	r, err := ledger.ScanResult(s.read.QueryRowContext(ctx, `
		SELECT room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, data, hash, stored, readers, redactions, redacted, coalesce(unrated, '')
		FROM results WHERE room = ?`, id))
	if err != nil {
		return record.StoredResult{}, notFound(err)
	}
	rows, err := s.read.QueryContext(ctx, `
		SELECT player, before_rating, before_deviation, before_volatility, after_rating, after_deviation, after_volatility
		FROM outcomes WHERE room = ? AND after_rating IS NOT NULL ORDER BY seat`, id)
	r.Ratings, err = collect(rows, err, ledger.ScanRatingChange)
	return r, err
}

// Replay implements persist.Results.
func (s *Store) Replay(ctx context.Context, id room.ID) (record.StoredReplay, error) {
	r, err := ledger.ScanReplay(s.read.QueryRowContext(ctx, `SELECT data, more, base, coalesce(size, length(data)) FROM replays WHERE room = ?`, id))
	if err != nil {
		return record.StoredReplay{}, notFound(err)
	}
	return r.Open(func(nth int) (data []byte, err error) {
		err = s.read.QueryRowContext(ctx, `SELECT data FROM replay_pieces WHERE room = ? AND nth = ?`, id, nth).Scan(&data)
		return data, notFound(err)
	}), nil
}

// Player implements persist.Results.
func (s *Store) Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error) {
	p := record.Profile{Player: id}
	if err := s.read.QueryRowContext(ctx, `SELECT name FROM players WHERE player = ?`, id).Scan(&p.Name); err != nil {
		return record.Profile{}, notFound(err)
	}
	rows, err := s.read.QueryContext(ctx, ledger.SelectRecord+` WHERE player = ? ORDER BY game`, id)
	if p.Games, err = collect(rows, err, ledger.ScanGameProfile); err != nil {
		return record.Profile{}, err
	}
	rows, err = s.read.QueryContext(ctx, `
		SELECT o.room, o.game, r.ended, o.rank, o.players, o.stored
		FROM outcomes o JOIN results r USING (room)
		WHERE o.player = ? AND (? OR r.readers IS NULL) ORDER BY o.stored DESC, o.nth DESC LIMIT 50`, id, all)
	p.Recent, err = collect(rows, err, ledger.ScanPlayedGame)
	return p, err
}

// Leaderboard implements persist.Results.
func (s *Store) Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT player, name, rating, deviation, volatility, games, wins, draws, losses
		FROM (SELECT * FROM records
			WHERE game = ?1 AND listed = 1 AND rating <= ?2 AND (rating < ?2 OR player > ?3)
			ORDER BY rating DESC, player LIMIT ?4) JOIN players USING (player)
		ORDER BY rating DESC, player`, game, after.From(), after.Player, max(limit, 0))
	players, err := collect(rows, err, ledger.ScanStanding)
	return after.Numbered(players), err
}

// list updates who is on the leaderboards to the present rules of ratings.
func (s *Store) list(ctx context.Context) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE records SET listed = NOT listed
			WHERE rating IS NOT NULL AND listed <> (rated >= ? AND (? OR substr(player, 1, ?) <> ?))`,
			s.rules.AtLeast(), s.rules.Guests, len(room.GuestPrefix), room.GuestPrefix)
		return err
	})
}

// Prune implements persist.Results.
func (s *Store) Prune(ctx context.Context, keep persist.Retention) (p persist.Pruned, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if keep.Replays > 0 {
			p.Replays, err = affected(tx.ExecContext(ctx, `
				DELETE FROM replays WHERE room IN (SELECT room FROM replays WHERE stored < ? ORDER BY stored LIMIT ?)`,
				now()-keep.Replays.Microseconds(), persist.PruneBatch))
		}
		if keep.Results <= 0 || err != nil {
			return err
		}
		p.Results, err = pruneResults(ctx, tx, now()-keep.Results.Microseconds())
		return err
	})
	return p, err
}

// pruneResults deletes results, with what refers to them, and their rooms' rows.
func pruneResults(ctx context.Context, tx *sql.Tx, before int64) (int, error) {
	rows, err := tx.QueryContext(ctx, `SELECT room FROM results WHERE stored < ? ORDER BY stored LIMIT ?`, before, persist.PruneBatch)
	old, err := collect(rows, err, ledger.Scan[room.ID])
	if err != nil {
		return 0, err
	}
	for _, query := range []string{`DELETE FROM results WHERE room = ?`, `DELETE FROM rooms WHERE room = ? AND state = 'over'`} {
		if err := each(ctx, tx, query, old, func(id room.ID) []any { return []any{id} }); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// affected is the number of rows that a statement changed.
func affected(res sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}
