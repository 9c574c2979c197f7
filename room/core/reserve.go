package core

import (
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// runtimeReserves is the first runtime that notes in the log for whom seats are kept.
const runtimeReserves = 3

// Reservation is a seat that is kept for a player. Those in a room's state outlive its process. They bind the caller, who asks
// before it steps a KindJoin, and not the core.
type Reservation struct {
	Player room.PlayerID `cbor:"1,keyasint"`
	Until  time.Duration `cbor:"2,keyasint"` // room time
}

// Reservations returns the seats that are kept now for players who have none, oldest first.
func (c *Core) Reservations() []Reservation {
	return slices.DeleteFunc(slices.Clone(c.s.Reserved), func(k Reservation) bool { return k.Until <= c.s.Now })
}

// stepReserve keeps a seat for a player, or keeps it for longer. It is no entry for a player who has a seat, or in a room of an
// earlier runtime, whose log has no such inputs.
func (c *Core) stepReserve(in Input) (Ready, error) {
	switch {
	case c.s.Final != nil:
		return Ready{Refused: errOver}, nil
	case c.runtime() < runtimeReserves, c.s.seatOf(in.Player) >= 0:
		return Ready{}, nil
	}
	c.beginEntry(in)
	c.s.giveBack(in.Player)
	c.s.Reserved = slices.DeleteFunc(c.s.Reserved, func(k Reservation) bool { return k.Until <= c.s.Now })
	if len(c.s.Reserved) >= len(c.s.Seats) { // more than the caller can have kept
		c.s.Reserved = slices.Delete(c.s.Reserved, 0, 1)
	}
	c.s.Reserved = append(c.s.Reserved, Reservation{in.Player, later(c.s.Now, in.For)})
	return c.logEntry(false)
}

// giveBack ends a player's reservation.
func (s *state) giveBack(p room.PlayerID) {
	s.Reserved = slices.DeleteFunc(s.Reserved, func(k Reservation) bool { return k.Player == p })
}
