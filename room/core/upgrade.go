package core

import (
	"cmp"
	"errors"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

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
	if err := c.replayLog(entriesOf(&kept), nil); err != nil {
		return nil, err
	}
	c.pending = &Input{Kind: KindUpgrade, At: max(kept.Time, s.Now), Version: cfg.Rules.Spec().Version, Data: snap.Data}
	if c.checkRuntime(cmp.Or(s.Runtime, c.header.Runtime)) != nil {
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

// Pending returns the input that a restored room needs before any other except KindEpoch: its upgrade, or the cut of a log
// that these rules play differently.
func (c *Core) Pending() (Input, bool) {
	if c.pending == nil {
		return Input{}, false
	}
	return *c.pending, true
}

// tryUpgrade makes the game from an older version's snapshot, or says why it cannot.
func (c *Core) tryUpgrade(s state) error {
	have := c.spec.Version
	g, ok := asInterface[room.Upgrader](c.inst)
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
	if err := catchPanic("Upgrade", func() error { return g.Upgrade(s.Version, s.Game) }); err != nil {
		return &VersionError{Game: c.header.Game, Need: s.Version, Have: have, Why: err.Error()}
	}
	return nil
}

// stepUpgrade moves the room to this program's version of its rules, or to another runtime. The input carries the state
// as the older one left it. If this core stepped the older part too, its state must be the same.
func (c *Core) stepUpgrade(in Input) (Ready, error) {
	if have := c.spec.Version; in.Version != have {
		return Ready{}, &VersionError{Game: c.header.Game, Need: in.Version, Have: have}
	}
	s, err := decodeState(in.Data, len(c.s.Seats))
	if err != nil {
		return Ready{}, err
	}
	if err := c.checkRuntime(cmp.Or(in.Runtime, s.Runtime, c.header.Runtime)); err != nil {
		return Ready{}, err
	}
	index, epoch := c.s.Index, c.s.Epoch
	if epoch > s.Epoch {
		s.Lineage = append(s.Lineage, record.Point{Epoch: s.Epoch, Seq: s.Index})
	}
	s.Index, s.Epoch = index, epoch
	if err := c.verifyUpgrade(in.Data, s); err != nil {
		return Ready{}, err
	}
	c.inst = c.rules.Instance()
	if err := c.tryUpgrade(s); err != nil {
		return Ready{}, err
	}
	s.Version, s.Runtime = c.spec.Version, cmp.Or(in.Runtime, s.Runtime)
	committed := c.committed
	c.panicked, c.pending, c.startsWithUpgrade = nil, nil, false
	s.Now = in.At
	if err := c.setState(s); err != nil {
		return Ready{}, err
	}
	c.committed = committed
	c.beginEntry(in)
	return c.finishInput(c.s.Final != nil)
}

// verifyUpgrade compares the present state with the one that an upgrade carries, if this core stepped what came before.
// Now is the carried state after the epoch that has come in between.
func (c *Core) verifyUpgrade(data []byte, now state) error {
	if c.replaying == nil || c.startsWithUpgrade || len(now.Sum) == 0 {
		return nil
	}
	s, err := decodeState(data, len(c.s.Seats))
	if err != nil {
		return err
	}
	s.Index, s.Epoch, s.Lineage, s.Now = now.Index, now.Epoch, now.Lineage, c.s.Now
	return c.verifyState(s, nil, c.replaying)
}
