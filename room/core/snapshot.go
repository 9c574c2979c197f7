package core

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// VersionError says that this program cannot go on with a room: it was recorded by rules or a runtime
// that it does not have. Nothing is wrong with the room: a program that has them can.
type VersionError struct {
	Game       string
	Need, Have int  // versions
	Oldest     int  // of the runtime: the first that this program has; 0: OldestRuntime
	Runtime    bool // of the runtime, not of the game
	Why        string
}

func (e *VersionError) Error() string {
	msg := fmt.Sprintf("the room needs version %d of game %s, this program has version %d", e.Need, e.Game, e.Have)
	if e.Runtime {
		msg = fmt.Sprintf("the room needs version %d of the runtime, this program has versions %d to %d", e.Need, cmp.Or(e.Oldest, OldestRuntime), e.Have)
	}
	if e.Why != "" {
		msg += ": " + e.Why
	}
	return msg
}

// unknownPart says that a log or snapshot holds what only a newer runtime can have written.
func unknownPart(what string) *VersionError {
	return &VersionError{Need: RuntimeVersion + 1, Have: RuntimeVersion, Runtime: true, Why: what}
}

// ErrNotClean refuses a snapshot between two ticks, when something has happened that is not yet said.
var ErrNotClean = errors.New("room: a ticking room is snapshot after a tick")

// Snapshot is the whole state after the last input. The error is ErrNotClean, or the game's own.
func (c *Core) Snapshot() (record.Snapshot, error) {
	if !c.clean() {
		return record.Snapshot{}, ErrNotClean
	}
	data, err := c.encodeState()
	if err != nil {
		return record.Snapshot{}, err
	}
	c.sinceN, c.sinceB, c.sinceC = 0, 0, 0
	return record.Snapshot{Room: c.header.ID, Epoch: c.s.Epoch, Index: c.s.Index, Data: data}, nil
}

// encodeState is the whole state as snapshots have it.
func (c *Core) encodeState() ([]byte, error) {
	s := c.s
	for i, info := range s.Classes {
		if cl := c.classes.byID[info.ID]; cl != nil { // a room that failed has none
			s.Classes[i].Last = cl.last
		}
	}
	if c.panicked == nil {
		game, err := snapshotGame(c.inst)
		if err != nil {
			return nil, fmt.Errorf("snapshot of game %s: %w", c.header.Game, err)
		}
		s.Game = game
	}
	return s.encode()
}

// encode adds the sum of all the rest.
func (s state) encode() ([]byte, error) {
	s.Sum = nil
	data, err := encMode.Marshal(s)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	s.Sum = sum[:]
	return encMode.Marshal(s)
}

// WithGame is the snapshot with the game's own part replaced: for test kits that ask what a viewer learns
// from a fact. The error says that s is no snapshot.
func WithGame(s record.Snapshot, game []byte) (record.Snapshot, error) {
	st, err := decodeState(s.Data, 0)
	if err != nil {
		return record.Snapshot{}, err
	}
	st.Game = game
	s.Data, err = st.encode()
	return s, err
}

// Restore brings a room back from its journal: from the older of its snapshots, so that clients can
// resume, and the inputs after it; where that cannot be read from the newer one, and then from the first input. What it
// restores counts as committed. The caller then steps KindEpoch at Kept.Time and a KindDetach for each seat that is online.
//
// A *VersionError means that this program lacks the version that recorded the log, and that the log
// does not end in a snapshot that its own version could take over. A *DivergedError means that it has other rules under
// the same version: what it makes of the log is not what was acknowledged. In both cases nothing is wrong with what is kept.
func Restore(cfg Config, kept record.Kept) (*Core, error) {
	if err := checkRuntime(&kept); err != nil {
		return nil, err
	}
	cfg.Header = kept.Header
	c, err := restoreTail(cfg, kept)
	if wrong, ok := errors.AsType[*VersionError](err); ok && wrong.past() {
		return upgrade(cfg, kept, wrong)
	}
	return c, err
}

// past reports whether an upgrade may help: of another version of the game, or of a runtime that this program has no more.
func (e *VersionError) past() bool { return !e.Runtime || e.Need < e.Have }

// CheckRuntime is a *VersionError when only a newer program has the runtime that the room was made by. Of one that is older
// than this program's oldest Restore finds out whether the room was moved on, or can be.
func CheckRuntime(h record.Header) error {
	if 0 < h.Runtime && h.Runtime <= RuntimeVersion {
		return nil
	}
	return &VersionError{Game: h.Game, Need: h.Runtime, Have: RuntimeVersion, Runtime: true}
}

