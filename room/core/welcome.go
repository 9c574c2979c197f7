package core

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Watch lets a spectator in. It is no input, so it takes no index. The Welcome leaves with the commit of the present
// index.
func (c *Core) Watch(w WatcherID, resume *record.Point) {
	c.watchers[w] = struct{}{}
	if c.panicked != nil {
		c.queue(Welcome{Stamp: c.stamp(), To: Recipient{Watcher: w}, Seat: -1, Point: c.Point(), Frames: c.withOver(nil)})
		return
	}
	cl := c.spectators()
	frames, recovered := c.missedFrames(cl, "", 0, resume)
	c.queue(Welcome{
		Stamp: c.stamp(), To: Recipient{Watcher: w}, Seat: -1, Point: c.Point(),
		Recovered: recovered, Class: cl.id, Frames: c.withOver(frames),
	})
}

// Unwatch removes a spectator.
func (c *Core) Unwatch(w WatcherID) { delete(c.watchers, w) }

// Spectators counts the spectators.
func (c *Core) Spectators() int { return len(c.watchers) }

// Resync queues the whole view for one viewer. Lost returns how many events the viewer was never sent. It is called
// when the frame is encoded, because turns that are still waiting for commit may be lost too.
func (c *Core) Resync(to Recipient, lost func() uint64) {
	if c.panicked != nil {
		return
	}
	cl := c.spectators()
	if to.Player != "" {
		i := c.s.seatOf(to.Player)
		if i < 0 {
			return
		}
		cl = c.classes.byID[c.s.Seats[i].Class]
	}
	c.queue(Resynced{c.stamp(), to, c.stateFrame(cl, c.s.Index, lost)})
}

// welcome queues the answer to an attach.
func (c *Core) welcome(seat int, in Input) {
	s := &c.s.Seats[seat]
	w := Welcome{
		Stamp: c.stamp(), To: Recipient{Player: s.Player}, Client: in.Client, Attempt: in.Attempt,
		Seat: seat, Point: c.Point(), CSeq: c.s.clientOf(s.Player, in.Client).CSeq, Class: s.Class,
	}
	if cl := c.classes.byID[s.Class]; cl != nil && c.panicked == nil {
		w.Frames, w.Recovered = c.missedFrames(cl, s.Player, s.InClass, in.Resume)
	}
	if c.s.Final != nil && c.s.Final.Point.Seq < c.s.Index { // Ended follows if this input ends the room
		w.Frames = append(w.Frames, c.overFrame())
	}
	c.queue(w)
}

// missedFrames returns the turns since resume if all of them are kept, else the whole view and false.
func (c *Core) missedFrames(cl *class, p room.PlayerID, since room.Index, resume *record.Point) ([]*Frame, bool) {
	if resume == nil || !c.s.contains(*resume) || resume.Seq < since || resume.Seq < cl.turns.from {
		return []*Frame{c.stateFrame(cl, c.s.Index, nil)}, false
	}
	return cl.turns.after(resume.Seq, p), true
}

// withOver adds the end to the frames that welcome a spectator of a finished room. Watch is no input, so it always
// comes after Ended.
func (c *Core) withOver(frames []*Frame) []*Frame {
	if c.s.Final == nil {
		return frames
	}
	return append(frames, c.overFrame())
}
