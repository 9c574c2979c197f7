package core

import (
	"slices"

	"github.com/roomring/roomring/room"
)

// roster lists the players whom a log names: those who ever had a seat, or had one kept for them, or, since a cut, those in its state. It only
// grows, so a part of it may be read meanwhile.
type roster struct {
	all  []room.PlayerID
	seen map[room.PlayerID]struct{} // of a roster that is too long to be looked through
}

// shortRoster is how many players are looked through one by one.
const shortRoster = 32

func (r *roster) add(p room.PlayerID) {
	if _, seen := r.seen[p]; p == "" || seen || r.seen == nil && slices.Contains(r.all, p) {
		return
	}
	r.all = append(r.all, p)
	switch {
	case r.seen != nil:
		r.seen[p] = struct{}{}
	case len(r.all) > shortRoster:
		r.seen = make(map[room.PlayerID]struct{}, 2*len(r.all))
		for _, p := range r.all {
			r.seen[p] = struct{}{}
		}
	}
}

func (r *roster) addEntry(e *Entry) {
	if e.Kind == KindJoin || e.Kind == KindReserve {
		r.add(e.Player)
		return
	}
	s, ok := e.state()
	if !ok {
		return
	}
	if e.Kind == KindCut {
		*r = roster{} // the log begins anew with it
	}
	for _, at := range s.Seats {
		r.add(at.Player)
	}
	for _, c := range s.Clients {
		r.add(c.Player)
	}
	for _, p := range slices.Concat(s.Banned, s.Agreed) {
		r.add(p)
	}
	for _, a := range s.Acted {
		r.add(a.Player)
	}
	for _, k := range s.Reserved {
		r.add(k.Player)
	}
}

// state returns the state of the room that an entry carries. False means that it carries none or that this program
// cannot read it.
func (e *Entry) state() (state, bool) {
	if e.Kind != KindCut && e.Kind != KindUpgrade {
		return state{}, false
	}
	s, err := decodeState(e.Data, 0)
	return s, err == nil
}

// Named are the players whom the room's log names: those who have a seat, those who have given theirs up, and those for
// whom one was kept. Nobody changes it.
func (c *Core) Named() []room.PlayerID { return slices.Clip(c.log.named.all) }

// Named are the players whom a replay's log names. Entries cannot be read afterwards. The error is that of Entries; those found
// before it are there.
func (r *ReplayReader) Named() ([]room.PlayerID, error) {
	var n roster
	for e, err := range r.Entries() {
		if err != nil {
			return n.all, err
		}
		n.addEntry(&e)
	}
	return n.all, nil
}
