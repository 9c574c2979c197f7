package core

import "github.com/roomring/roomring/room"

// Shown is what one entry of a replay showed to one viewer. Those who check what clients have seen compare it.
type Shown struct {
	Turn  *Frame // the turn of this entry; nil: it had nothing for this viewer
	State *Frame // the whole view that the viewer got instead because its class changed; nil: it did not
}

// Shown returns what the entry that Run has just stepped showed to a player, or to spectators if p is empty. It is false for
// who has no view now. Only a function that Run calls may call it.
func (c *Core) Shown(p room.PlayerID) (s Shown, ok bool) {
	cl := c.shownClass(p)
	if cl == nil || c.panicked != nil {
		return s, false
	}
	for _, o := range c.outputs {
		switch o := o.(type) {
		case Turned:
			if o.Class != cl.id {
				continue
			}
			s.Turn = o.Frame
			if private, has := o.Private[p]; has {
				s.Turn = private
			}
		case ClassChanged:
			if o.To.Player == p && p != "" {
				s.State = o.State
			}
		}
	}
	return s, true
}

// ViewCheck returns the checksum of the whole view that a player, or a spectator if p is empty, has been shown by now. It is false for who
// has no view.
func (c *Core) ViewCheck(p room.PlayerID) (sum uint32, ok bool) {
	cl := c.shownClass(p)
	if cl == nil || c.panicked != nil {
		return 0, false
	}
	return cl.shadow.Checksum(), true
}

// shownClass returns the class of a player with a seat, or that of spectators; nil if there is none.
func (c *Core) shownClass(p room.PlayerID) *class {
	if p == "" {
		if c.classes.spectator == nil && len(c.s.Classes) == 0 {
			return nil
		}
		return c.spectators()
	}
	if i := c.s.seatOf(p); i >= 0 {
		return c.classes.byID[c.s.Seats[i].Class]
	}
	return nil
}
