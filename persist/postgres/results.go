package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// WriteResults implements persist.Results. A batch of any size takes six round trips.
//
// Read committed is enough. ON CONFLICT waits for a rival that has not committed, each later statement sees what
// the rival did, and rows and records are locked before they are read. All batches lock rooms, results, players and records
// in this order, each by key, so they do not deadlock.
func (s *Store) WriteResults(ctx context.Context, finals []record.Final) ([]persist.Verdict, error) {
	once := func(ctx context.Context, finals []record.Final) (verdicts []persist.Verdict, err error) {
		err = s.inTx(ctx, func(tx pgx.Tx) error {
			verdicts, err = ledger.Post(ctx, resultTx{tx, s.rules, s.subscribers}, s.rules, finals)
			return err
		})
		return verdicts, err
	}
	return ledger.Write(ctx, finals, once, poisoned)
}

// resultTx is a ledger.BootTx.
type resultTx struct {
	pgx.Tx
	rules       persist.Ratings
	subscribers []persist.Subscriber
}

// Rows implements ledger.Tx. Like all writers of rows it locks them in the order of room ids.
func (tx resultTx) Rows(ctx context.Context, finals []record.Final) (map[room.ID]record.Row, error) {
	rows := map[room.ID]record.Row{}
	var made []room.ID
	batch := &pgx.Batch{}
	batch.Queue(`
		INSERT INTO rooms (room, game, epoch, state, boot, folder, code, private, nonce)
		SELECT room, game, epoch, 'over', '', '', '', false, ''
		FROM unnest($1::text[], $2::text[], $3::bigint[]) AS t (room, game, epoch) ORDER BY room COLLATE "C"
		ON CONFLICT (room) DO NOTHING
		RETURNING room`, roomColumn(finals), column(finals, func(f record.Final) string { return f.Game }), column(finals, ledger.OverAt)).
		Query(func(r pgx.Rows) (err error) {
			made, err = collect(r, ledger.Scan[room.ID])
			return err
		})
	batch.Queue(ledger.SelectRow+` WHERE room = ANY ($1) ORDER BY room COLLATE "C" FOR UPDATE`, roomColumn(finals)).
		Query(func(r pgx.Rows) error {
			all, err := collect(r, ledger.ScanRow)
			for _, row := range all {
				rows[row.Room] = row
			}
			return err
		})
	err := tx.SendBatch(ctx, batch).Close()
	for _, id := range made {
		delete(rows, id)
	}
	return rows, err
}

func roomColumn(finals []record.Final) []string {
	return column(finals, func(f record.Final) string { return string(f.Room) })
}

const insertResults = `
INSERT INTO results (room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, data, hash, readers, unrated, stored, indexed)
SELECT room, game, version, ended, rated, epoch, seq, duration_ns, outcomes::json, reason, summary, data::json, hash, readers::json, unrated, clock_timestamp(), true
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[], $6::bigint[], $7::bigint[], $8::bigint[],
	$9::text[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[])
	AS t (room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, data, hash, readers, unrated)
ORDER BY room
ON CONFLICT (room) DO NOTHING
RETURNING room`

func (tx resultTx) Insert(ctx context.Context, finals []record.Final) (map[room.ID][32]byte, map[room.ID]bool, error) {
	columns, err := resultColumns(tx.rules, finals)
	if err != nil {
		return nil, nil, err
	}
	hashes, fresh := map[room.ID][32]byte{}, map[room.ID]bool{}
	batch := &pgx.Batch{}
	batch.Queue(insertResults, columns...).Query(func(rows pgx.Rows) error {
		var id room.ID
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error { fresh[id] = true; return nil })
		return err
	})
	batch.Queue(`SELECT room, hash FROM results WHERE room = ANY ($1)`, columns[0]).Query(func(rows pgx.Rows) error {
		var id room.ID
		var hash []byte
		_, err := pgx.ForEachRow(rows, []any{&id, &hash}, func() error { hashes[id] = [32]byte(hash); return nil })
		return err
	})
	return hashes, fresh, tx.SendBatch(ctx, batch).Close()
}

