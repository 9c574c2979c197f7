package postgres

import (
	"context"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Result implements persist.Results.
func (s *Store) Result(ctx context.Context, id room.ID) (record.StoredResult, error) {
	r, err := queryOne(ctx, s.reader, ledger.ScanResult, `
		SELECT room, game, version, ended, rated, epoch, seq, duration_ns, outcomes::text, reason, summary, data::text, hash, stored, readers::text, redactions, redacted, coalesce(unrated, '')
		FROM results WHERE room = $1`, id)
	if err != nil {
		return record.StoredResult{}, err
	}
	r.Ratings, err = query(ctx, s.reader, ledger.ScanRatingChange, `
		SELECT player, before_rating, before_deviation, before_volatility, after_rating, after_deviation, after_volatility
		FROM outcomes WHERE room = $1 AND after_rating IS NOT NULL ORDER BY seat`, id)
	return r, err
}

// Replay implements persist.Results.
func (s *Store) Replay(ctx context.Context, id room.ID) (record.StoredReplay, error) {
	r, err := queryOne(ctx, s.reader, ledger.ScanReplay, `SELECT data, more, base, coalesce(size, octet_length(data)) FROM replays WHERE room = $1`, id)
	if err != nil {
		return record.StoredReplay{}, err
	}
	return r.Open(func(nth int) ([]byte, error) {
		return queryOne(ctx, s.reader, ledger.Scan[[]byte], `SELECT data FROM replay_pieces WHERE room = $1 AND nth = $2`, id, nth)
	}), nil
}

// Player implements persist.Results.
func (s *Store) Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error) {
	p := record.Profile{Player: id}
	var err error
	if p.Name, err = queryOne(ctx, s.reader, ledger.Scan[string], `SELECT name FROM players WHERE player = $1`, id); err != nil {
		return record.Profile{}, err
	}
	p.Games, err = query(ctx, s.reader, ledger.ScanGameProfile, ledger.SelectRecord+` WHERE player = $1 ORDER BY game COLLATE "C"`, id)
	if err != nil {
		return record.Profile{}, err
	}
	p.Recent, err = query(ctx, s.reader, ledger.ScanPlayedGame, `
		SELECT o.room, o.game, r.ended, o.rank, o.players, o.stored
		FROM outcomes o JOIN results r USING (room)
		WHERE o.player = $1 AND ($2 OR r.readers IS NULL) ORDER BY o.stored DESC, o.nth DESC LIMIT 50`, id, all)
	return p, err
}

// Leaderboard implements persist.Results.
func (s *Store) Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error) {
	players, err := query(ctx, s.reader, ledger.ScanStanding, `
		SELECT player, name, rating, deviation, volatility, games, wins, draws, losses
		FROM (SELECT * FROM records
			WHERE game = $1 AND listed AND rating <= $2 AND (rating < $2 OR player COLLATE "C" > $3)
			ORDER BY rating DESC, player COLLATE "C" LIMIT $4) page JOIN players USING (player)
		ORDER BY rating DESC, player COLLATE "C"`, game, after.From(), after.Player, max(limit, 0))
	return after.Numbered(players), err
}

// list updates who is on the leaderboards to the present rules of ratings. It locks records in the order in which results are written.
func (s *Store) list(ctx context.Context) error {
	const should = `(r.rated >= $1 AND ($2::boolean OR NOT starts_with(r.player, $3::text)))`
	return s.do(ctx, func() error {
		_, err := s.pool.Exec(ctx, `
			UPDATE records r SET listed = `+should+`
			FROM (SELECT game, player FROM records r WHERE rating IS NOT NULL AND listed <> `+should+`
				ORDER BY game COLLATE "C", player COLLATE "C" FOR UPDATE) t
			WHERE r.game = t.game AND r.player = t.player`, s.rules.AtLeast(), s.rules.Guests, room.GuestPrefix)
		return err
	})
}

// Prune implements persist.Results.
func (s *Store) Prune(ctx context.Context, keep persist.Retention) (p persist.Pruned, err error) {
	if keep.Replays > 0 {
		p.Replays, err = s.delete(ctx, `
			DELETE FROM replays WHERE room IN (
				SELECT room FROM replays WHERE stored < clock_timestamp() - $1::interval ORDER BY stored LIMIT $2)`, keep.Replays)
	}
	if keep.Results > 0 && err == nil {
		p.Results, err = s.delete(ctx, `
			WITH old AS (
				DELETE FROM results WHERE room IN (
					SELECT room FROM results WHERE stored < clock_timestamp() - $1::interval ORDER BY stored LIMIT $2)
				RETURNING room),
			gone AS (DELETE FROM rooms WHERE state = 'over' AND room IN (SELECT room FROM old))
			SELECT FROM old`, keep.Results)
	}
	return p, err
}

func (s *Store) delete(ctx context.Context, query string, age time.Duration) (n int, err error) {
	err = s.do(ctx, func() error {
		tag, err := s.pool.Exec(ctx, query, age, persist.PruneBatch)
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}
