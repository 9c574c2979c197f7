package core

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// spectatorClass is the class of those who watch a room whose players do not all see the same. Spectators
// come and go without an input, so it is kept up whether anybody watches or not: a view that cannot be shown
// to them ends the room at the same index in every replay.
const spectatorClass ClassID = 0

// classes are the derived half of the view classes; the log's half is in state.Classes.
type classes struct {
	byID      map[ClassID]*class
	spectator *class // nil in a room with one view for all
	scratch   [2][]byte
	saidAt    room.Index
}

// class holds one group's view as its members have it, and their last turns.
type class struct {
	id     ClassID
	viewer room.Viewer
	shadow *view.Shadow
	last   room.Index // of its last turn, or of its making
	turns  turnBuffer
	whole  *Frame // the view as it is, while many ask for it at one index
}

// classKey tells which class a player belongs in.
func (c *Core) classKey(v room.Viewer) string {
	if c.spec.SharedView {
		return "all"
	}
	if g, ok := optional[room.Classifier](c.inst); ok {
		return "class " + g.ViewClass(v)
	}
	return "player " + string(v.Player)
}

func (c *Core) viewerOf(seat int) room.Viewer {
	if c.spec.SharedView {
		return room.Spectator
	}
	return room.Viewer{Player: c.s.Seats[seat].Player, Seat: seat}
}

// speak lets the viewers know what an input has changed: at once, or in a room that ticks with the next tick.
func (c *Core) speak() {
	if c.panicked != nil {
		return
	}
	if c.Ticking() {
		c.guard("View", c.reclass)
		return
	}
	c.say()
}

// say makes the turn of the present index for every class.
func (c *Core) say() {
	if c.panicked != nil {
		return
	}
	c.guard("View", func() {
		c.reclass()
		for _, info := range c.s.Classes {
			c.sayTo(c.classes.byID[info.ID])
		}
		if c.classes.spectator != nil {
			c.sayTo(c.classes.spectator)
		}
	})
	c.s.Events, c.classes.saidAt = nil, c.s.Index
}

// clean reports whether everything that happened has been said, so that a snapshot's views are the clients'.
func (c *Core) clean() bool {
	return len(c.s.Events) == 0 && (c.s.TickAt == 0 || c.classes.saidAt == c.s.Index)
}

// guard runs code that calls the game's view methods, which may panic.
func (c *Core) guard(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			c.abort(newPanic(what, v))
		}
	}()
	f()
}

// reclass puts every player into the class that the game now says, and makes and drops classes. Who
// moves hears the whole view as the class has it, then its turns, and can resume from here on only.
func (c *Core) reclass() {
	switch shared := c.spec.SharedView; {
	case shared && c.s.NextClass == 0:
		c.enterClass(c.classKey(room.Spectator), room.Spectator)
	case !shared && c.classes.spectator == nil:
		c.makeSpectators()
	}
	for i := range c.s.Seats {
		s := &c.s.Seats[i]
		if s.Player == "" {
			continue
		}
		key := c.classKey(c.viewerOf(i))
		if s.Class != 0 && c.s.classKeyOf(s.Class) == key {
			continue
		}
		wasIn := s.Class
		cl := c.enterClass(key, c.viewerOf(i))
		s.Class, s.InClass = cl.id, c.s.Index
		if wasIn != 0 && s.Online {
			c.put(ClassChanged{c.stamp(), Recipient{Player: s.Player}, cl.id, c.stateFrame(cl, c.s.Index-1, nil)})
		}
	}
	c.dropEmptyClasses()
}

func (s *state) classKeyOf(id ClassID) string {
	i := slices.IndexFunc(s.Classes, func(x classInfo) bool { return x.ID == id })
	if i < 0 {
		return ""
	}
	return s.Classes[i].Key
}

// enterClass finds or makes a class.
func (c *Core) enterClass(key string, v room.Viewer) *class {
	for _, info := range c.s.Classes {
		if info.Key == key {
			return c.classes.byID[info.ID]
		}
	}
	c.s.NextClass++
	c.s.Classes = append(c.s.Classes, classInfo{c.s.NextClass, key, c.s.Index})
	return c.makeClass(c.s.NextClass, v, c.s.Index)
}

func (c *Core) makeClass(id ClassID, v room.Viewer, last room.Index) *class {
	cl := &class{id: id, viewer: v, shadow: c.newShadow(), last: last}
	cl.turns.from = c.s.Index
	c.update(cl)
	if c.classes.byID == nil {
		c.classes.byID = map[ClassID]*class{}
	}
	c.classes.byID[id] = cl
	return cl
}

func (c *Core) makeSpectators() {
	c.classes.spectator = c.makeClass(spectatorClass, room.Spectator, c.s.Index)
	delete(c.classes.byID, spectatorClass) // it is nobody's among the players
}

func (c *Core) dropEmptyClasses() {
	if c.spec.SharedView {
		return
	}
	c.s.Classes = slices.DeleteFunc(c.s.Classes, func(info classInfo) bool {
		at := slices.IndexFunc(c.s.Seats, func(s seat) bool { return s.Player != "" && s.Class == info.ID })
		if at < 0 {
			delete(c.classes.byID, info.ID)
			return true
		}
		c.classes.byID[info.ID].viewer = c.viewerOf(at)
		return false
	})
}

