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
)

// Forgetting takes players out of a store, and finds what it has of them. It works room by room, each in a transaction of its own:
// stopped anywhere, it goes on where it was when it is asked again, and several may be at it at once.
type Forgetting struct {
	Store Store
	Games *room.Games // plays replays again without a player; a replay of a game that it lacks is dropped
	// Watch is told that a game is about to be played again, and returns what says that it has been. Nil: nobody is told.
	Watch func(id room.ID, game string) (done func())
	Log   *slog.Logger
}

// ForgotPlayer is what forgetting a player came to, so far.
type ForgotPlayer struct {
	Done     bool `json:"done"`     // nothing that is stored names the player any more
	Results  int  `json:"results"`  // of these rooms the player was taken out
	Redacted int  `json:"redacted"` // replays that play on with a tombstone in the player's place
	Dropped  int  `json:"dropped"`  // replays that are gone: they would have shown another game, or could not be played
	Indexed  int  `json:"indexed"`  // replays of an older program that were looked through for their players
}

// peoplePage is how many rooms are asked for at once.
const peoplePage = 100

// Forget takes a player out of results and replays, and deletes profile, ratings and counts. It stops between two rooms once the
// time given is over, and says that it is not done. Who plays on meanwhile is known again.
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

// Index looks through the replays of older programs for whom they name, until the time is over, and says how many it has.
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

// namedIn are the players in a stored replay's log. Of one that cannot be read it is those in what can.
func (f *Forgetting) namedIn(ctx context.Context, id room.ID) ([]room.PlayerID, error) {
	stored, err := f.Store.Replay(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	reader := &storeReader{r: stored}
	var named []room.PlayerID
	replay, err := room.OpenReplay(reader)
	if err == nil {
		named, err = replay.Named()
		replay.Close()
	}
	if reader.err != nil && !errors.Is(reader.err, ErrNotFound) {
		return nil, reader.err
	}
	if err != nil {
		f.Log.Warn("a stored replay cannot be read: whom it names beside its result is not known", "room", id, "err", err)
	}
	return named, nil
}

// storeReader keeps the store's errors apart from those of what was read.
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

// redact takes a player out of one room.
func (f *Forgetting) redact(ctx context.Context, player room.PlayerID, id room.ID, out *ForgotPlayer) error {
	for try := 0; ; try++ {
		r, kept, err := f.without(ctx, player, id)
		if errors.Is(err, ErrNotFound) { // it was deleted meanwhile
			return nil
		}
		if err == nil {
			err = f.Store.Redact(ctx, r)
		}
		if errors.Is(err, ErrMovedOn) && try < 10 { // another player was taken out of it
			continue
		}
		if err != nil {
			return err
		}
		out.Results++
		switch kept {
		case replayKept:
			out.Redacted++
		case replayDropped:
			out.Dropped++
		}
		return nil
	}
}

// replayFate is what becomes of a replay.
type replayFate int

const (
	noReplay replayFate = iota
	replayKept
	replayDropped
)

// maxRedacted bounds the replays that are read into memory to be played again, in bytes.
const maxRedacted = 64 << 20

// without is what is kept of a room without a player.
func (f *Forgetting) without(ctx context.Context, player room.PlayerID, id room.ID) (Redacted, replayFate, error) {
	stored, err := f.Store.Result(ctx, id)
	if err != nil {
		return Redacted{}, noReplay, err
	}
	fate := noReplay
	var replay []byte
	switch kept, err := f.Store.Replay(ctx, id); {
	case err == nil:
		fate = replayDropped
		if replay, err = io.ReadAll(io.LimitReader(kept, maxRedacted+1)); err != nil {
			return Redacted{}, fate, err
		}
	case !errors.Is(err, ErrNotFound):
		return Redacted{}, fate, err
	}
	who := &room.Redaction{Player: player, Gone: goneID(), Stop: ctx.Err}
	unread := who.Learn(stored.Final, replay)
	r := Redacted{Player: player, Final: who.Final(stored.Final), Redactions: stored.Redactions}
	if fate == noReplay {
		return r, fate, nil
	}
	again, why := f.rerun(who, stored.Final, replay)
	if err := ctx.Err(); err != nil {
		return Redacted{}, fate, err
	}
	if why = errors.Join(unread, why); why != nil {
		f.Log.Info("a replay is dropped because a player in it is forgotten", "room", id, "game", stored.Game, "why", oneLine(why, player))
		return r, fate, nil
	}
	r.Final.Result, r.Final.Replay = again.Result, again.Replay
	return r, replayKept, nil
}

// oneLine is an error without the player that it is about.
func oneLine(err error, player room.PlayerID) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(err.Error()), " "), string(player), "…")
}

func (f *Forgetting) rerun(who *room.Redaction, final room.Final, replay []byte) (room.Final, error) {
	if len(replay) > maxRedacted {
		return room.Final{}, fmt.Errorf("it has more than %d bytes", maxRedacted)
	}
	var rules *room.Rules
	known := false
	if f.Games != nil {
		rules, known = f.Games.Lookup(final.Game)
	}
	if !known {
		return room.Final{}, fmt.Errorf("this program has no game %q", final.Game)
	}
	if f.Watch != nil {
		defer f.Watch(final.Room, final.Game)()
	}
	again, err := who.Rerun(rules, replay)
	if err == nil && (again.Room != final.Room || again.Point != final.Point) {
		err = errors.New("it is of another end than the result")
	}
	return again, err
}

// goneID is a tombstone: 130 random bits.
func goneID() room.PlayerID { return room.PlayerID("gone_" + strings.ToLower(rand.Text())) }
