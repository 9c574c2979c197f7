package actor

import (
	"maps"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
)

// admission is a room's free seats and who they are kept for. The room's goroutine keeps the seats
// current and asks before a join; matchmaking reserves from outside. It is the one lock between them.
type admission struct {
	mu       sync.Mutex
	free     int
	taken    map[room.PlayerID]bool          // and whether the player is connected
	ghostly  bool                            // see seats
	reserved map[room.PlayerID]time.Duration // until, by the node's clock
}

// seats tells the present seats. A seated player's reservation has served its purpose.
//
// Who is away is nobody's match: matchmaking fills no room that still waits with a seat whose player is not connected, for
// one more could begin a game against nobody, and none whose players are all away. Who was given a seat by
// matchmaking and has not come yet is another thing: such a seat is empty and begins no game.
func (a *admission) seats(free int, phase room.Phase, taken []room.SeatInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = free
	a.taken = make(map[room.PlayerID]bool, len(taken))
	away := 0
	for _, s := range taken {
		a.taken[s.Player] = s.Online
		delete(a.reserved, s.Player)
		if !s.Online {
			away++
		}
	}
	a.ghostly = away > 0 && (phase == room.PhaseWaiting || away == len(taken))
}

// match is reserve for matchmaking, which gives nobody a seat beside players who are away: only who has one there already,
// or has one kept, gets it again.
func (a *admission) match(p room.PlayerID, now, until time.Duration) bool {
	_, ok, _ := a.fill(p, now)
	return ok && a.reserve(p, now, until)
}

// reserve keeps a seat for the player until then, or renews what is kept. False: none is free. A player
// who sits already needs none.
func (a *admission) reserve(p room.PlayerID, now, until time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, sits := a.taken[p]; sits {
		return true
	}
	if a.left(p, now) <= 0 {
		return false
	}
	if a.reserved == nil {
		a.reserved = map[room.PlayerID]time.Duration{}
	}
	a.reserved[p] = until
	return true
}

// left counts the seats that p may have: the free ones without those kept for others.
func (a *admission) left(p room.PlayerID, now time.Duration) int {
	maps.DeleteFunc(a.reserved, func(_ room.PlayerID, until time.Duration) bool { return until <= now })
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

// release gives back what is kept for the player.
func (a *admission) release(p room.PlayerID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.reserved, p)
}

// invited reports whether a seat is kept for the player.
func (a *admission) invited(p room.PlayerID, now time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	until, ok := a.reserved[p]
	return ok && until > now
}

// fill tells matchmaking how many seats are spoken for, whether p could have one, and whether one is kept for p, who was
// matched or has been cut off.
func (a *admission) fill(p room.PlayerID, now time.Duration) (spoken int, ok, kept bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.left(p, now) // reservations that have run out are gone from here on
	_, kept = a.reserved[p]
	online, sits := a.taken[p]
	kept = kept || sits && !online
	ok = sits || left > 0 && (kept || !a.ghostly)
	return len(a.taken) + len(a.reserved), ok, kept
}
