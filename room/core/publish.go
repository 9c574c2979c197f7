package core

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// publish tells viewers what an input has changed: at once, or at the next tick in a room that ticks.
func (c *Core) publish() {
	if c.panicked != nil {
		return
	}
	if c.Ticking() {
		c.guardView(c.updateClasses)
		return
	}
	c.publishTurns()
}

// publishTurns makes the turn of the present index for every class.
func (c *Core) publishTurns() {
	if c.panicked != nil {
		return
	}
	c.guardView(func() {
		c.updateClasses()
		for _, info := range c.s.Classes {
			c.publishTurn(c.classes.byID[info.ID])
		}
		if c.classes.spectator != nil {
			c.publishTurn(c.classes.spectator)
		}
	})
	c.s.Events, c.classes.publishedAt = nil, c.s.Index
}

// clean reports whether every change is published, so that a snapshot's views are those of the clients.
func (c *Core) clean() bool {
	return len(c.s.Events) == 0 && (c.s.TickAt == 0 || c.classes.publishedAt == c.s.Index)
}

// publishTurn makes a class's turn of the present index, if its view changed or it has events.
func (c *Core) publishTurn(cl *class) {
	patch, changed := c.updateView(cl)
	if !changed && !c.hasEventFor(cl) {
		return
	}
	t := &turn{seq: c.s.Index, events: c.s.Events}
	if changed {
		t.patch = [2][]byte{slices.Clone(patch[wire.JSON]), slices.Clone(patch[wire.CBOR])}
	}
	first := cl.last < c.s.epochStart()
	if first {
		t.epoch = c.s.Epoch
	}
	if every := room.Index(c.cfg.CheckEvery); first || cl.last/every != c.s.Index/every {
		t.check = new(cl.shadow.Checksum())
		c.last.Checks = append(c.last.Checks, ViewCheck{Class: cl.id, Sum: *t.check})
	}
	cl.last = c.s.Index
	cl.turns.add(t, c.cfg.ResumeTurns, c.cfg.ResumeBytes)
	c.queue(Turned{c.stamp(), cl.id, t.frame(""), c.privateFrames(cl, t)})
}

// hasEventFor reports whether a waiting event is for anybody in the class.
func (c *Core) hasEventFor(cl *class) bool {
	return slices.ContainsFunc(c.s.Events, func(e event) bool {
		if e.To == "" {
			return true
		}
		i := c.s.seatOf(e.To)
		return i >= 0 && c.s.Seats[i].Class == cl.id
	})
}

// privateFrames returns the frames of the members who get a private event.
func (c *Core) privateFrames(cl *class, t *turn) map[room.PlayerID]*Frame {
	var out map[room.PlayerID]*Frame
	for _, s := range c.s.Seats {
		if s.Player == "" || s.Class != cl.id || !t.hasPrivate(s.Player) {
			continue
		}
		if out == nil {
			out = map[room.PlayerID]*Frame{}
		}
		out[s.Player] = t.frame(s.Player)
	}
	return out
}
