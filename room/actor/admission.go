package actor

import (
	"net/netip"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// admission is a room's free seats and who they are kept for. The room's goroutine keeps the seats
// current and asks before a join; matchmaking reserves from outside. It is the one lock between them.
type admission struct {
	unclaimed *unclaimed // the whole node's

	mu       sync.Mutex
	free     int
	seated   map[room.PlayerID]bool // and whether the player is connected
	present  bool                   // one of them is
	ghostly  bool                   // see update
	reserved map[room.PlayerID]*keptSeat
}

// update tells the present seats. A seated player's reservation has served its purpose.
//
// Who is away is nobody's match: matchmaking fills no room that still waits with a seat whose player is not connected, for
// one more could begin a game against nobody, and none whose players are all away. Who was given a seat by
// matchmaking and has not come yet is another thing: such a seat is empty and begins no game.
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
	a.ghostly = away > 0 && (phase == core.PhaseWaiting || away == len(seats))
}

// match is reserve for matchmaking, which gives nobody a seat beside players who are away: only who has one there already,
// or has one kept, gets it again. ErrNotFound: there is no seat; ErrUnclaimed: too many are kept for the address.
func (a *admission) match(p room.PlayerID, from netip.Addr, now, until time.Duration) error {
	f := a.fill(p, from, now)
	switch {
	case !f.ok:
		return ErrNotFound
	case !f.kept && a.unclaimed.full(from, now):
		return ErrUnclaimed
	case !a.reserve(p, from, now, until):
		return ErrNotFound
	}
	return nil
}

// reserve keeps a seat for the player until then, or renews what is kept. False: none is free. A player
// who sits already needs none.
func (a *admission) reserve(p room.PlayerID, from netip.Addr, now, until time.Duration) bool {
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
	k.until.Store(int64(until))
	return true
}

// giveBack keeps a seat no longer.
func (a *admission) giveBack(p room.PlayerID) {
	if k := a.reserved[p]; k != nil {
		k.until.Store(0)
		delete(a.reserved, p)
	}
}

// left counts the seats that p may have: the free ones without those kept for others.
func (a *admission) left(p room.PlayerID, now time.Duration) int {
	for q, k := range a.reserved {
		if !k.kept(now) {
			a.giveBack(q)
		}
	}
	n := a.free - len(a.reserved)
	if _, own := a.reserved[p]; own {
		n++
	}
	return n
}

// open reports whether a seat is neither taken nor kept for somebody.
func (a *admission) open(now time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left("", now) > 0
}

// cancel keeps no seat for the player any longer.
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
	return k != nil && k.kept(now)
}

// filled is what matchmaking must know of a room.
type filled struct {
	occupied int  // seats that somebody has, or that are kept for somebody
	present  bool // somebody is connected
	ok       bool // the player could have a seat
	kept     bool // one is kept for the player, who was matched or has been cut off
}

// fill tells matchmaking how a room stands to a player who asks from an address.
func (a *admission) fill(p room.PlayerID, from netip.Addr, now time.Duration) filled {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.left(p, now) // reservations that have run out are gone from here on
	_, kept := a.reserved[p]
	online, sits := a.seated[p]
	kept = kept || sits && !online
	return filled{
		occupied: len(a.seated) + len(a.reserved), present: a.present, kept: kept,
		ok: sits || left > 0 && (kept || !a.ghostly && !a.apart(from, now)),
	}
}

// apart reports whether a player of an address is not to be put into the room, see unclaimed.several: they are many there who
// have not come yet, or it waits for such, all of them of elsewhere.
func (a *admission) apart(from netip.Addr, now time.Duration) bool {
	same := 0
	strangers := 0 // who are likely never to come
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
