package core

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
)

// Phase is where a room's life stands.
type Phase string

// The phases.
const (
	PhaseWaiting Phase = "waiting" // fewer players than Spec.MinPlayers so far, or the game has not said Turn.Begin after Turn.Wait
	PhasePlaying Phase = "playing"
	PhaseOver    Phase = "over"
)

// Core is one room: the pure state machine that an actor drives. It has no clock, does no I/O and
// starts no goroutine; one goroutine uses it at a time.
//
// Step applies one input, puts it into the log and queues what the room says. What is queued leaves
// by Commit, when the caller's durability has confirmed the index it was computed at.
type Core struct {
	cfg    Config
	header record.Header
	rules  *room.Rules
	inst   room.Instance
	spec   *room.Spec

	s       state   // replicated: a function of the log
	classes classes // derived: views, and turns for clients that come back

	outputs   []Output // waiting for commit, in order
	committed room.Index
	log       logbook // the whole log, up to the end of the game

	last              Entry  // what Step has put into the log
	replaying         *Entry // what the log says of the input that is stepped again
	sampling          refusalSampling
	cutAt             int  // bytes of log at which it is cut
	startsWithCut     bool // the next entry is the cut that the log begins with
	startsWithUpgrade bool // the next entry is an upgrade, and nothing before it was stepped
	sinceN            int  // inputs, bytes and cost since the last snapshot
	sinceB            int
	sinceC            time.Duration
	watchers          map[WatcherID]struct{}
	decoded           []byte // what Turn.Options made of the options; nil: nobody wants to know, see Rules.Pool
	panicked          *Panic
	panickedBefore    *Panic         // panicked before the present step
	givenOutcomes     []room.Outcome // of the result, as the game said it; lost by a restore
	pending           *Input         // see Pending
	skipped           uint64         // ticks left out because the caller was late
}

// Ready says what the caller must do after a Step.
type Ready struct {
	Entry       *Entry // to journal; nil when nothing entered the log
	Refused     error  // why nothing entered the log: a *Refusal
	Gap         bool   // the act's cseq is not the next: close 4104, nothing entered the log
	Over        bool   // this input ended the room: Final is set
	Gone        bool   // the room may leave memory: its last look is over
	SnapshotDue bool   // taking a Snapshot now is worth its while
	CutDue      bool   // a KindCut is to be stepped now, before anything else
	Changed     string // not empty, once a room: the game refused this act with this code and changed all the same
}

// ErrStale refuses an attach that is older than one already seen.
var ErrStale = &room.Refusal{Code: "stale", Reason: "a newer connection of this client has come before"}

// Refusals that the core itself makes.
var (
	errFull      = &room.Refusal{Code: "full", Reason: "all seats are taken"}
	errLocked    = &room.Refusal{Code: "locked", Reason: "the room takes no new players"}
	errBanned    = &room.Refusal{Code: "kicked", Reason: "removed from this room"}
	errOver      = &room.Refusal{Code: "over", Reason: "the room is over"}
	errNotSeated = &room.Refusal{Code: "not_seated", Reason: "no seat in this room"}
	errNotYou    = &room.Refusal{Code: "not_attached", Reason: "another client holds this seat"}
)

// Open makes a new room and steps its first inputs: epoch and open. The error is the game's refusal
// of the options, or a *Panic. Both entries are in the log that Entries returns.
func Open(cfg Config, epoch record.Epoch) (*Core, []Entry, error) {
	c := newCore(cfg)
	if err := c.spec.CheckOptions(c.header.Options); err != nil {
		return nil, nil, err
	}
	var entries []Entry
	for _, in := range []Input{{Kind: KindEpoch, Epoch: epoch}, {Kind: KindOpen}} {
		ready, err := c.Step(in)
		if err = errors.Join(err, ready.Refused); err != nil {
			return nil, nil, err
		}
		if c.panicked != nil {
			return nil, nil, fmt.Errorf("opening it with these options: %w", c.panicked)
		}
		entries = append(entries, *ready.Entry)
	}
	return c, entries, nil
}

func newCore(cfg Config) *Core {
	cfg = cfg.complete()
	inst := cfg.Rules.Instance()
	spec := inst.Spec()
	return &Core{
		cutAt: spec.LogBytes, cfg: cfg, header: cfg.Header, rules: cfg.Rules, inst: inst, spec: spec,
		s:        state{Seats: make([]seat, spec.MaxPlayers), Version: spec.Version},
		watchers: map[WatcherID]struct{}{},
	}
}

// Header is what never changes about the room.
func (c *Core) Header() record.Header { return c.header }

// runtime is the one that the room goes on by.
func (c *Core) runtime() int { return cmp.Or(c.s.Runtime, c.header.Runtime) }

// Rules is the game that the room runs.
func (c *Core) Rules() *room.Rules { return c.rules }

// Now is the room time of the last input.
func (c *Core) Now() time.Duration { return c.s.Now }

// Point is the epoch and index of the last input.
func (c *Core) Point() record.Point { return record.Point{Epoch: c.s.Epoch, Seq: c.s.Index} }

// Committed is the highest index that Commit was told.
func (c *Core) Committed() room.Index { return c.committed }

// PendingOutputs counts the outputs that wait for a commit.
func (c *Core) PendingOutputs() int { return len(c.outputs) }

// Joined reports whether anybody ever had a seat.
func (c *Core) Joined() bool { return c.s.Joined }

// Locked reports whether the game keeps new players out.
func (c *Core) Locked() bool { return c.s.Locked }

// Ticking reports whether the room speaks at ticks now, and a next one is due.
func (c *Core) Ticking() bool { return c.s.TickAt > 0 && c.s.Final == nil }

// Skipped counts the ticks that were left out because the caller was late.
func (c *Core) Skipped() uint64 { return c.skipped }

// Panicked is the panic that ended the room, or nil.
func (c *Core) Panicked() *Panic { return c.panicked }

// Phase is where the room's life stands.
func (c *Core) Phase() Phase {
	switch {
	case c.s.Final != nil:
		return PhaseOver
	case c.s.Started:
		return PhasePlaying
	}
	return PhaseWaiting
}

// Started reports whether enough players have been there once, or the game has begun without them: the room is waiting no more.
func (c *Core) Started() bool { return c.s.Started }

// Final is the room's end without its replay, or nil while it lives.
func (c *Core) Final() *record.Final {
	if c.s.Final == nil {
		return nil
	}
	f := *c.s.Final
	return &f
}

// Commit says that the durability level has confirmed every input up to i, and returns what may leave
// now, in order, each output once.
func (c *Core) Commit(i room.Index) []Output {
	c.committed = max(c.committed, min(i, c.s.Index))
	n := 0
	for n < len(c.outputs) && c.outputs[n].At() <= c.committed {
		n++
	}
	out := slices.Clone(c.outputs[:n])
	c.outputs = slices.Delete(c.outputs, 0, n)
	return out
}

// Charge tells what the last Step cost; it decides when a snapshot is due and nothing else.
func (c *Core) Charge(cost time.Duration) { c.sinceC += cost }

func (c *Core) newShadow() *view.Shadow {
	if c.runtime() < 2 {
		return c.inst.Differ().NewFirst()
	}
	return c.inst.Differ().New()
}
