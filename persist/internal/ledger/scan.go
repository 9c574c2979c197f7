package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Scanner is one row of a query's answer, from either driver.
type Scanner interface{ Scan(dest ...any) error }

// Scan reads a row of one column.
func Scan[T any](row Scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

// instant reads a time into t: PostgreSQL's as a time, SQLite's as microseconds since 1970. NULL is the zero time.
type instant struct{ t *time.Time }

func (i instant) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*i.t = time.Time{}
	case int64:
		*i.t = Micros(v)
	case time.Time:
		*i.t = v.UTC()
	default:
		return fmt.Errorf("a time is stored as %T", value)
	}
	return nil
}

// Micros is the time so many microseconds after 1970 began, in UTC.
func Micros(t int64) time.Time { return time.UnixMicro(t).UTC() }

// SelectRow is the start of a query whose rows ScanRow reads. A standby counts only in a live row and only at the epoch that it was
// written at. Programs that know no standbys raise the epoch or end the state when they write, and so leave none behind. So it is with
// strikes, which a release keeps.
const SelectRow = `
	SELECT room, game, epoch, state, boot, folder, code, private, nonce,
		CASE WHEN state = 'live' AND standby_epoch = epoch THEN standby ELSE '' END,
		coalesce(strike, 0), CASE WHEN state <> 'over' AND strike_epoch = epoch THEN deaths ELSE 0 END
	FROM rooms`

// ScanRow reads a room's row.
func ScanRow(row Scanner) (r record.Row, err error) {
	var epoch, strike int64
	var deaths int
	err = row.Scan(&r.Room, &r.Game, &epoch, &r.State, &r.Boot, &r.Folder, &r.Code, &r.Private, &r.Nonce, &r.Standby, &strike, &deaths)
	r.Epoch = record.Epoch(epoch)
	if deaths > 0 {
		r.Strike = record.Strike{Fingerprint: uint64(strike), Deaths: deaths}
	}
	return r, err
}

// Strike returns the columns strike and deaths to write. They are NULL if the row's are to stay.
func Strike(s *record.Strike) (strike, deaths *int64) {
	if s == nil {
		return nil, nil
	}
	return new(int64(s.Fingerprint)), new(int64(s.Deaths))
}

// InOrder returns the rows of rooms in the order of ids. It is the zero Row for a room that has none.
func InOrder(rows []record.Row, ids []room.ID) []record.Row {
	byID := make(map[room.ID]record.Row, len(rows))
	for _, r := range rows {
		byID[r.Room] = r
	}
	all := make([]record.Row, len(ids))
	for i, id := range ids {
		all[i] = byID[id]
	}
	return all
}

// ByRoom returns items in the order of room ids, in which every transaction locks rows of rooms. Items of one room keep their order.
func ByRoom[T any](items []T, id func(T) room.ID) []T {
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return sorted
}

// ScanCheckpoint reads checkpoint_epoch, checkpoint_seq, checkpoint.
func ScanCheckpoint(row Scanner) (c record.Checkpoint, err error) {
	var epoch, seq int64
	err = row.Scan(&epoch, &seq, &c.Data)
	c.Point = record.Point{Epoch: record.Epoch(epoch), Seq: room.Index(seq)}
	return c, err
}

// JudgeWrite says what became of the write of a row, which carried nonce, by the row as it stands after it.
func JudgeWrite(present record.Row, nonce string) record.RowResult {
	switch {
	case present.Room == "":
		return record.RowResult{Err: record.ErrNotFound}
	case present.Nonce != nonce:
		return record.RowResult{Row: present, Err: record.ErrMovedOn}
	}
	return record.RowResult{Row: present}
}

// NotNil keeps the drivers from writing no bytes as NULL.
func NotNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ScanFence reads number, boot, by_boot, at.
func ScanFence(row Scanner) (f persist.Fence, err error) {
	err = row.Scan(&f.Number, &f.Boot, &f.By, instant{&f.At})
	return f, err
}

// SelectRecord is the start of a query whose rows ScanRecord and ScanGameProfile read.
const SelectRecord = `SELECT game, player, rating, deviation, volatility, games, wins, draws, losses, rated, listed FROM records`