// KnowsRuntime reports whether this program steps what a runtime has recorded.
func KnowsRuntime(n int) bool { return OldestRuntime <= n && n <= RuntimeVersion }

// knows is a *VersionError when this program does not step what a runtime has recorded.
func (c *Core) knows(runtime int) error {
	if c.cfg.OldestRuntime <= runtime && runtime <= RuntimeVersion {
		return nil
	}
	return &VersionError{Game: c.header.Game, Need: runtime, Have: RuntimeVersion, Oldest: c.cfg.OldestRuntime, Runtime: true}
}

// checkRuntime is CheckRuntime of all but the log, which is looked at when it is gone through.
func checkRuntime(k *record.Kept) error {
	if err := CheckRuntime(k.Header); err != nil {
		return err
	}
	for _, snap := range k.Snapshots {
		if _, err := decodeState(snap.Data, 0); err != nil {
			if wrong, ok := errors.AsType[*VersionError](err); ok {
				return wrong
			}
		}
	}
	return nil
}

// CheckVersion answers whether Restore would find that this program lacks a version, without stepping the log: the
// error is a *VersionError then, or says what is wrong with the log.
func CheckVersion(cfg Config, kept record.Kept) error {
	if err := checkRuntime(&kept); err != nil {
		return err
	}
	cfg.Header = kept.Header
	err := newCore(cfg).begin(entriesOf(&kept))
	if wrong, ok := errors.AsType[*VersionError](err); ok && wrong.past() {
		_, err = upgrade(cfg, kept, wrong)
	}
	return err
}

