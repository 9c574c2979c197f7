package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// WriteResults implements persist.Results.
func (s *Store) WriteResults(ctx context.Context, finals []record.Final) ([]persist.Verdict, error) {
	once := func(ctx context.Context, finals []record.Final) (verdicts []persist.Verdict, err error) {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			verdicts, err = ledger.Post(ctx, &resultTx{tx, s.rules, s.subscribers, now()}, s.rules, finals)
			return err
		})
		return verdicts, err
	}
	return ledger.Write(ctx, finals, once, poisoned)
}

// resultTx is a ledger.BootTx. SQLite has one writer at a time, so there is nothing to lock.
type resultTx struct {
	*sql.Tx
	rules       persist.Ratings
	subscribers []persist.Subscriber
	stored      int64 // the time that is written with the results, in microseconds
}

// Rows implements ledger.Tx.
func (tx *resultTx) Rows(ctx context.Context, finals []record.Final) (map[room.ID]record.Row, error) {
	rows := map[room.ID]record.Row{}
	for _, f := range finals {
		row, err := ledger.ScanRow(tx.QueryRowContext(ctx, ledger.SelectRow+` WHERE room = ?`, f.Room))
		switch {
		case err == nil:
			rows[f.Room] = row
		case errors.Is(err, sql.ErrNoRows):
			_, err = tx.ExecContext(ctx, `
				INSERT INTO rooms (room, game, epoch, state, boot, folder, code, private, nonce, created)
				VALUES (?, ?, ?, 'over', '', '', '', 0, '', ?)`, f.Room, f.Game, ledger.OverAt(f), tx.stored)
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

const insertResult = `
INSERT INTO results (room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, data, hash, stored, readers, unrated, indexed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
ON CONFLICT (room) DO NOTHING`

func (tx *resultTx) Insert(ctx context.Context, finals []record.Final) (map[room.ID][32]byte, map[room.ID]bool, error) {
	hashes, fresh := map[room.ID][32]byte{}, map[room.ID]bool{}
	for _, f := range finals {
		args, err := tx.resultArgs(f)
		if err != nil {
			return nil, nil, err
		}
		res, err := tx.ExecContext(ctx, insertResult, args...)
		if err != nil {
			return nil, nil, err
		}
		if n, _ := res.RowsAffected(); n == 1 {
			hashes[f.Room], fresh[f.Room] = f.Hash, true
			continue
		}
		var hash []byte
		if err := tx.QueryRowContext(ctx, `SELECT hash FROM results WHERE room = ?`, f.Room).Scan(&hash); err != nil {
			return nil, nil, err
		}
		hashes[f.Room] = [32]byte(hash)
	}
	return hashes, fresh, nil
}

// resultArgs are the arguments of insertResult.
func (tx *resultTx) resultArgs(f record.Final) ([]any, error) {
	text, err := ledger.Encode(f)
	if err != nil {
		return nil, err
	}
	var unrated any
	if why := ledger.Refuses(tx.rules, f); why != "" {
		unrated = why
	}
	return []any{f.Room, f.Game, f.Version, f.End, f.Rated, int64(f.Point.Epoch), int64(f.Point.Seq), int64(f.Duration),
		text.Outcomes, f.Result.Reason, f.Result.Summary, text.Data, f.Hash[:], tx.stored, text.Readers, unrated}, nil
}

func (tx *resultTx) Lock(ctx context.Context, names []ledger.Name, keys, rivals []ledger.Key) ([]ledger.Record, ledger.Met, error) {
	err := each(ctx, tx.Tx, `
		INSERT INTO players (player, name) VALUES (?, ?)
		ON CONFLICT (player) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`,
		names, func(n ledger.Name) []any { return []any{n.Player, n.Name} })
	if err != nil {
		return nil, nil, err
	}
	var records []ledger.Record
	for _, k := range keys {
		r, err := ledger.ScanRecord(tx.QueryRowContext(ctx, ledger.SelectRecord+` WHERE game = ? AND player = ?`, k.Game, k.Player))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		records = append(records, r)
	}
	met, err := tx.met(ctx, rivals)
	return records, met, err
}

// met counts the rated games that each rival had with anybody.
func (tx *resultTx) met(ctx context.Context, rivals []ledger.Key) (ledger.Met, error) {
	met := ledger.Met{}
	for _, k := range rivals {
		rows, err := tx.QueryContext(ctx, `
			SELECT b.player, count(*) FROM outcomes a JOIN outcomes b ON b.room = a.room AND b.player > a.player
			WHERE a.player = ? AND a.game = ? AND a.after_rating IS NOT NULL AND a.stored > ?
			GROUP BY b.player`, k.Player, k.Game, tx.stored-persist.RepeatWindow.Microseconds())
		_, err = collect(rows, err, func(row ledger.Scanner) (p ledger.Pair, err error) {
			var n int
			p.Game, p.A = k.Game, k.Player
			err = row.Scan(&p.B, &n)
			met[p] = n
			return p, err
		})
		if err != nil {
			return nil, err
		}
	}
	return met, nil
}

func (tx *resultTx) Save(ctx context.Context, finals []record.Final, lines []ledger.Line, records []ledger.Record, repeats []room.ID) error {
	if err := tx.saveRecords(ctx, records); err != nil {
		return err
	}
	if err := tx.saveLines(ctx, lines); err != nil {
		return err
	}
	if err := tx.saveReplays(ctx, finals); err != nil {
		return err
	}
	if err := saveOthers(ctx, tx.Tx, ledger.Others(finals)); err != nil {
		return err
	}
	err := each(ctx, tx.Tx, `UPDATE results SET unrated = ? WHERE room = ?`, repeats,
		func(id room.ID) []any { return []any{record.UnratedRepeat, id} })
	if err != nil {
		return err
	}
	return each(ctx, tx.Tx, `
		UPDATE rooms SET epoch = epoch + 1, state = 'over', standby = '', checkpoint = NULL, checkpoint_epoch = NULL, checkpoint_seq = NULL
		WHERE room = ? AND state <> 'over'`,
		finals, func(f record.Final) []any { return []any{f.Room} })
}

func (tx *resultTx) saveReplays(ctx context.Context, finals []record.Final) error {
	err := each(ctx, tx.Tx, `INSERT INTO replays (room, data, more, size, stored) VALUES (?, ?, ?, ?, ?)`, ledger.Replayed(finals),
		func(f record.Final) []any {
			first, more := ledger.FirstPiece(f.Replay)
			return []any{f.Room, first, more, f.Replay.Len(), tx.stored}
		})
	if err != nil {
		return err
	}
	return ledger.LaterPieces(finals, func(p ledger.Piece) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO replay_pieces (room, nth, data) VALUES (?, ?, ?)`, p.Room, p.Nth, p.Data)
		return err
	})
}

func (tx *resultTx) saveRecords(ctx context.Context, records []ledger.Record) error {
	return each(ctx, tx.Tx, `
		INSERT INTO records (game, player, rating, deviation, volatility, games, wins, draws, losses, rated, listed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (game, player) DO UPDATE SET
			rating = excluded.rating, deviation = excluded.deviation, volatility = excluded.volatility,
			games = excluded.games, wins = excluded.wins, draws = excluded.draws, losses = excluded.losses,
			rated = excluded.rated, listed = excluded.listed`,
		records, func(r ledger.Record) []any {
			args := append([]any{r.Key.Game, r.Player}, ratingArgs(r.Rating)...)
			return append(args, r.Games, r.Wins, r.Draws, r.Losses, r.Rated, r.Listed)
		})
}

func (tx *resultTx) saveLines(ctx context.Context, lines []ledger.Line) error {
	return each(ctx, tx.Tx, `
		INSERT INTO outcomes (room, player, game, seat, rank, players, nth, stored,
			before_rating, before_deviation, before_volatility, after_rating, after_deviation, after_volatility)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		lines, func(l ledger.Line) []any {
			args := []any{l.Room, l.Player, l.Key.Game, l.Seat, l.Rank, l.Players, l.Nth, tx.stored}
			return append(append(args, ratingArgs(l.Before)...), ratingArgs(l.After)...)
		})
}

func ratingArgs(r *record.Rating) []any {
	if r == nil {
		return []any{nil, nil, nil}
	}
	return []any{r.Rating, r.Deviation, r.Volatility}
}
