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

// SpectatorTurn is what spectators were shown at one input of a game: the whole view when they have none to go on
// from, else what changed.
type SpectatorTurn struct {
	Seq    room.Index
	At     time.Duration // room time
	Kind   Kind          // of the input
	Player room.PlayerID // whose input it was, if a player's
	View   json.RawMessage
	Patch  json.RawMessage // RFC 7396; empty when nothing of the view changed
	Events []wire.Event
}

// SpectatorTurns runs a replay again and goes through what a spectator was shown, from the opening on: the same turns
// at the same indexes. It is as lazy as its reader, and holds one room. It shows nothing from the entry
// on in which the game panicked. The error, which comes last, is that of Run.
func SpectatorTurns(cfg Config, log Log) iter.Seq2[SpectatorTurn, error] {
	cfg.ResumeTurns, cfg.ResumeBytes = 1, math.MaxInt // of a class's turns the last alone is looked at
	return func(yield func(SpectatorTurn, error) bool) {
		var seen spectatorCursor
		_, err := Run(cfg, log, func(c *Core, e Entry) error {
			if s, ok := seen.next(c, e); ok && !yield(s, nil) {
				return errSeenEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errSeenEnough) {
			yield(SpectatorTurn{}, err)
		}
	}
}

// errSeenEnough stops a run whose reader has.
var errSeenEnough = errors.New("the reader has stopped")

// spectatorCursor is how far a spectator of a replay has got.
type spectatorCursor struct {
	in  *class     // nil before the first view
	seq room.Index // of the last turn
}

// next returns what the newest entry has shown to spectators, if anything.
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