// update brings a class's view up to the game and returns the patch by encoding; it is valid until the
// next update. A view that cannot be shown panics, and so aborts the room with the field named.
func (c *Core) update(cl *class) (patch [2][]byte, changed bool) {
	sc := &c.classes.scratch
	var err error
	sc[wire.JSON], sc[wire.CBOR], changed, err = cl.shadow.Update(c.inst.View(cl.viewer), sc[wire.JSON][:0], sc[wire.CBOR][:0])
	if err != nil {
		panic(err)
	}
	if changed {
		cl.whole = nil
	}
	return *sc, changed
}

// sayTo makes a class's turn of the present index, if there is anything to say.
func (c *Core) sayTo(cl *class) {
	patch, changed := c.update(cl)
	if !changed && !c.heard(cl) {
		return
	}
	t := &turn{seq: c.s.Index, events: c.s.Events}
	if changed {
		t.patch = [2][]byte{slices.Clone(patch[wire.JSON]), slices.Clone(patch[wire.CBOR])}
	}
	if every := room.Index(c.cfg.CheckEvery); cl.last/every != c.s.Index/every || cl.last < c.s.opened() {
		t.check = new(cl.shadow.Checksum())
		c.last.Checks = append(c.last.Checks, ViewCheck{Class: cl.id, Sum: *t.check})
	}
	cl.last = c.s.Index
	cl.turns.add(t, c.cfg.ResumeTurns, c.cfg.ResumeBytes)
	c.put(Turned{c.stamp(), cl.id, t.frame(""), c.privates(cl, t)})
}

// heard reports whether a waiting event is for anybody in the class.
func (c *Core) heard(cl *class) bool {
	return slices.ContainsFunc(c.s.Events, func(e event) bool {
		if e.To == "" {
			return true
		}
		i := c.s.seatOf(e.To)
		return i >= 0 && c.s.Seats[i].Class == cl.id
	})
}

// privates are the frames of the members to whom something is said in private.
func (c *Core) privates(cl *class, t *turn) map[room.PlayerID]*Frame {
	var out map[room.PlayerID]*Frame
	for _, s := range c.s.Seats {
		if s.Player == "" || s.Class != cl.id || !t.tells(s.Player) {
			continue
		}
		if out == nil {
			out = map[room.PlayerID]*Frame{}
		}
		out[s.Player] = t.frame(s.Player)
	}
	return out
}

// spectators is the class of those who watch.
func (c *Core) spectators() *class {
	if c.classes.spectator != nil {
		return c.classes.spectator
	}
	return c.classes.byID[c.s.Classes[0].ID]
}

// Watch lets a spectator in: not an input, so it takes no index. The Welcome leaves with the commit of the present one.
func (c *Core) Watch(w WatcherID, resume *record.Point) {
	c.watchers[w] = struct{}{}
	if c.panicked != nil {
		c.put(Welcome{Stamp: c.stamp(), To: Recipient{Watcher: w}, Seat: -1, Point: c.Point(), Frames: c.overToo(nil)})
		return
	}
	cl := c.spectators()
	frames, recovered := c.catchUpFrames(cl, "", 0, resume)
	c.put(Welcome{
		Stamp: c.stamp(), To: Recipient{Watcher: w}, Seat: -1, Point: c.Point(),
		Recovered: recovered, Class: cl.id, Frames: c.overToo(frames),
	})
}

// Unwatch lets a spectator go.
func (c *Core) Unwatch(w WatcherID) { delete(c.watchers, w) }

// Spectators counts those who watch.
func (c *Core) Spectators() int { return len(c.watchers) }

// Resync queues the whole view for one viewer. Lost tells how many events the viewer was never sent; it is
// asked when the frame is encoded, because turns that wait for commit before it may be lost too.
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
	c.put(Resynced{c.stamp(), to, c.stateFrame(cl, c.s.Index, lost)})
}

func (c *Core) welcome(seat int, in Input) {
	s := &c.s.Seats[seat]
	w := Welcome{
		Stamp: c.stamp(), To: Recipient{Player: s.Player}, Client: in.Client, Attempt: in.Attempt,
		Seat: seat, Point: c.Point(), CSeq: c.s.clientOf(s.Player, in.Client).CSeq, Class: s.Class,
	}
	if cl := c.classes.byID[s.Class]; cl != nil && c.panicked == nil {
		w.Frames, w.Recovered = c.catchUpFrames(cl, s.Player, s.InClass, in.Resume)
	}
	w.Frames = c.overFrames(w.Frames)
	c.put(w)
}

// catchUpFrames are the turns since resume when every one of them is there, else the whole view.
func (c *Core) catchUpFrames(cl *class, p room.PlayerID, since room.Index, resume *record.Point) ([]*Frame, bool) {
	if resume == nil || !c.s.knows(*resume) || resume.Seq < since || resume.Seq < cl.turns.from {
		return []*Frame{c.stateFrame(cl, c.s.Index, nil)}, false
	}
	return cl.turns.after(resume.Seq, p), true
}

// overToo adds the end to what a spectator of a finished room is welcomed with: unlike a player's attach,
// a spectator's coming is no input, so it always comes after Ended.
func (c *Core) overToo(frames []*Frame) []*Frame {
	if c.s.Final == nil {
		return frames
	}
	return append(frames, c.overFrame())
}

func (c *Core) overFrames(frames []*Frame) []*Frame {
	if c.s.Final != nil && c.s.Final.Point.Seq < c.s.Index {
		return append(frames, c.overFrame())
	}
	return frames
}
