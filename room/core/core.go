package core

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
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

// Config makes a Core.
type Config struct {
	Header record.Header
	Rules  *room.Rules

	ResumeTurns int // turns a class keeps for clients that come back; 0 means 256
	ResumeBytes int // and their bytes; 0 means 256 KiB
	CheckEvery  int // a turn carries the view's checksum once in so many indexes; 0 means 32
	// OldestRuntime is the oldest that rooms go on by; those of older ones are moved to the present one, see Restore. 0 means
	// the constant OldestRuntime, and what is below it counts as that.
	OldestRuntime int

	CatchUp int // ticks made up at once when the caller is late, the rest is skipped; 0 means 5

	// A snapshot is due when replaying the tail of the log would cost more than one of these.
	SnapshotCost  time.Duration // of stepping, as told by Charge; 0 means 1 ms
	SnapshotBytes int           // of log; 0 means 256 KiB
	SnapshotTurns int           // of inputs; 0 means 1024
}

func (c Config) complete() Config {
	or := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	or(&c.ResumeTurns, 256)
	or(&c.ResumeBytes, 256<<10)
	or(&c.CheckEvery, 32)
	or(&c.CatchUp, 5)
	c.OldestRuntime = max(c.OldestRuntime, OldestRuntime)
	or(&c.SnapshotBytes, 256<<10)
	or(&c.SnapshotTurns, 1024)
	if c.SnapshotCost == 0 {
		c.SnapshotCost = time.Millisecond
	}
	return c
}

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

	last          Entry  // what Step has put into the log
	replayed      *Entry // what the log says of the input that is stepped again
	caution       caution
	cutAt         int  // bytes of log at which it is cut
	unbegun       bool // the next entry is the cut that the log begins with
	leaps         bool // the next entry is an upgrade, and nothing before it was stepped
	sinceN        int  // inputs, bytes and cost since the last snapshot
	sinceB        int
	sinceC        time.Duration
	watchers      map[WatcherID]struct{}
	decoded       []byte // what Turn.Options made of the options; nil: nobody wants to know, see Rules.Pool
	panicked      *Panic
	failedBefore  *Panic         // panicked before the present step
	givenOutcomes []room.Outcome // of the result, as the game said it; lost by a restore
	pending       *Input         // see Pending
	skipped       uint64         // ticks left out because the caller was late
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

// Panic is a panic of the game's, kept for the operator. Its value may hold game state; its stack does not.
type Panic struct {
	Call  string // the game's method
	Value string
	Stack string // functions and lines
	View  string // what no view may hold was shown: which field and why, without its value
}

func (p *Panic) Error() string { return "the game panicked in " + p.Call }

