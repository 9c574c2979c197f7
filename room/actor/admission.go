package actor

import (
	"net/netip"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// admission knows a room's free seats and for whom they are kept. The room's goroutine updates the seats
// and asks before a join; matchmaking reserves seats from other goroutines. That seats are kept is in the log too, so
// that it outlives the process. Methods are told the clock's time, and count in room time.
type admission struct {
	unclaimed *unclaimed // the whole node's

	mu       sync.Mutex // held for moments only
	time     sharedTime
	free     int
	seated   map[room.PlayerID]bool // and whether the player is connected
	present  bool                   // one of them is
	deserted bool                   // matchmaking sends nobody here, see update
	reserved map[room.PlayerID]*keptSeat
}

// update sets the present seats. It ends the reservations of players who have a seat.
//
// Nobody is matched with players who are away. Matchmaking sends no player to a room that still waits to begin and has a
// seat whose player is not connected, because that game could begin against nobody, nor to a room whose players are all away.
// A seat that matchmaking keeps for a player who has not come yet is different: it is empty and begins no game.
func (a *admission) update(free int, phase core.Phase, seats []core.SeatInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = free
	a.seated = make(map[room.PlayerID]bool, len(seats))
	away := 0
	for _, s := range seats {
		a.seated[s.Player] = s.Online
		a.giveBack(s.Player)
		if !s.Online {
			away++
		}
	}
	a.present = away < len(seats)
	a.deserted = away > 0 && (phase == core.PhaseWaiting || away == len(seats))
}

// match is reserve for matchmaking. In a deserted room only a player who has a seat or a reservation gets it again.
// ErrNotFound: there is no seat. ErrUnclaimed: too many seats are kept for the address.
func (a *admission) match(p room.PlayerID, from netip.Addr, now, term time.Duration) error {
	f := a.fill(p, from, now)
	switch {
	case !f.ok:
		return ErrNotFound
	case !f.kept && a.unclaimed.full(from, now):
		return ErrUnclaimed
	case !a.reserve(p, from, now, term):
		return ErrNotFound
	}
	return nil
}

// reserve keeps a seat for the player for a while, or renews the reservation. False: no seat is free. A player who has a
// seat needs no reservation.
func (a *admission) reserve(p room.PlayerID, from netip.Addr, now, term time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, sits := a.seated[p]; sits {
		return true
	}
	if a.left(p, now) <= 0 {
		return false
	}
	k := a.reserved[p]
	if k == nil {
		k = &keptSeat{from: from}
		if a.reserved == nil {
			a.reserved = map[room.PlayerID]*keptSeat{}
		}
		a.reserved[p] = k
		defer a.unclaimed.keep(k, now)
	}
	k.ends = a.time.at(now) + term
	k.until.Store(int64(now + term))
	return true
}

// setTime says how room time follows the clock from now on.
func (a *admission) setTime(t sharedTime) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.time = t
}

// giveBack ends the player's reservation.
func (a *admission) giveBack(p room.PlayerID) {
	if k := a.reserved[p]; k != nil {
		k.until.Store(0)
		delete(a.reserved, p)
	}
}

// left counts the seats that p may have: the free ones less those kept for others.
func (a *admission) left(p room.PlayerID, now time.Duration) int {
	at := a.time.at(now)
	for q, k := range a.reserved {
		if k.ends <= at {
			a.giveBack(q)
		}
	}
	n := a.free - len(a.reserved)
	if _, own := a.reserved[p]; own {
		n++
	}
	return n
}

// open reports whether a seat is neither occupied nor kept for somebody.
func (a *admission) open(now time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left("", now) > 0
}

// cancel ends the player's reservation.
func (a *admission) cancel(p room.PlayerID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.giveBack(p)
}

// invited reports whether a seat is kept for the player.
func (a *admission) invited(p room.PlayerID, now time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.reserved[p]
	return k != nil && k.ends > a.time.at(now)
}

// filled is what matchmaking needs to know of a room for one player.
type filled struct {
	occupied int  // seats that somebody has, or that are kept for somebody
	present  bool // somebody is connected
	ok       bool // the player could have a seat
	kept     bool // one is kept for the player, who was matched or has been cut off
}

// fill tells matchmaking how a room suits a player who asks from an address.
func (a *admission) fill(p room.PlayerID, from netip.Addr, now time.Duration) filled {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.left(p, now) // reservations that have run out are gone from here on
	_, kept := a.reserved[p]
	online, sits := a.seated[p]
	kept = kept || sits && !online
	return filled{
		occupied: len(a.seated) + len(a.reserved), present: a.present, kept: kept,
		ok: sits || left > 0 && (kept || !a.deserted && !a.apart(from, now)),
	}
}

// apart reports whether a player of an address is kept out of the room, see unclaimed.several: because several players of that
// address have not come yet, or because everybody else in the room is such a player of another address.
func (a *admission) apart(from netip.Addr, now time.Duration) bool {
	same := 0
	strangers := 0 // of other addresses, likely never to come
	for _, k := range a.reserved {
		switch {
		case k.from == from:
			same++
		case a.unclaimed.several(k.from, now):
			strangers++
		}
	}
	others := len(a.seated) + len(a.reserved) - same
	return others > 0 && (a.unclaimed.several(from, now) || others == strangers)
}
