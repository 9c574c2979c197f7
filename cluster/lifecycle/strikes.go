package lifecycle

import (
	"context"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// BlackBox knows in which steps of rooms processes have died. A journal.BlackBox implements it.
type BlackBox interface {
	// Struck is the step of a room in which the most have died; the zero Strike: none has.
	Struck(id room.ID) record.Strike
	// Deaths is how many have died in a step.
	Deaths(id room.ID, fingerprint uint64) int
	// Strike notes durably that at least so many have. It blocks on the disk.
	Strike(ctx context.Context, id room.ID, fingerprint uint64, deaths int) error
}

// noBlackBox is used if there is none.
type noBlackBox struct{}

func (noBlackBox) Struck(room.ID) (none record.Strike)                { return }
func (noBlackBox) Deaths(room.ID, uint64) int                         { return 0 }
func (noBlackBox) Strike(context.Context, room.ID, uint64, int) error { return nil }

// strike is what a change of a room's row is to say of deaths; nil: what it says already. The owner has noted what the row said, so it
// writes all that it knows, and nothing if that was forgiven. Whoever takes the room leaves the strike as it is, unless the owner has not
// returned from a step.
func (w *Owner) strike(r *Room, e ownership.Effect) *record.Strike {
	row, at := w.loop.struck(r)
	if w.o.Self.Is(e.From.Folder) {
		known := w.o.Black.Struck(r.ID)
		if known == row && at == e.From.Epoch {
			return nil
		}
		return &known
	}
	s, open := w.copies.Stepping(r.ID)
	if !open {
		return nil
	}
	s.Deaths++
	if row.Fingerprint == s.Fingerprint {
		s.Deaths = max(s.Deaths, row.Deaths+1)
	}
	s.Deaths = max(s.Deaths, w.o.Black.Deaths(r.ID, s.Fingerprint)) // that may be old: it is not added to
	return &s
}

// noteStrike notes what the row says of deaths, before the room's log is run. If the journal knows the row's epoch, a process of this
// folder had the room and has noted it, and may have forgiven it since. It blocks on the disk.
func (w *Owner) noteStrike(r *Room) {
	s, at := w.loop.struck(r)
	if s.Deaths == 0 || at <= r.Kept.Epoch {
		return
	}
	w.o.Log.Warn("processes have died in a step of a room", "room", r.ID, "deaths", s.Deaths)
	if err := w.o.Black.Strike(w.ctx, r.ID, s.Fingerprint, s.Deaths); err != nil && w.ctx.Err() == nil {
		w.o.Log.Warn("it is not noted", "room", r.ID, "err", err)
	}
}

// struck is the strike in the newest row that the store has shown of a room, and the epoch of that row.
func (l *Loop) struck(r *Room) (record.Strike, record.Epoch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.strike, r.shown
}
