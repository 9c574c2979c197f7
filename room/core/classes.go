package core

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// spectatorClass is the class of spectators in a room whose players do not all see the same. Spectators come and go
// without an input, so this class always exists: then a view that cannot be shown to them ends the room at the same
// index in every replay.
const spectatorClass ClassID = 0

// classes is the derived part of the view classes. state.Classes is the part that the log determines.
type classes struct {
	byID        map[ClassID]*class
	spectator   *class // nil in a room with one view for all
	scratch     [2][]byte
	publishedAt room.Index // index of the last turns
}

// class holds one group's view as its members have it, and their last turns.
type class struct {
	id     ClassID
	viewer room.Viewer
	shadow *view.Shadow
	last   room.Index // index of its last turn, or of its creation
	turns  turnBuffer
	whole  *Frame // the present view, shared by all who ask for it at one index
}

// classKey returns the key of the class in which a viewer belongs.
func (c *Core) classKey(v room.Viewer) string {
	if c.spec.SharedView {
		return "all"
	}
	if g, ok := asInterface[room.Classifier](c.inst); ok {
		return "class " + g.ViewClass(v)
	}
	return "player " + string(v.Player)
}

// viewerOf returns the viewer for whom a seat's view is made.
func (c *Core) viewerOf(seat int) room.Viewer {
	if c.spec.SharedView {
		return room.Spectator
	}
	return room.Viewer{Player: c.s.Seats[seat].Player, Seat: seat}
}

// updateClasses puts every player into the class that the game now returns, creating and dropping classes. A player who
// changes class gets the class's whole view, then its turns, and can resume from this index on only.
func (c *Core) updateClasses() {
	switch shared := c.spec.SharedView; {
	case shared && c.s.NextClass == 0:
		c.ensureClass(c.classKey(room.Spectator), room.Spectator)
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
		cl := c.ensureClass(key, c.viewerOf(i))
		s.Class, s.InClass = cl.id, c.s.Index
		if wasIn != 0 && s.Online {
			c.queue(ClassChanged{c.stamp(), Recipient{Player: s.Player}, cl.id, c.stateFrame(cl, c.s.Index-1, nil)})
		}
	}
	c.dropEmptyClasses()
}

// classKeyOf returns the key of a class, or "".
func (s *state) classKeyOf(id ClassID) string {
	i := slices.IndexFunc(s.Classes, func(x classInfo) bool { return x.ID == id })
	if i < 0 {
		return ""
	}
	return s.Classes[i].Key
}

// ensureClass finds or creates a class.
func (c *Core) ensureClass(key string, v room.Viewer) *class {
	for _, info := range c.s.Classes {
		if info.Key == key {
			return c.classes.byID[info.ID]
		}
	}
	c.s.NextClass++
	c.s.Classes = append(c.s.Classes, classInfo{c.s.NextClass, key, c.s.Index})
	return c.makeClass(c.s.NextClass, v, c.s.Index)
}

// makeClass creates the derived part of a class with the game's present view.
func (c *Core) makeClass(id ClassID, v room.Viewer, last room.Index) *class {
	cl := &class{id: id, viewer: v, shadow: c.newShadow(), last: last}
	cl.turns.from = c.s.Index
	c.updateView(cl)
	if c.classes.byID == nil {
		c.classes.byID = map[ClassID]*class{}
	}
	c.classes.byID[id] = cl
	return cl
}

func (c *Core) makeSpectators() {
	c.classes.spectator = c.makeClass(spectatorClass, room.Spectator, c.s.Index)
	delete(c.classes.byID, spectatorClass) // it is no class of players
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

// updateView brings a class's view up to date and returns the patch by encoding, which is valid until the next update.
// If the view cannot be shown it panics, which aborts the room with the field named.
func (c *Core) updateView(cl *class) (patch [2][]byte, changed bool) {
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

// spectators returns the class of spectators.
func (c *Core) spectators() *class {
	if c.classes.spectator != nil {
		return c.classes.spectator
	}
	return c.classes.byID[c.s.Classes[0].ID]
}
