package core

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// Seeker runs a recording again up to any index, forwards and backwards. It goes on from where it is, or from one of the snapshots
// that it takes on its way. One goroutine uses it at a time.
type Seeker struct {
	cfg    Config
	log    *Recording
	core   *Core // nil: nothing has been run, or what was run has failed
	marks  []record.Snapshot
	stride room.Index        // between two marks
	near   []record.Snapshot // just before where it was last asked to go: who looks around goes back a little
}

const (
	markStride   = 1024    // inputs between two marks, at first
	maxMarks     = 64      // then every second one is dropped, and the stride doubled
	maxMarkBytes = 8 << 20 // likewise

	nearStride   = 8       // inputs between two near snapshots
	nearReach    = 4       // strides before the place
	maxNear      = 8       // then the oldest is dropped
	maxNearBytes = 4 << 20 // likewise
)

// NewSeeker returns a Seeker at the beginning of a log, which may grow. The rules must be those of the log's game.
func NewSeeker(rules *room.Rules, log *Recording) *Seeker {
	return &Seeker{cfg: Config{Rules: rules, ResumeTurns: 1, ResumeBytes: math.MaxInt}, log: log, stride: markStride}
}

// BeforeError says that the inputs up to Last were stepped by other rules, or another runtime, than this program has.
type BeforeError struct{ Last room.Index }

func (e *BeforeError) Error() string {
	return fmt.Sprintf("the inputs up to %d were played by a version that this program lacks", e.Last)
}

// Seek runs the log up to index i and returns the room there, which is valid until the next Seek and must not be stepped. Stop is
// called before each input; its error ends the run, and a later Seek goes on from there. It blocks for as long as the run takes. The other errors are a
// *BeforeError, a *VersionError, a *DivergedError, and those of reading the log.
func (s *Seeker) Seek(i room.Index, stop func() error) (*Core, error) {
	if i < s.log.first || i > s.log.last.Seq {
		return nil, noEntry(i)
	}
	if err := s.start(i); err != nil {
		return nil, err
	}
	if s.core.s.Index >= i {
		return s.core, nil
	}
	for e, err := range s.log.Entries(s.core.s.Index) {
		if err == nil {
			if err := stop(); err != nil {
				return nil, err
			}
			err = s.step(e, i)
		}
		if err != nil {
			s.core = nil
			return nil, err
		}
		if e.Index == i {
			break
		}
	}
	return s.core, nil
}

// start brings the room to an index from which i is ahead, or to i. What lies before the log's beginning, which a cut moves, leads nowhere.
func (s *Seeker) start(i room.Index) error {
	var from *record.Snapshot
	for _, kept := range [][]record.Snapshot{s.marks, s.near} {
		for n := range kept {
			if m := &kept[n]; s.log.first <= m.Index && m.Index <= i && (from == nil || m.Index > from.Index) {
				from = m
			}
		}
	}
	if s.core != nil && s.log.first <= s.core.s.Index+1 && s.core.s.Index <= i && (from == nil || from.Index <= s.core.s.Index+1) { // one step tells what a snapshot forgets: what was shown
		return nil
	}
	s.cfg.Header = s.log.Header
	s.core = nil
	c := newCore(s.cfg)
	if from != nil {
		if err := c.loadSnapshot(*from); err != nil {
			return err
		}
		s.core = c
		return nil
	}
	if err := c.seekStart(s.log.Entries(0)); err != nil {
		return err
	}
	if i <= c.s.Index {
		return &BeforeError{c.s.Index}
	}
	s.core = c
	return nil
}

