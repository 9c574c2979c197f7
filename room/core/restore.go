package core

import (
	"cmp"
	"errors"
	"fmt"
	"iter"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Restore brings a room back from its journal. It goes on from the older of two snapshots, so that clients can resume;
// if that cannot be read, from the newer one, and then from the first input. What it restores counts as committed. The
// caller then steps KindEpoch at Kept.Time, and a KindDetach for each seat that is online.
//
// A *VersionError means that this program lacks the version that recorded the log, and that the log does not end in a
// snapshot that its own version could take over. A *DivergedError means that this program has other rules under the
// same version: they come to something else than what was acknowledged. In both cases nothing is wrong with what is
// kept.
func Restore(cfg Config, kept record.Kept) (*Core, error) {
	if err := checkRuntimes(&kept); err != nil {
		return nil, err
	}
	cfg.Header = kept.Header
	if cfg.KeepState {
		return restoreState(cfg, kept)
	}
	return restore(cfg, kept)
}

func restore(cfg Config, kept record.Kept) (*Core, error) {
	c, err := restoreTail(cfg, kept)
	if wrong, ok := errors.AsType[*VersionError](err); ok && wrong.upgradable() {
		return upgrade(cfg, kept, wrong)
	}
	return c, err
}

// restoreState is Restore with Config.KeepState.
func restoreState(cfg Config, kept record.Kept) (*Core, error) {
	c := newCore(cfg)
	err := c.seekStart(entriesOf(&kept))
	if err == nil {
		err = c.replayLog(entriesOf(&kept), kept.Snapshots)
	}
	differs, ok := errors.AsType[*DivergedError](err)
	if !ok || len(kept.Snapshots) == 0 {
		return restore(cfg, kept)
	}
	c = newCore(cfg)
	if c.loadSnapshot(kept.Snapshots[len(kept.Snapshots)-1]) != nil || c.replayLog(entriesOf(&kept), nil) != nil {
		return nil, differs
	}
	c.pending = &Input{Kind: KindCut, At: max(kept.Time, c.s.Now)}
	return c, nil
}

// restoreTail goes on from the first start that works. The entries between the start and the end fill the buffers from
// which clients resume, so it starts a while before the end: at the older of two snapshots or, with one snapshot, at
// the first input, which is then near. It tries another start only if a snapshot cannot be read: rules that diverge are
// wrong from every start.
func restoreTail(cfg Config, kept record.Kept) (*Core, error) {
	starts := []func(c *Core) error{func(c *Core) error { return c.seekStart(entriesOf(&kept)) }}
	for _, snap := range kept.Snapshots {
		starts = append(starts, func(c *Core) error { return c.loadSnapshot(snap) })
	}
	if len(kept.Snapshots) > 1 {
		starts = append(starts[1:], starts[0]) // the whole log only when neither serves
	}
	var errs []error
	for _, start := range starts {
		c := newCore(cfg)
		err := start(c)
		if err == nil {
			err = c.replayLog(entriesOf(&kept), kept.Snapshots)
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

// entriesOf goes through the whole log.
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

// seekStart puts a new core where the log can be stepped from: its start, or the input by which the room came to the
// present version of the rules or to a runtime that this program has.
func (c *Core) seekStart(entries iter.Seq2[Entry, error]) error {
	version, runtime, first := c.header.Version, c.header.Runtime, true
	for e, err := range entries {
		if err != nil {
			return err
		}
		if first && e.Index > 1 && e.Kind == KindCut {
			c.startBeforeCut(&e)
			version, runtime = e.Version, cmp.Or(e.Runtime, runtime)
		}
		first = false
		if e.Kind != KindUpgrade {
			continue
		}
		if version != e.Version || c.checkRuntime(runtime) != nil {
			c.startsWithCut, c.startsWithUpgrade = false, true
			c.s.Index, c.s.Epoch, c.s.Now = e.Index-1, e.Epoch, e.At
		}
		version, runtime = e.Version, cmp.Or(e.Runtime, runtime)
	}
	if have := c.spec.Version; version != have {
		return &VersionError{Game: c.header.Game, Need: version, Have: have}
	}
	return c.checkRuntime(runtime)
}

// loadSnapshot replaces the whole state by a snapshot of the present version.
func (c *Core) loadSnapshot(snap record.Snapshot) error {
	s, err := decodeState(snap.Data, len(c.s.Seats))
	if err != nil {
		return err
	}
	if have := c.spec.Version; s.Version != have {
		return &VersionError{Game: c.header.Game, Need: s.Version, Have: have}
	}
	if err := c.checkRuntime(cmp.Or(s.Runtime, c.header.Runtime)); err != nil {
		return err
	}
	if !s.failed() {
		if err := restoreGame(c.inst, s.Game); err != nil {
			return fmt.Errorf("snapshot of game %s: %w", c.header.Game, err)
		}
	}
	return c.setState(s)
}

// setState takes over a decoded state whose game is restored, and makes the views anew.
func (c *Core) setState(s state) error {
	if s.failed() {
		c.panicked = &Panic{Value: "the game had failed before this room was brought back"}
	}
	s.Game = nil
	c.s = s
	c.committed = s.Index
	c.classes = classes{publishedAt: s.Index}
	if c.panicked != nil {
		return nil
	}
	return catchPanic("View", c.makeViews)
}

func (c *Core) makeViews() error {
	for _, info := range c.s.Classes {
		c.makeClass(info.ID, room.Spectator, info.Last)
		for seat, at := range c.s.Seats {
			if at.Class == info.ID {
				c.classes.byID[info.ID].viewer = c.viewerOf(seat)
			}
		}
		cl := c.classes.byID[info.ID]
		cl.shadow = c.newShadow() // the view may differ by viewer
		c.updateView(cl)
	}
	if !c.spec.SharedView {
		c.makeSpectators()
	}
	return nil
}