// resultColumns are the arguments of insertResults.
func resultColumns(rules persist.Ratings, finals []record.Final) ([]any, error) {
	texts := make([]ledger.JSON, len(finals))
	for i, f := range finals {
		var err error
		if texts[i], err = ledger.Encode(f); err != nil {
			return nil, err
		}
	}
	return []any{
		roomColumn(finals),
		column(finals, func(f record.Final) string { return f.Game }),
		column(finals, func(f record.Final) int64 { return int64(f.Version) }),
		column(finals, func(f record.Final) string { return string(f.End) }),
		column(finals, func(f record.Final) bool { return f.Rated }),
		column(finals, func(f record.Final) int64 { return int64(f.Point.Epoch) }),
		column(finals, func(f record.Final) int64 { return int64(f.Point.Seq) }),
		column(finals, func(f record.Final) int64 { return int64(f.Duration) }),
		column(texts, func(j ledger.JSON) string { return j.Outcomes }),
		column(finals, func(f record.Final) string { return f.Result.Reason }),
		column(finals, func(f record.Final) string { return f.Result.Summary }),
		column(texts, func(j ledger.JSON) *string { return j.Data }),
		column(finals, func(f record.Final) []byte { return f.Hash[:] }),
		column(texts, func(j ledger.JSON) *string { return j.Readers }),
		column(finals, func(f record.Final) *string {
			if why := string(ledger.Refuses(rules, f)); why != "" {
				return &why
			}
			return nil
		}),
	}, nil
}

// column returns one field of every item, as an array argument for unnest.
func column[T, C any](items []T, field func(T) C) []C {
	values := make([]C, len(items))
	for i, item := range items {
		values[i] = field(item)
	}
	return values
}

func (tx resultTx) Lock(ctx context.Context, names []ledger.Name, keys, rivals []ledger.Key) ([]ledger.Record, ledger.Met, error) {
	games, players := keyColumns(keys)
	batch := &pgx.Batch{}
	batch.Queue(`
		INSERT INTO players (player, name)
		SELECT player, name FROM unnest($1::text[], $2::text[]) AS t (player, name) ORDER BY player
		ON CONFLICT (player) DO UPDATE SET name = excluded.name WHERE players.name <> excluded.name`,
		column(names, func(n ledger.Name) string { return string(n.Player) }),
		column(names, func(n ledger.Name) string { return n.Name }))
	batch.Queue(`
		INSERT INTO records (game, player)
		SELECT game, player FROM unnest($1::text[], $2::text[]) AS t (game, player) ORDER BY game COLLATE "C", player COLLATE "C"
		ON CONFLICT (game, player) DO NOTHING`, games, players)
	var records []ledger.Record
	batch.Queue(ledger.SelectRecord+`
		JOIN unnest($1::text[], $2::text[]) AS t (game, player) USING (game, player)
		ORDER BY game COLLATE "C", player COLLATE "C"
		FOR UPDATE OF records`, games, players).Query(func(rows pgx.Rows) (err error) {
		records, err = collect(rows, ledger.ScanRecord)
		return err
	})
	met := ledger.Met{}
	queueMet(batch, rivals, met)
	return records, met, tx.SendBatch(ctx, batch).Close()
}

func keyColumns(keys []ledger.Key) (games, players []string) {
	return column(keys, func(k ledger.Key) string { return k.Game }), column(keys, func(k ledger.Key) string { return string(k.Player) })
}

// queueMet counts the rated games that rivals had with each other. The statement runs after their records are locked, so that it
// sees what the previous holder of the locks has written.
func queueMet(batch *pgx.Batch, rivals []ledger.Key, met ledger.Met) {
	if len(rivals) == 0 {
		return
	}
	games, players := keyColumns(rivals)
	batch.Queue(`
		SELECT a.game, a.player, b.player, count(*)
		FROM unnest($1::text[], $2::text[]) AS t (game, player)
		JOIN outcomes a ON a.player = t.player AND a.game = t.game AND a.after_rating IS NOT NULL AND a.stored > statement_timestamp() - $3::interval
		JOIN outcomes b ON b.room = a.room AND b.player = ANY ($2) AND b.player COLLATE "C" > a.player
		GROUP BY a.game, a.player, b.player`, games, players, persist.RepeatWindow).Query(func(rows pgx.Rows) error {
		var p ledger.Pair
		var n int
		_, err := pgx.ForEachRow(rows, []any{&p.Game, &p.A, &p.B, &n}, func() error { met[p] = n; return nil })
		return err
	})
}

