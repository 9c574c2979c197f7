package core

import (
	"slices"

	"github.com/roomring/roomring/room"
)

// seating is who sat where, and from which input on, as far as a log tells without being run. A player without a seat has seat -1.
type seating struct {
	taken []room.PlayerID // by seat; empty: free
	spans map[room.PlayerID][]span
}

type span struct {
	from room.Index
	seat int
}

// add follows an entry, in order. Who joins gets the first free seat, and a log may begin with the seats in its state.
func (s *seating) add(e *Entry) {
	switch e.Kind {
	case KindJoin:
		at := slices.Index(s.taken, "")
		if at < 0 {
			at = len(s.taken)
			s.taken = append(s.taken, "")
		}
		s.sit(e.Index, e.Player, at)
	case KindLeave:
		if at := slices.Index(s.taken, e.Player); at >= 0 {
			s.taken[at] = ""
			s.spans[e.Player] = append(s.spans[e.Player], span{e.Index + 1, -1})
		}
	case KindCut, KindUpgrade:
		if state, err := decodeState(e.Data, 0); err == nil {
			s.taken = nil
			for at, seat := range state.Seats {
				if s.taken = append(s.taken, ""); seat.Player != "" {
					s.sit(e.Index, seat.Player, at)
				}
			}
		}
	}
}

func (s *seating) sit(from room.Index, p room.PlayerID, at int) {
	s.taken[at] = p
	if n := len(s.spans[p]); n > 0 && s.spans[p][n-1].seat == at {
		return
	}
	if s.spans == nil {
		s.spans = map[room.PlayerID][]span{}
	}
	s.spans[p] = append(s.spans[p], span{from, at})
}

// Seat returns the seat that a player had at an index, at which the player may just have come or gone; -1: none.
func (r *Recording) Seat(p room.PlayerID, i room.Index) int {
	seat := -1
	for _, s := range r.seats.spans[p] {
		if s.from <= i {
			seat = s.seat
		}
	}
	return seat
}