// ScanRecord reads a player's record.
func ScanRecord(row Scanner) (r Record, err error) {
	var rating, deviation, volatility *float64
	err = row.Scan(&r.Key.Game, &r.Player, &rating, &deviation, &volatility, &r.Games, &r.Wins, &r.Draws, &r.Losses, &r.Rated, &r.Listed)
	if rating != nil && deviation != nil && volatility != nil {
		r.Rating = &record.Rating{Rating: *rating, Deviation: *deviation, Volatility: *volatility}
	}
	return r, err
}

// ScanGameProfile reads a player's record as profiles show it.
func ScanGameProfile(row Scanner) (record.GameProfile, error) {
	r, err := ScanRecord(row)
	return record.GameProfile{Game: r.Key.Game, Rating: r.Rating, Rated: r.Rated, Listed: r.Listed, Games: r.Games, Wins: r.Wins, Draws: r.Draws, Losses: r.Losses}, err
}

// ScanPlayedGame reads room, game, ended, rank, players, stored.
func ScanPlayedGame(row Scanner) (g record.PlayedGame, err error) {
	err = row.Scan(&g.Room, &g.Game, &g.End, &g.Rank, &g.Players, instant{&g.Stored})
	return g, err
}

// ScanStanding reads player, name, rating, deviation, volatility, games, wins, draws, losses.
func ScanStanding(row Scanner) (s record.Standing, err error) {
	r := &s.Rating
	err = row.Scan(&s.Player, &s.Name, &r.Rating, &r.Deviation, &r.Volatility, &s.Games, &s.Wins, &s.Draws, &s.Losses)
	return s, err
}

// ScanRatingChange reads a player, and the three numbers of the rating before and after.
func ScanRatingChange(row Scanner) (c record.RatingChange, err error) {
	b, a := &c.Before, &c.After
	err = row.Scan(&c.Player, &b.Rating, &b.Deviation, &b.Volatility, &a.Rating, &a.Deviation, &a.Volatility)
	return c, err
}

// ScanResult reads room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, data, hash, stored,
// readers, redactions, redacted, unrated. It gives the result as it may be shown: the hash of a redacted result is made
// anew, because whoever guesses what the result said before could prove the guess by the stored one.
func ScanResult(row Scanner) (r record.StoredResult, err error) {
	var outcomes string
	var data, readers *string
	var hash []byte
	var epoch, seq, duration int64
	err = row.Scan(&r.Room, &r.Game, &r.Version, &r.End, &r.Rated, &epoch, &seq, &duration, &outcomes, &r.Result.Reason, &r.Result.Summary,
		&data, &hash, instant{&r.Stored}, &readers, &r.Redactions, instant{&r.Redacted}, &r.Unrated)
	if err != nil {
		return r, err
	}
	r.Point = record.Point{Epoch: record.Epoch(epoch), Seq: room.Index(seq)}
	r.Duration, r.Hash = time.Duration(duration), [32]byte(hash)
	if data != nil {
		r.Result.Data = json.RawMessage(*data)
	}
	if readers != nil {
		if err := json.Unmarshal([]byte(*readers), &r.Readers); err != nil {
			return r, err
		}
	}
	if err := json.Unmarshal([]byte(outcomes), &r.Result.Outcomes); err != nil {
		return r, err
	}
	if r.Redactions > 0 {
		r.Hash = r.Sum()
	}
	return r, nil
}

// JSON is the part of a final that stores hold as JSON text. nil is NULL.
type JSON struct {
	Outcomes      string
	Data, Readers *string
}

// Encode makes the JSON of a final. Readers are nil when everybody may read the result.
func Encode(f record.Final) (j JSON, err error) {
	outcomes, err := json.Marshal(f.Result.Outcomes)
	if err != nil {
		return j, err
	}
	j.Outcomes = string(outcomes)
	if len(f.Result.Data) > 0 {
		j.Data = new(string(f.Result.Data))
	}
	if f.Readers != nil {
		readers, err := json.Marshal(f.Readers)
		if err != nil {
			return j, err
		}
		j.Readers = new(string(readers))
	}
	return j, nil
}
