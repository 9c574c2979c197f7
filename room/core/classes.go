package core

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// spectatorClass is the class of those who watch a room whose players do not all see the same. Spectators
// come and go without an input, so it is kept up whether anybody watches or not: a view that cannot be shown
// to them ends the room at the same index in every replay.
const spectatorClass ClassID = 0

// classes are the derived half of the view classes; the log's half is in state.Classes.
type classes struct {
	byID        map[ClassID]*class
	spectator   *class // nil in a room with one view for all
	scratch     [2][]byte
	publishedAt room.Index
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
	if g, ok := asInterface[room.Classifier](c.inst); ok {
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

// reclass puts every player into the class that the game now says, and makes and drops classes. Who
// moves hears the whole view as the class has it, then its turns, and can resume from here on only.
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

func (s *state) classKeyOf(id ClassID) string {
	i := slices.IndexFunc(s.Classes, func(x classInfo) bool { return x.ID == id })
	if i < 0 {
		return ""
	}
	return s.Classes[i].Key
}

// enterClass finds or makes a class.
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

// spectators is the class of those who watch.
func (c *Core) spectators() *class {
	if c.classes.spectator != nil {
		return c.classes.spectator
	}
	return c.classes.byID[c.s.Classes[0].ID]
}