// newPanic describes the panic that the calling deferred function has recovered from. Go's own traces also print the
// arguments of each function, and those may be hidden facts.
func newPanic(call string, v any) *Panic {
	var stack strings.Builder
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		fmt.Fprintf(&stack, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	p := &Panic{Call: call, Value: fmt.Sprint(v), Stack: stack.String()}
	if err, ok := v.(*view.Error); ok {
		p.View = err.Error()
	}
	return p
}

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

// SeatInfo is what anybody may know of a taken seat.
type SeatInfo struct {
	Seat   int           `json:"seat"`
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Online bool          `json:"online"`
}

// Seats are the taken seats, in order.
func (c *Core) Seats() []SeatInfo {
	var out []SeatInfo
	for i, s := range c.s.Seats {
		if s.Player != "" {
			out = append(out, SeatInfo{i, s.Player, s.Name, s.Online})
		}
	}
	return out
}

// MaxPlayers is how many seats the room has: those that Turn.Seats gave it, else Spec.MaxPlayers.
func (c *Core) MaxPlayers() int { return cmp.Or(c.s.Limit, c.spec.MaxPlayers) }

// FreeSeats counts the seats that a new player could take now: none when the room is locked or over.
func (c *Core) FreeSeats() int {
	if c.s.Locked || c.s.Final != nil {
		return 0
	}
	free := c.MaxPlayers()
	for _, s := range c.s.Seats {
		if s.Player != "" {
			free--
		}
	}
	return max(free, 0)
}

// Holder is the client that holds a player's seat: the last one that attached. Ok is false when there is no seat.
func (c *Core) Holder(p room.PlayerID) (client record.ClientID, ok bool) {
	i := c.s.seatOf(p)
	if i < 0 {
		return "", false
	}
	return c.s.Seats[i].Client, true
}

// ClientInfo is what the operator may know of one client of a player.
type ClientInfo struct {
	Player  room.PlayerID
	Client  record.ClientID
	Attempt uint64
	CSeq    record.CSeq
}

// Clients are the clients the room remembers answers for.
func (c *Core) Clients() []ClientInfo {
	out := make([]ClientInfo, 0, len(c.s.Clients))
	for _, r := range c.s.Clients {
		out = append(out, ClientInfo{r.Player, r.Client, r.Attempt, r.CSeq})
	}
	return out
}

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

// WholeView is what a viewer would be shown now, ahead of commit: for the operator alone.
func (c *Core) WholeView(v room.Viewer) (json.RawMessage, error) {
	s := c.newShadow()
	if _, _, _, err := s.Update(c.inst.View(v), nil, nil); err != nil {
		return nil, err
	}
	return s.AppendJSON(nil), nil
}

// Legal are the actions that the game says a viewer may take now, as that viewer's client would send them, ahead of commit. False
// says that the game is no room.Advisor. The error is a *Panic, or names an action that is no JSON.
func (c *Core) Legal(v room.Viewer) (actions []json.RawMessage, advises bool, err error) {
	if c.s.Final != nil || c.panicked != nil {
		_, advises = c.inst.Legal(room.Spectator)
		return nil, advises, nil
	}
	return legal(c.inst, v)
}

// LegalIn is Core.Legal of a game whose snapshot is state, as Core.GameState has it. The error says that it is none.
func LegalIn(rules *room.Rules, state json.RawMessage, v room.Viewer) (actions []json.RawMessage, advises bool, err error) {
	inst := rules.Instance()
	raw := []byte(state)
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(state, &raw); err != nil {
			return nil, false, fmt.Errorf("the state of game %s is no snapshot: %w", rules.Spec().Name, err)
		}
	}
	if err := restoreGame(inst, raw); err != nil {
		return nil, false, fmt.Errorf("the state of game %s is no snapshot: %w", rules.Spec().Name, err)
	}
	return legal(inst, v)
}

func legal(inst room.Instance, v room.Viewer) (actions []json.RawMessage, advises bool, err error) {
	err = contained("Legal", func() error {
		var all []any
		all, advises = inst.Legal(v)
		for _, a := range all {
			raw, err := json.Marshal(a)
			if err != nil {
				return fmt.Errorf("Legal names an action that is no JSON: %w", err)
			}
			actions = append(actions, raw)
		}
		return nil
	})
	return actions, advises, err
}

// GameState is the game's snapshot, hidden facts and all: for the operator alone. A snapshot that is
// not JSON comes as a JSON string in base64.
func (c *Core) GameState() (json.RawMessage, error) {
	raw, err := snapshotGame(c.inst)
	if err != nil {
		return nil, err
	}
	if json.Valid(raw) {
		return raw, nil
	}
	return json.Marshal(raw)
}

// GivenOutcomes are the outcomes that the game has finished with, before who never acted was left out: for test kits.
func (c *Core) GivenOutcomes() []room.Outcome { return c.givenOutcomes }

// Game is the game value itself, for test kits: a caller that changes it breaks the room.
func (c *Core) Game() any { return c.inst.Game() }

func (c *Core) players() []room.Player {
	var out []room.Player
	for i, s := range c.s.Seats {
		if s.Player != "" {
			out = append(out, room.Player{ID: s.Player, Name: s.Name, Seat: i})
		}
	}
	return out
}

func (c *Core) online(p room.PlayerID) bool {
	i := c.s.seatOf(p)
	return i >= 0 && c.s.Seats[i].Online
}
