package core

import (
	"cmp"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// SeatInfo is what anybody may know about a taken seat.
type SeatInfo struct {
	Seat   int           `json:"seat"`
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Online bool          `json:"online"`
}

// Seats returns the taken seats, in order.
func (c *Core) Seats() []SeatInfo {
	var out []SeatInfo
	for i, s := range c.s.Seats {
		if s.Player != "" {
			out = append(out, SeatInfo{i, s.Player, s.Name, s.Online})
		}
	}
	return out
}

// MaxPlayers returns how many seats the room has: what Turn.Seats gave it, else Spec.MaxPlayers.
func (c *Core) MaxPlayers() int { return cmp.Or(c.s.Limit, c.spec.MaxPlayers) }

// FreeSeats counts the seats that new players could take now. A room that is locked or over has none.
func (c *Core) FreeSeats() int {
	if c.s.Locked || c.s.Final != nil {
		return 0
	}
	free := c.MaxPlayers()
	for _, s := range c.s.Seats {
		if s.Player != "" {
			free--
		}
	}
	return max(free, 0)
}

// Holder returns the client that holds a player's seat: the last one that attached. Ok is false if the player has no
// seat.
func (c *Core) Holder(p room.PlayerID) (client record.ClientID, ok bool) {
	i := c.s.seatOf(p)
	if i < 0 {
		return "", false
	}
	return c.s.Seats[i].Client, true
}

// ClientInfo is what the operator may know about one client of a player.
type ClientInfo struct {
	Player  room.PlayerID
	Client  record.ClientID
	Attempt uint64
	CSeq    record.CSeq
}

// Clients returns the clients whose answers the room remembers.
func (c *Core) Clients() []ClientInfo {
	out := make([]ClientInfo, 0, len(c.s.Clients))
	for _, r := range c.s.Clients {
		out = append(out, ClientInfo{r.Player, r.Client, r.Attempt, r.CSeq})
	}
	return out
}

func (c *Core) players() []room.Player {
	var out []room.Player
	for i, s := range c.s.Seats {
		if s.Player != "" {
			out = append(out, room.Player{ID: s.Player, Name: s.Name, Seat: i})
		}
	}
	return out
}

func (c *Core) online(p room.PlayerID) bool {
	i := c.s.seatOf(p)
	return i >= 0 && c.s.Seats[i].Online
}

func (c *Core) mayJoin(p room.PlayerID) *room.Refusal {
	switch {
	case c.s.Final != nil:
		return errOver
	case slices.Contains(c.s.Banned, p):
		return errBanned
	case c.s.Locked:
		return errLocked
	case c.FreeSeats() == 0:
		return errFull
	}
	return nil
}