// step steps an entry on the way to index i.
func (s *Seeker) step(e Entry, i room.Index) error {
	c := s.core
	c.outputs = c.outputs[:0]
	if err := c.replayEntry(e); err != nil {
		return err
	}
	c.committed, c.log = c.s.Index, logbook{} // the recording has the log
	last := s.log.first
	if n := len(s.marks); n > 0 {
		last = s.marks[n-1].Index
	}
	switch at := e.Index; {
	case at >= last+s.stride:
		s.marks = s.keep(s.marks)
		for len(s.marks) > 1 && (len(s.marks) > maxMarks || bytesOf(s.marks) > maxMarkBytes) {
			half := len(s.marks) / 2
			for n := range half {
				s.marks[n] = s.marks[2*n+1]
			}
			s.marks, s.stride = slices.Delete(s.marks, half, len(s.marks)), 2*s.stride
		}
	case at%nearStride == 0 && i-at <= nearReach*nearStride:
		s.near = s.keep(s.near)
		for len(s.near) > maxNear || len(s.near) > 1 && bytesOf(s.near) > maxNearBytes {
			s.near = slices.Delete(s.near, 0, 1)
		}
	}
	return nil
}

func bytesOf(all []record.Snapshot) (n int) {
	for _, snap := range all {
		n += len(snap.Data)
	}
	return n
}

// keep adds a snapshot. Where there can be none, the game is run again from an earlier one.
func (s *Seeker) keep(all []record.Snapshot) []record.Snapshot {
	if s.core.panicked != nil {
		return all
	}
	if snap, err := s.core.Snapshot(); err == nil {
		all = append(all, snap)
	}
	return all
}

// Viewer returns the viewer for whom a player's view is made; an empty player is a spectator. False means that the player has no seat.
func (c *Core) Viewer(p room.PlayerID) (v room.Viewer, ok bool) {
	if p == "" {
		return room.Spectator, true
	}
	if i := c.s.seatOf(p); i >= 0 {
		return c.viewerOf(i), true
	}
	return v, false
}

// Eye is what one viewer sees of a room, and how that changes.
type Eye struct{ shadow *view.Shadow }

// Look returns the whole view of a viewer, ahead of commit, and the change since the last Look: a merge patch (RFC 7396), or nil
// if nothing has changed or there was no Look. It is for the operator and for test kits. The error is a *Panic or a *view.Error.
func (e *Eye) Look(c *Core, v room.Viewer) (whole, patch json.RawMessage, err error) {
	first := e.shadow == nil
	if first {
		e.shadow = c.newShadow()
	}
	changed := false
	err = catchPanic("View", func() (err error) {
		patch, _, changed, err = e.shadow.Update(c.inst.View(v), nil, nil)
		return err
	})
	if err != nil {
		e.shadow = nil
		return nil, nil, err
	}
	if first || !changed {
		patch = nil
	}
	return e.shadow.AppendJSON(nil), patch, nil
}

// EventsShown returns the events that the input which a Seeker or Run has just stepped showed to a player, or to spectators if p is empty.
func (c *Core) EventsShown(p room.PlayerID) []wire.Event {
	cl := c.shownClass(p)
	if cl == nil || c.panicked != nil {
		return nil
	}
	n := len(cl.turns.turns)
	if n == 0 || cl.turns.turns[n-1].seq != c.s.Index {
		return nil
	}
	return cl.turns.turns[n-1].eventsFor(p)
}

// Told is an event of a turn, with whom it is for.
type Told struct {
	To   room.PlayerID // empty: everybody
	Name string
	Data json.RawMessage
}

// Told returns all events of the turn that the input which a Seeker or Run has just stepped made. It is for the operator alone.
func (c *Core) Told() (out []Told) {
	if c.panicked != nil {
		return nil
	}
	classes := []*class{c.classes.spectator}
	for _, info := range c.s.Classes {
		classes = append(classes, c.classes.byID[info.ID])
	}
	for _, cl := range classes { // each that has the turn has all of its events
		if cl == nil || len(cl.turns.turns) == 0 {
			continue
		}
		if t := cl.turns.turns[len(cl.turns.turns)-1]; t.seq == c.s.Index {
			for _, e := range t.events {
				out = append(out, Told(e))
			}
			return out
		}
	}
	return nil
}

// At returns the index to which the log has been run; 0: nothing is.
func (s *Seeker) At() room.Index {
	if s.core == nil {
		return 0
	}
	return s.core.s.Index
}
