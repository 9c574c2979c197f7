package persist

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Forgetting deletes players from a store, and finds what the store has of them. It works room by room, each in a transaction of its
// own: if it is stopped anywhere, the next call goes on from there. Several processes may do so at once.
type Forgetting struct {
	Store Store
	Games *core.Games // to play replays again without a player; replays of games that are not among them are dropped
	// Watch is called before a replay is played again, and done after it. It may be nil.
	Watch func(id room.ID, game string) (done func())
	Log   *slog.Logger
}

// ForgotPlayer counts what one call of Forget has done.
type ForgotPlayer struct {
	Done     bool `json:"done"`     // nothing that is stored names the player any more
	Results  int  `json:"results"`  // rooms from which the player was removed
	Redacted int  `json:"redacted"` // replays that now have a tombstone in the player's place
	Dropped  int  `json:"dropped"`  // replays that were deleted: they would have shown another game, or could not be played
	Indexed  int  `json:"indexed"`  // replays of older programs that were searched for their players
}

// peoplePage is how many rooms are listed at once.
const peoplePage = 100

// Forget removes a player from results and replays, and deletes profile, ratings and counts. Once length has passed it stops
// before the next room and returns Done false. A player who plays meanwhile becomes known again.
func (f *Forgetting) Forget(ctx context.Context, player room.PlayerID, length time.Duration) (ForgotPlayer, error) {
	var out ForgotPlayer
	end := time.Now().Add(length)
	if err := f.Store.DropRecords(ctx, player); err != nil { // off the leaderboards first
		return out, err
	}
	var err error
	if out.Indexed, err = f.Index(ctx, end); err != nil {
		return out, err
	}
	for {
		ids, err := f.Store.RoomsOf(ctx, player, "", peoplePage)
		if err != nil {
			return out, err
		}
		for _, id := range ids {
			if time.Now().After(end) {
				return out, nil
			}
			if err := f.redact(ctx, player, id, &out); err != nil {
				return out, fmt.Errorf("room %s: %w", id, err)
			}
		}
		if len(ids) == 0 {
			break
		}
	}
	if err := f.Store.DropRecords(ctx, player); err != nil {
		return out, err
	}
	left, err := f.Store.Unindexed(ctx, 1)
	out.Done = err == nil && len(left) == 0
	return out, err
}

// Index finds out which players the replays of older programs name, until end, and returns how many replays it has read.
func (f *Forgetting) Index(ctx context.Context, end time.Time) (n int, err error) {
	for {
		ids, err := f.Store.Unindexed(ctx, peoplePage)
		if err != nil || len(ids) == 0 {
			return n, err
		}
		for _, id := range ids {
			if time.Now().After(end) {
				return n, nil
			}
			named, err := f.namedIn(ctx, id)
			if err == nil {
				err = f.Store.Index(ctx, id, named)
			}
			if err != nil {
				return n, fmt.Errorf("whom the replay of room %s names: %w", id, err)
			}
			n++
		}
	}
}

// namedIn are the players in a stored replay's log. If the replay is damaged, they are those in the part that can be read.
func (f *Forgetting) namedIn(ctx context.Context, id room.ID) ([]room.PlayerID, error) {
	stored, err := f.Store.Replay(ctx, id)
	if errors.Is(err, record.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	reader := &storeReader{r: stored}
	var named []room.PlayerID
	replay, err := core.OpenReplay(reader)
	if err == nil {
		named, err = replay.Named()
		replay.Close()
	}
	if reader.err != nil && !errors.Is(reader.err, record.ErrNotFound) {
		return nil, reader.err
	}
	if err != nil {
		f.Log.Warn("a stored replay cannot be read: whom it names beside its result is not known", "room", id, "err", err)
	}
	return named, nil
}

// storeReader remembers the error of the store, to tell it from errors in what was read.
type storeReader struct {
	r   io.Reader
	err error
}

func (s *storeReader) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// redact removes a player from one room.
func (f *Forgetting) redact(ctx context.Context, player room.PlayerID, id room.ID, out *ForgotPlayer) error {
	for try := 0; ; try++ {
		r, replayed, err := f.without(ctx, player, id)
		if errors.Is(err, record.ErrNotFound) { // it was deleted since
			return nil
		}
		if err == nil {
			err = f.Store.Redact(ctx, r)
		}
		if errors.Is(err, record.ErrMovedOn) && try < 10 { // another player was removed from it
			continue
		}
		if err != nil {
			return err
		}
		out.Results++
		switch {
		case r.Final.Replay.Len() > 0:
			out.Redacted++
		case replayed:
			out.Dropped++
		}
		return nil
	}
}

// maxRedacted bounds the replays that are read into memory to be played again, in bytes.
const maxRedacted = 64 << 20

// without makes a room without a player. It reports whether the stored room has a replay. If that cannot be played again, or
// would show another game, what it returns has no replay.
func (f *Forgetting) without(ctx context.Context, player room.PlayerID, id room.ID) (r Redacted, replayed bool, err error) {
	stored, err := f.Store.Result(ctx, id)
	if err != nil {
		return r, false, err
	}
	var replay []byte
	switch kept, err := f.Store.Replay(ctx, id); {
	case err == nil:
		replayed = true
		if replay, err = io.ReadAll(io.LimitReader(kept, maxRedacted+1)); err != nil {
			return r, true, err
		}
	case !errors.Is(err, record.ErrNotFound):
		return r, false, err
	}
	who := &core.Redaction{Player: player, Gone: goneID(), Stop: ctx.Err}
	unread := who.Learn(stored.Final, replay)
	r = Redacted{Player: player, Final: who.Final(stored.Final), Redactions: stored.Redactions}
	if !replayed {
		return r, false, nil
	}
	again, err := f.rerun(who, stored.Final, replay)
	if err := ctx.Err(); err != nil {
		return Redacted{}, true, err
	}
	if why := errors.Join(unread, err); why != nil {
		f.Log.Info("a replay is dropped because a player in it is forgotten", "room", id, "game", stored.Game, "why", oneLine(why, player))
		return r, true, nil
	}
	r.Final.Result, r.Final.Replay = again.Result, again.Replay
	return r, true, nil
}

// oneLine is an error on one line, without the id of the player.
func oneLine(err error, player room.PlayerID) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(err.Error()), " "), string(player), "…")
}

// rerun plays a replay again without a player.
func (f *Forgetting) rerun(who *core.Redaction, final record.Final, replay []byte) (record.Final, error) {
	if len(replay) > maxRedacted {
		return record.Final{}, fmt.Errorf("it has more than %d bytes", maxRedacted)
	}
	var rules *room.Rules
	known := false
	if f.Games != nil {
		rules, known = f.Games.Lookup(final.Game)
	}
	if !known {
		return record.Final{}, fmt.Errorf("this program has no game %q", final.Game)
	}
	if f.Watch != nil {
		defer f.Watch(final.Room, final.Game)()
	}
	again, err := who.Rerun(rules, replay)
	if err == nil && (again.Room != final.Room || again.Point != final.Point) {
		err = errors.New("it shows another end than the result")
	}
	return again, err
}

// goneID makes a tombstone, the id that takes the place of a player: 130 random bits.
func goneID() room.PlayerID { return room.PlayerID("gone_" + strings.ToLower(rand.Text())) }
