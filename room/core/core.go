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

// Phase is a stage of a room's life.
type Phase string

// The phases.
const (
	PhaseWaiting Phase = "waiting" // fewer than Spec.MinPlayers have come, or the game waits for its own Turn.Begin
	PhasePlaying Phase = "playing"
	PhaseOver    Phase = "over"
)

// Core is one room as a state machine. It has no clock, does no I/O and starts no goroutine. One goroutine uses it at a
// time.
//
// Step applies one input, appends it to the log and queues outputs. Commit returns outputs when the caller's durability
// has confirmed the index at which they were computed.
type Core struct {
	cfg    Config
	header record.Header
	rules  *room.Rules
	inst   room.Instance
	spec   *room.Spec

	s       state   // a function of the log
	classes classes // derived from it: views, and turns for clients that come back

	outputs   []Output // waiting for commit, in order
	committed room.Index
	log       logbook // the whole log, up to the end of the game

	last      Entry  // the newest entry, while Step works on it
	replaying *Entry // the logged entry that is being stepped again; nil: the input is new
	sampling  refusalSampling

	cutAt             int  // bytes of log at which a cut is due
	startsWithCut     bool // the next entry is the cut by which the log begins
	startsWithUpgrade bool // the next entry is an upgrade, and the entries before it were not stepped
	sinceSnapshot     replayCost

	watchers       map[WatcherID]struct{}
	decoded        []byte // options as Turn.Options decoded them, for PoolKey; nil: do not collect them
	panicked       *Panic
	panickedBefore *Panic         // as panicked was before the present step
	givenOutcomes  []room.Outcome // of the game's result, before idle players were dropped; a restore loses them
	pending        *Input         // see Pending
	skipped        uint64         // ticks that were left out because the caller was late
}

// replayCost is what replaying a part of the log would cost.
type replayCost struct {
	inputs, bytes int
	time          time.Duration
}

// Ready tells the caller what to do after a Step.
type Ready struct {
	Entry       *Entry // to append to the journal; nil: the log has no new entry
	Refused     error  // why there is no entry: a *room.Refusal
	Gap         bool   // the act's cseq is not the next one: close with 4104; there is no entry
	Over        bool   // this input ended the room; Final is set
	Gone        bool   // the room has lingered long enough and may leave memory
	SnapshotDue bool   // a Snapshot now is worth its cost
	CutDue      bool   // step a KindCut now, before any other input
	Changed     string // not empty, at most once a room: the game refused this act with this code, and yet its state changed
}

// ErrStale refuses an attach by an older attempt than one already seen.
var ErrStale = &room.Refusal{Code: "stale", Reason: "a newer connection of this client has come before"}

// Refusals that the core itself makes.
var (
	// Refusals by the core itself.
	errFull      = &room.Refusal{Code: "full", Reason: "all seats are taken"}
	errLocked    = &room.Refusal{Code: "locked", Reason: "the room takes no new players"}
	errBanned    = &room.Refusal{Code: "kicked", Reason: "removed from this room"}
	errOver      = &room.Refusal{Code: "over", Reason: "the room is over"}
	errNotSeated = &room.Refusal{Code: "not_seated", Reason: "no seat in this room"}
	errNotYou    = &room.Refusal{Code: "not_attached", Reason: "another client holds this seat"}
)

// Open makes a new room and steps its first two inputs, epoch and open. It returns their entries. The error is the
// game's refusal of the options, or wraps a *Panic.
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

// Header returns what never changes about the room.
func (c *Core) Header() record.Header { return c.header }

// runtime is the runtime by which the room goes on.
func (c *Core) runtime() int { return cmp.Or(c.s.Runtime, c.header.Runtime) }

// Rules returns the game that the room runs.
func (c *Core) Rules() *room.Rules { return c.rules }

// Now returns the room time of the last input.
func (c *Core) Now() time.Duration { return c.s.Now }

// Point returns the epoch and index of the last input.
func (c *Core) Point() record.Point { return record.Point{Epoch: c.s.Epoch, Seq: c.s.Index} }

// Committed returns the highest index given to Commit.
func (c *Core) Committed() room.Index { return c.committed }

// PendingOutputs counts the outputs that wait for a commit.
func (c *Core) PendingOutputs() int { return len(c.outputs) }

// Joined reports whether anybody ever had a seat.
func (c *Core) Joined() bool { return c.s.Joined }

// Locked reports whether the game keeps new players out.
func (c *Core) Locked() bool { return c.s.Locked }

// Ticking reports whether a tick is due next, so that turns are made at ticks.
func (c *Core) Ticking() bool { return c.s.TickAt > 0 && c.s.Final == nil }

// Skipped counts the ticks that were left out because the caller was late.
func (c *Core) Skipped() uint64 { return c.skipped }

// Panicked returns the panic that ended the room, or nil.
func (c *Core) Panicked() *Panic { return c.panicked }

// Phase returns the stage of the room's life.
func (c *Core) Phase() Phase {
	switch {
	case c.s.Final != nil:
		return PhaseOver
	case c.s.Started:
		return PhasePlaying
	}
	return PhaseWaiting
}

// Started reports whether the room waits no longer: enough players have been there once, or the game has begun without
// them.
func (c *Core) Started() bool { return c.s.Started }

// Final returns the room's end without its replay, or nil while the room lives.
func (c *Core) Final() *record.Final {
	if c.s.Final == nil {
		return nil
	}
	f := *c.s.Final
	return &f
}

// Commit tells the room that every input up to i is durable. It returns the outputs that may leave now, in order, each
// once.
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

// Charge tells the room what the last Step cost. The sum decides when a snapshot is due, and nothing else.
func (c *Core) Charge(cost time.Duration) { c.sinceSnapshot.time += cost }

func (c *Core) newShadow() *view.Shadow {
	if c.runtime() < 2 {
		return c.inst.Differ().NewFirst()
	}
	return c.inst.Differ().New()
}
