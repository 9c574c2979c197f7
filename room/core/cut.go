package core

import (
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// cutDue reports whether the log has reached its bound and can be cut here.
func (c *Core) cutDue() bool {
	return c.runtime() >= 2 && c.s.Final == nil && c.replaying == nil && c.log.size >= c.cutAt && c.clean()
}

// stepCut starts the log anew. The entry carries the whole state after it, so the entries before it may be dropped. A
// log that begins with a cut goes on from that state.
func (c *Core) stepCut(in Input) (Ready, error) {
	if c.startsWithCut {
		return c.loadCut(in)
	}
	if c.s.Final != nil || !c.clean() {
		return Ready{Refused: room.Refuse("not_now", "the log cannot be cut here")}, nil
	}
	before := c.s.Now
	in.Version, in.Runtime = c.s.Version, c.s.Runtime
	c.beginEntry(in)
	c.classes.publishedAt = c.s.Index
	if c.replaying != nil {
		if err := c.verifySnapshot(record.Snapshot{Data: in.Data}, c.replaying); err != nil {
			return Ready{}, err
		}
		return c.logEntry(false)
	}
	data, err := c.encodeState()
	if err != nil {
		c.cutAt += c.cutAt/8 + 1 // try again later, not at every input
		c.classes.publishedAt--
		return c.revertEntry(before, err)
	}
	c.last.Data, c.pending = data, nil
	c.cutAt = max(c.spec.LogBytes, 2*len(data))
	return c.logEntry(false)
}

// loadCut restores the state in the cut by which a log begins.
func (c *Core) loadCut(in Input) (Ready, error) {
	c.startsWithCut = false
	index := c.s.Index + 1
	if err := c.loadSnapshot(record.Snapshot{Data: in.Data}); err != nil {
		return Ready{}, err
	}
	if c.s.Index != index {
		return Ready{}, fmt.Errorf("the log begins at %d with a state of %d", index, c.s.Index)
	}
	in.At = max(in.At, c.s.Now)
	c.last = Entry{Index: c.s.Index, Epoch: c.s.Epoch, Input: in}
	return c.logEntry(c.s.Final != nil)
}

// BeginsLog reports whether entries from index on may be the beginning of a log: they start at index 1 or with a cut.
func BeginsLog(index room.Index, entries []byte) bool {
	if index <= 1 {
		return index == 1
	}
	for e, err := range DecodeEntries(entries) {
		return err == nil && e.Kind == KindCut && e.Index == index
	}
	return false
}

// startBeforeCut puts a new core before the cut by which its log begins.
func (c *Core) startBeforeCut(e *Entry) {
	c.s.Index, c.s.Epoch, c.s.Now = e.Index-1, e.Epoch, time.Duration(0)
	c.startsWithCut = true
}
