package core

import (
	"encoding/json"
	"errors"
	"iter"
	"math"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// SpectatorTurn is what spectators saw at one input of a game: the whole view if they had none before, else the change.
type SpectatorTurn struct {
	Seq    room.Index
	At     time.Duration   // room time
	Kind   Kind            // kind of the input
	Player room.PlayerID   // player of the input, if it has one
	View   json.RawMessage // the whole view; empty: see Patch
	Patch  json.RawMessage // RFC 7396; empty if the view did not change
	Events []wire.Event
}

// SpectatorTurns replays a log and iterates over what a spectator saw from the opening on: the same turns at the same indexes.
// It runs the game only as far as the caller reads, and holds one room in memory. If the game panicked, the turns end before
// that entry. An error of Run comes last.
func SpectatorTurns(cfg Config, log Log) iter.Seq2[SpectatorTurn, error] {
	cfg.ResumeTurns, cfg.ResumeBytes = 1, math.MaxInt // only a class's last turn is used
	return func(yield func(SpectatorTurn, error) bool) {
		var seen spectatorCursor
		_, err := Run(cfg, log, func(c *Core, e Entry) error {
			if s, ok := seen.next(c, e); ok && !yield(s, nil) {
				return errReaderStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errReaderStopped) {
			yield(SpectatorTurn{}, err)
		}
	}
}

// errReaderStopped stops a run after its reader has stopped.
var errReaderStopped = errors.New("the reader has stopped")

// spectatorCursor is the position of a spectator in a replay.
type spectatorCursor struct {
	in  *class     // nil before the first view
	seq room.Index // index of the last turn
}

// next returns what the newest entry shows to spectators. It returns false if that is nothing.
func (s *spectatorCursor) next(c *Core, e Entry) (SpectatorTurn, bool) {
	if c.panicked != nil || c.classes.spectator == nil && len(c.s.Classes) == 0 {
		return SpectatorTurn{}, false
	}
	out := SpectatorTurn{Seq: e.Index, At: e.At, Kind: e.Kind, Player: e.Player}
	cl := c.spectators()
	if cl != s.in {
		s.in, s.seq, out.View = cl, e.Index, cl.shadow.AppendJSON(nil)
		return out, true
	}
	n := len(cl.turns.turns)
	if n == 0 || cl.turns.turns[n-1].seq <= s.seq {
		return SpectatorTurn{}, false
	}
	t := cl.turns.turns[n-1]
	s.seq, out.Seq = t.seq, t.seq
	out.Patch, out.Events = t.patch[wire.JSON], t.eventsFor("")
	return out, len(out.Patch) > 0 || len(out.Events) > 0
}
