package core

import (
	"errors"
	"fmt"
	"iter"

	"github.com/roomring/roomring/room/record"
)

// replayLog steps the logged inputs after the present index again, and compares the state with the snapshots that it
// passes.
func (c *Core) replayLog(entries iter.Seq2[Entry, error], passed []record.Snapshot) error {
	for e, err := range entries {
		if err != nil {
			return err
		}
		stepped := e.Index > c.s.Index
		if err := c.replayEntry(e); err != nil {
			return err
		}
		c.outputs = c.outputs[:0]
		for _, snap := range passed {
			if stepped && snap.Index == e.Index {
				if err := c.verifySnapshot(snap, &e); err != nil {
					return err
				}
			}
		}
	}
	c.outputs = nil
	c.committed = c.s.Index
	return nil
}

// replayEntry steps one logged input. If a snapshot covers it, it is only kept in the log.
func (c *Core) replayEntry(e Entry) error {
	if e.Index <= c.s.Index {
		if c.s.Final == nil || e.Index <= c.s.Final.Point.Seq {
			c.log.append(e, false)
		}
		return nil
	}
	if e.Index != c.s.Index+1 {
		return fmt.Errorf("log of room %s: entry %d follows %d", c.header.ID, e.Index, c.s.Index)
	}
	c.replaying = &e
	ready, err := c.Step(e.Input)
	c.replaying = nil
	if wrong, ok := errors.AsType[*VersionError](err); ok {
		return wrong
	}
	if wrong, ok := errors.AsType[*DivergedError](err); ok {
		return wrong
	}
	return c.verifyEntry(&e, ready, err)
}

// Run steps the entries of a replay and calls each after every one. The error is each's own, one of reading the log, a
// *VersionError, or a *DivergedError where an entry comes to something else than the log says. Compare Final with the
// recorded one too. A room that changed version is run from that input on. The log is read twice.
func Run(cfg Config, log Log, each func(c *Core, e Entry) error) (*Core, error) {
	c := newCore(cfg)
	if err := c.seekStart(log()); err != nil {
		return c, err
	}
	for e, err := range log() {
		if err != nil {
			return c, err
		}
		if err := c.replayEntry(e); err != nil {
			return c, err
		}
		c.committed = c.s.Index
		if each != nil {
			if err := each(c, e); err != nil {
				return c, err
			}
		}
		c.outputs = c.outputs[:0]
	}
	return c, nil
}
