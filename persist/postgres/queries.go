package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
)

// Result implements persist.Results.
func (s *Store) Result(ctx context.Context, id room.ID) (room.StoredResult, error) {
	r, err := queryOne(ctx, s.reader, scanResult, `
		SELECT room, game, version, ended, rated, epoch, seq, duration_ns, outcomes::text, reason, summary, data::text, hash, stored, readers::text, redactions, redacted, coalesce(unrated, '')
		FROM results WHERE room = $1`, id)
	if err != nil {
		return room.StoredResult{}, err
	}
	r.Ratings, err = query(ctx, s.reader, scanChange, `
		SELECT player, before_rating, before_deviation, before_volatility, after_rating, after_deviation, after_volatility
		FROM outcomes WHERE room = $1 AND after_rating IS NOT NULL ORDER BY seat`, id)
	return r, err
}

func scanResult(row pgx.CollectableRow) (r room.StoredResult, err error) {
	var outcomes string
	var data, readers *string
	var hash []byte
	var epoch, seq, duration int64
	var redacted *time.Time
	err = row.Scan(&r.Room, &r.Game, &r.Version, &r.End, &r.Rated, &epoch, &seq, &duration,
		&outcomes, &r.Result.Reason, &r.Result.Summary, &data, &hash, &r.Stored, &readers, &r.Redactions, &redacted, &r.Unrated)
	if err != nil {
		return r, err
	}
	r.Point = room.Point{Epoch: room.Epoch(epoch), Seq: room.Index(seq)}
	r.Duration, r.Stored, r.Hash = time.Duration(duration), r.Stored.UTC(), [32]byte(hash)
	if data != nil {
		r.Result.Data = json.RawMessage(*data)
	}
	if r.Readers, err = ledger.ParseReaders(readers); err != nil {
		return r, err
	}
	if redacted != nil {
		r.Redacted = redacted.UTC()
	}
	if err := json.Unmarshal([]byte(outcomes), &r.Result.Outcomes); err != nil {
		return r, err
	}
	return ledger.Shown(r), nil
}

func scanChange(row pgx.CollectableRow) (c room.RatingChange, err error) {
	b, a := &c.Before, &c.After
	err = row.Scan(&c.Player, &b.Rating, &b.Deviation, &b.Volatility, &a.Rating, &a.Deviation, &a.Volatility)
	return c, err
}

// Replay implements persist.Results.
func (s *Store) Replay(ctx context.Context, id room.ID) (room.StoredReplay, error) {
	r, err := queryOne(ctx, s.reader, scanReplay, `SELECT data, more, base, coalesce(size, octet_length(data)) FROM replays WHERE room = $1`, id)
	if err != nil {
		return room.StoredReplay{}, err
	}
	return ledger.Replay(r.size, r.first, r.more, func(nth int) ([]byte, error) {
		return queryOne(ctx, s.reader, pgx.RowTo[[]byte], `SELECT data FROM replay_pieces WHERE room = $1 AND nth = $2`, id, r.base+nth)
	}), nil
}

type replayRow struct {
	first []byte
	more  int
	base  int
	size  int64
}

func scanReplay(row pgx.CollectableRow) (r replayRow, err error) {
	err = row.Scan(&r.first, &r.more, &r.base, &r.size)
	return r, err
}

// Player implements persist.Results.
func (s *Store) Player(ctx context.Context, id room.PlayerID, all bool) (room.Profile, error) {
	p := room.Profile{Player: id}
	var err error
	if p.Name, err = queryOne(ctx, s.reader, pgx.RowTo[string], `SELECT name FROM players WHERE player = $1`, id); err != nil {
		return room.Profile{}, err
	}
	p.Games, err = query(ctx, s.reader, scanGameProfile, selectRecord+` WHERE player = $1 ORDER BY game COLLATE "C"`, id)
	if err != nil {
		return room.Profile{}, err
	}
	p.Recent, err = query(ctx, s.reader, scanPlayed, `
		SELECT o.room, o.game, r.ended, o.rank, o.players, o.stored
		FROM outcomes o JOIN results r USING (room)
		WHERE o.player = $1 AND ($2 OR r.readers IS NULL) ORDER BY o.stored DESC, o.nth DESC LIMIT 50`, id, all)
	return p, err
}

func scanGameProfile(row pgx.CollectableRow) (room.GameProfile, error) {
	r, err := scanRecord(row)
	return room.GameProfile{Game: r.Key.Game, Rating: r.Rating, Rated: r.Rated, Listed: r.Listed, Games: r.Games, Wins: r.Wins, Draws: r.Draws, Losses: r.Losses}, err
}

func scanPlayed(row pgx.CollectableRow) (g room.PlayedGame, err error) {
	err = row.Scan(&g.Room, &g.Game, &g.End, &g.Rank, &g.Players, &g.Stored)
	g.Stored = g.Stored.UTC()
	return g, err
}

// Leaderboard implements persist.Results.
func (s *Store) Leaderboard(ctx context.Context, game string, after room.BoardPlace, limit int) ([]room.Standing, error) {
	players, err := query(ctx, s.reader, scanStanding, `
		SELECT player, name, rating, deviation, volatility, games, wins, draws, losses
		FROM (SELECT * FROM records
			WHERE game = $1 AND listed AND rating <= $2 AND (rating < $2 OR player COLLATE "C" > $3)
			ORDER BY rating DESC, player COLLATE "C" LIMIT $4) page JOIN players USING (player)
		ORDER BY rating DESC, player COLLATE "C"`, game, after.From(), after.Player, max(limit, 0))
	return after.Numbered(players), err
}

// list settles who is on the leaderboards by the rules of ratings. Records are locked in the order of all who write results.
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

func scanStanding(row pgx.CollectableRow) (s room.Standing, err error) {
	r := &s.Rating
	err = row.Scan(&s.Player, &s.Name, &r.Rating, &r.Deviation, &r.Volatility, &s.Games, &s.Wins, &s.Draws, &s.Losses)
	return s, err
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