// restoreTail goes on from the first start that serves. Whatever lies between the start and the end fills the
// buffers that clients resume from, so a start a while before the end is worth its cost: the older of two
// snapshots or, with one, the first input, which is no further away than a snapshot is worth taking. Another start is for a
// snapshot that cannot be read: rules that come to something else than the log says are wrong wherever they start.
func restoreTail(cfg Config, kept record.Kept) (*Core, error) {
	starts := []func(c *Core) error{func(c *Core) error { return c.begin(entriesOf(&kept)) }}
	for _, snap := range kept.Snapshots {
		starts = append(starts, func(c *Core) error { return c.load(snap) })
	}
	if len(kept.Snapshots) > 1 {
		starts = append(starts[1:], starts[0]) // the whole log only when neither serves
	}
	var errs []error
	for _, start := range starts {
		c := newCore(cfg)
		err := start(c)
		if err == nil {
			err = c.rerun(entriesOf(&kept), kept.Snapshots)
		}
		if _, other := errors.AsType[*DivergedError](err); other {
			return nil, err
		}
		if err == nil && c.s.Index == 0 {
			err = fmt.Errorf("the journal holds no log of room %s", kept.Header.ID)
		}
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// entries are the whole log.
func entriesOf(k *record.Kept) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, b := range k.Batches {
			for e, err := range DecodeEntries(b.Entries) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// begin puts a fresh core where a log can be stepped from: its start, or the input by which the room
// came to the present version of the rules, or to a runtime that this program has.
func (c *Core) begin(entries iter.Seq2[Entry, error]) error {
	version, runtime, first := c.header.Version, c.header.Runtime, true
	for e, err := range entries {
		if err != nil {
			return err
		}
		if first && e.Index > 1 && e.Kind == KindCut {
			c.beginAt(&e)
			version, runtime = e.Version, cmp.Or(e.Runtime, runtime)
		}
		first = false
		if e.Kind != KindUpgrade {
			continue
		}
		if version != e.Version || c.knows(runtime) != nil {
			c.unbegun, c.leaps = false, true
			c.s.Index, c.s.Epoch, c.s.Now = e.Index-1, e.Epoch, e.At
		}
		version, runtime = e.Version, cmp.Or(e.Runtime, runtime)
	}
	if have := c.spec.Version; version != have {
		return &VersionError{Game: c.header.Game, Need: version, Have: have}
	}
	return c.knows(runtime)
}

// load replaces everything by a snapshot of the present version.
func (c *Core) load(snap record.Snapshot) error {
	s, err := decodeState(snap.Data, len(c.s.Seats))
	if err != nil {
		return err
	}
	if have := c.spec.Version; s.Version != have {
		return &VersionError{Game: c.header.Game, Need: s.Version, Have: have}
	}
	if err := c.knows(cmp.Or(s.Runtime, c.header.Runtime)); err != nil {
		return err
	}
	if !s.failed() {
		if err := restoreGame(c.inst, s.Game); err != nil {
			return fmt.Errorf("snapshot of game %s: %w", c.header.Game, err)
		}
	}
	return c.adopt(s)
}

func decodeState(data []byte, seats int) (state, error) {
	var s state
	if err := strictMode.Unmarshal(data, &s); err != nil {
		if _, newer := errors.AsType[*cbor.UnknownFieldError](err); newer {
			return s, unknownPart("its snapshot holds what this program does not know")
		}
		return s, fmt.Errorf("snapshot: %w", err)
	}
	s.count()
	if len(s.Seats) < seats {
		s.Seats = append(s.Seats, make([]seat, seats-len(s.Seats))...)
	}
	return s, nil
}

// adopt takes over a decoded state whose game is restored, and makes the views anew.
func (c *Core) adopt(s state) error {
	if s.failed() {
		c.panicked = &Panic{Value: "the game had failed before this room was brought back"}
	}
	s.Game = nil
	c.s = s
	c.committed = s.Index
	c.classes = classes{saidAt: s.Index}
	if c.panicked != nil {
		return nil
	}
	return contained("View", c.makeViews)
}

func (c *Core) makeViews() error {
	for i, info := range c.s.Classes {
		c.makeClass(info.ID, room.Spectator, info.Last)
		for seat, at := range c.s.Seats {
			if at.Class == info.ID {
				c.classes.byID[info.ID].viewer = c.viewerOf(seat)
			}
		}
		c.remake(c.classes.byID[c.s.Classes[i].ID])
	}
	if !c.spec.SharedView {
		c.makeSpectators()
	}
	return nil
}

func (c *Core) remake(cl *class) {
	cl.shadow = c.newShadow()
	c.update(cl)
}

// rerun steps the logged inputs after the present index again, and compares with the snapshots that it passes.
func (c *Core) rerun(entries iter.Seq2[Entry, error], passed []record.Snapshot) error {
	for e, err := range entries {
		if err != nil {
			return err
		}
		stepped := e.Index > c.s.Index
		if err := c.again(e); err != nil {
			return err
		}
		for _, snap := range passed {
			if stepped && snap.Index == e.Index {
				if err := c.agreeOnState(snap, &e); err != nil {
					return err
				}
			}
		}
	}
	c.outputs = nil
	c.committed = c.s.Index
	return nil
}

// again steps one logged input, or only keeps it in the log when a snapshot covers it.
func (c *Core) again(e Entry) error {
	if e.Index <= c.s.Index {
		if c.s.Final == nil || e.Index <= c.s.Final.Point.Seq {
			c.log.append(e, false)
		}
		return nil
	}
	if e.Index != c.s.Index+1 {
		return fmt.Errorf("log of room %s: entry %d follows %d", c.header.ID, e.Index, c.s.Index)
	}
	c.replayed = &e
	ready, err := c.Step(e.Input)
	c.replayed = nil
	if wrong, ok := errors.AsType[*VersionError](err); ok {
		return wrong
	}
	if wrong, ok := errors.AsType[*DivergedError](err); ok {
		return wrong
	}
	if err := c.agree(&e, ready, err); err != nil {
		return err
	}
	c.outputs = c.outputs[:0]
	return nil
}

// Run steps the entries of a replay, and calls each after every one. The error is a *DivergedError where an entry comes
// to something else than the log says; compare Final with the recorded one too. A room that changed version on its way is
// run from there on. The log is gone through twice.
func Run(cfg Config, log Log, each func(c *Core, e Entry) error) (*Core, error) {
	c := newCore(cfg)
	if err := c.begin(log()); err != nil {
		return c, err
	}
	for e, err := range log() {
		if err != nil {
			return c, err
		}
		if err := c.again(e); err != nil {
			return c, err
		}
		c.committed = c.s.Index
		if each != nil {
			if err := each(c, e); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// upgrade lets newer rules, or a newer runtime, take over a room whose journal ends in a snapshot of the older ones.
func upgrade(cfg Config, kept record.Kept, wrong *VersionError) (*Core, error) {
	if n := len(kept.Snapshots); n == 0 || kept.Snapshots[n-1].Index != kept.Last() {
		wrong.Why = "stop that version cleanly first, so that it leaves a snapshot to upgrade from"
		return nil, wrong
	}
	snap := kept.Snapshots[len(kept.Snapshots)-1]
	c := newCore(cfg)
	s, err := decodeState(snap.Data, len(c.s.Seats))
	if err != nil {
		return nil, err
	}
	c.s.Index, c.s.Epoch, c.s.Now, c.s.Final = snap.Index, snap.Epoch, s.Now, s.Final
	if err := c.rerun(entriesOf(&kept), nil); err != nil {
		return nil, err
	}
	c.pending = &Input{Kind: KindUpgrade, At: max(kept.Time, s.Now), Version: cfg.Rules.Spec().Version, Data: snap.Data}
	if c.knows(cmp.Or(s.Runtime, c.header.Runtime)) != nil {
		c.pending.Runtime = RuntimeVersion
	}
	if err := c.tryUpgrade(s); err != nil {
		wrong.Why = err.Error()
		if other, ok := errors.AsType[*VersionError](err); ok {
			wrong = other
		}
		return nil, wrong
	}
	return c, nil
}

// Pending is an input that a restored room needs before any other but KindEpoch: its upgrade.
func (c *Core) Pending() (Input, bool) {
	if c.pending == nil {
		return Input{}, false
	}
	return *c.pending, true
}

// tryUpgrade makes the game from an older version's snapshot, or says why it cannot.
func (c *Core) tryUpgrade(s state) error {
	have := c.spec.Version
	g, ok := optional[room.Upgrader](c.inst)
	switch {
	case s.Version == have && s.failed():
		return nil
	case s.Version == have:
		return restoreGame(c.inst, s.Game)
	case s.Version > have:
		return &VersionError{Game: c.header.Game, Need: s.Version, Have: have}
	case !ok:
		return &VersionError{Game: c.header.Game, Need: s.Version, Have: have, Why: "the game has no Upgrade method"}
	}
	if err := contained("Upgrade", func() error { return g.Upgrade(s.Version, s.Game) }); err != nil {
		return &VersionError{Game: c.header.Game, Need: s.Version, Have: have, Why: err.Error()}
	}
	return nil
}

// stepUpgrade moves the room to this program's version of its rules, or to another runtime: the input carries the state as the
// older one left it. Where that was stepped too, it must have come to the same.
func (c *Core) stepUpgrade(in Input) (Ready, error) {
	if have := c.spec.Version; in.Version != have {
		return Ready{}, &VersionError{Game: c.header.Game, Need: in.Version, Have: have}
	}
	s, err := decodeState(in.Data, len(c.s.Seats))
	if err != nil {
		return Ready{}, err
	}
	if err := c.knows(cmp.Or(in.Runtime, s.Runtime, c.header.Runtime)); err != nil {
		return Ready{}, err
	}
	index, epoch := c.s.Index, c.s.Epoch
	if epoch > s.Epoch {
		s.Lineage = append(s.Lineage, record.Point{Epoch: s.Epoch, Seq: s.Index})
	}
	s.Index, s.Epoch = index, epoch
	if err := c.agreeOnUpgrade(in.Data, s); err != nil {
		return Ready{}, err
	}
	c.inst = c.rules.Instance()
	if err := c.tryUpgrade(s); err != nil {
		return Ready{}, err
	}
	s.Version, s.Runtime = c.spec.Version, cmp.Or(in.Runtime, s.Runtime)
	committed := c.committed
	c.panicked, c.pending, c.leaps = nil, nil, false
	c.enterState(s, in.At)
	if err := c.adopt(c.s); err != nil {
		return Ready{}, err
	}
	c.committed = committed
	c.enter(in)
	return c.settle(c.s.Final != nil)
}

// agreeOnUpgrade compares the present state with the one that an upgrade carries, if it was stepped by what recorded it. Now is
// that state behind the epoch that has come in between.
func (c *Core) agreeOnUpgrade(data []byte, now state) error {
	if c.replayed == nil || c.leaps || len(now.Sum) == 0 {
		return nil
	}
	s, err := decodeState(data, len(c.s.Seats))
	if err != nil {
		return err
	}
	s.Index, s.Epoch, s.Lineage, s.Now = now.Index, now.Epoch, now.Lineage, c.s.Now
	return c.sameState(s, nil, c.replayed)
}

func (c *Core) enterState(s state, now time.Duration) {
	s.Now = now
	c.s = s
}