func (tx resultTx) Save(ctx context.Context, finals []record.Final, lines []ledger.Line, records []ledger.Record, repeats []room.ID) error {
	batch := &pgx.Batch{}
	queueRecords(batch, records)
	queueLines(batch, lines)
	queueReplays(batch, ledger.Replayed(finals))
	queueOthers(batch, ledger.Others(finals))
	if len(repeats) > 0 {
		batch.Queue(`UPDATE results SET unrated = $1 WHERE room = ANY ($2)`, record.UnratedRepeat, repeats)
	}
	batch.Queue(`
		UPDATE rooms SET epoch = epoch + 1, state = 'over', standby = '', checkpoint = NULL, checkpoint_epoch = NULL, checkpoint_seq = NULL
		WHERE room = ANY ($1) AND state <> 'over'`, roomColumn(finals))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	return ledger.LaterPieces(finals, func(p ledger.Piece) error {
		_, err := tx.Exec(ctx, `INSERT INTO replay_pieces (room, nth, data) VALUES ($1, $2, $3)`, p.Room, p.Nth, p.Data)
		return err
	})
}

func queueReplays(batch *pgx.Batch, finals []record.Final) {
	first, more := make([][]byte, len(finals)), make([]int64, len(finals))
	for i, f := range finals {
		piece, n := ledger.FirstPiece(f.Replay)
		first[i], more[i] = piece, int64(n)
	}
	batch.Queue(`
		INSERT INTO replays (room, data, more, size, stored)
		SELECT t.room, t.data, t.more, t.size, r.stored
		FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[]) AS t (room, data, more, size) JOIN results r ON r.room = t.room`,
		roomColumn(finals), first, more, column(finals, func(f record.Final) int64 { return int64(f.Replay.Len()) }))
}

func queueRecords(batch *pgx.Batch, records []ledger.Record) {
	if len(records) == 0 {
		return
	}
	rated := func(f func(record.Rating) float64) []*float64 {
		return column(records, func(r ledger.Record) *float64 { return part(r.Rating, f) })
	}
	batch.Queue(`
		UPDATE records r SET rating = t.rating, deviation = t.deviation, volatility = t.volatility,
			games = t.games, wins = t.wins, draws = t.draws, losses = t.losses, rated = t.rated, listed = t.listed
		FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
				$10::bigint[], $11::boolean[])
			AS t (game, player, rating, deviation, volatility, games, wins, draws, losses, rated, listed)
		WHERE r.game = t.game AND r.player = t.player`,
		column(records, func(r ledger.Record) string { return r.Key.Game }),
		column(records, func(r ledger.Record) string { return string(r.Player) }),
		rated(ratingOf), rated(deviationOf), rated(volatilityOf),
		column(records, func(r ledger.Record) int64 { return int64(r.Games) }),
		column(records, func(r ledger.Record) int64 { return int64(r.Wins) }),
		column(records, func(r ledger.Record) int64 { return int64(r.Draws) }),
		column(records, func(r ledger.Record) int64 { return int64(r.Losses) }),
		column(records, func(r ledger.Record) int64 { return int64(r.Rated) }),
		column(records, func(r ledger.Record) bool { return r.Listed }))
}

func queueLines(batch *pgx.Batch, lines []ledger.Line) {
	if len(lines) == 0 {
		return
	}
	before := func(f func(record.Rating) float64) []*float64 {
		return column(lines, func(l ledger.Line) *float64 { return part(l.Before, f) })
	}
	after := func(f func(record.Rating) float64) []*float64 {
		return column(lines, func(l ledger.Line) *float64 { return part(l.After, f) })
	}
	batch.Queue(`
		INSERT INTO outcomes (room, player, game, seat, rank, players, nth,
			before_rating, before_deviation, before_volatility, after_rating, after_deviation, after_volatility, stored)
		SELECT t.*, r.stored
		FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
			$8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[])
			AS t (room, player, game, seat, rank, players, nth, br, bd, bv, ar, ad, av)
		JOIN results r ON r.room = t.room`,
		column(lines, func(l ledger.Line) string { return string(l.Room) }),
		column(lines, func(l ledger.Line) string { return string(l.Player) }),
		column(lines, func(l ledger.Line) string { return l.Key.Game }),
		column(lines, func(l ledger.Line) int64 { return int64(l.Seat) }),
		column(lines, func(l ledger.Line) int64 { return int64(l.Rank) }),
		column(lines, func(l ledger.Line) int64 { return int64(l.Players) }),
		column(lines, func(l ledger.Line) int64 { return int64(l.Nth) }),
		before(ratingOf), before(deviationOf), before(volatilityOf),
		after(ratingOf), after(deviationOf), after(volatilityOf))
}

func ratingOf(r record.Rating) float64     { return r.Rating }
func deviationOf(r record.Rating) float64  { return r.Deviation }
func volatilityOf(r record.Rating) float64 { return r.Volatility }

func part(r *record.Rating, of func(record.Rating) float64) *float64 {
	if r == nil {
		return nil
	}
	return new(of(*r))
}
