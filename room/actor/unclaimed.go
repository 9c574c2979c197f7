package actor

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// keptSeat is a seat that is kept for somebody who has not come yet.
type keptSeat struct {
	from  netip.Addr    // who asked for it; zero: unknown, and not counted
	ends  time.Duration // in room time; under the admission's lock
	until atomic.Int64  // by the node's clock, for unclaimed; 0: claimed, or given back
}

func (k *keptSeat) kept(now time.Duration) bool { return time.Duration(k.until.Load()) > now }

// unclaimed knows the seats that are kept for players who have not come, by the address they were asked from and the
// IPv6 /48 that it is in. An admission calls it while it holds its own lock.
type unclaimed struct {
	most int // of one address; below 0: any number, and nobody is kept apart

	mu    sync.Mutex // held for moments only
	of    map[netip.Prefix][]*keptSeat
	sweep int // size of the map at which all of it is looked through
}

func newUnclaimed(most int) unclaimed {
	return unclaimed{most: most, of: map[netip.Prefix][]*keptSeat{}}
}

// wideShare is how many times as much a /48 may have as an address in it: one customer commonly has it whole (RFC 6177),
// and behind one there may be an office.
const wideShare = 4

// networks are what an address counts for: itself, or its IPv6 /64, and the /48.
func networks(a netip.Addr) (narrow, wide netip.Prefix) {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return narrow, wide
	case a.Is4():
		return netip.PrefixFrom(a, 32), wide
	}
	narrow, _ = a.Prefix(64)
	wide, _ = a.Prefix(48)
	return narrow, wide
}

// keep counts a seat.
func (u *unclaimed) keep(k *keptSeat, now time.Duration) {
	if u.most < 0 || !k.from.IsValid() {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	narrow, wide := networks(k.from)
	for _, n := range []netip.Prefix{narrow, wide} {
		if n.IsValid() {
			u.of[n] = append(u.of[n], k)
		}
	}
	if len(u.of) > u.sweep {
		for n := range u.of {
			u.count(n, now)
		}
		u.sweep = 2*len(u.of) + 1024
	}
}

// count is how many seats are kept now for a network. It forgets the others.
func (u *unclaimed) count(n netip.Prefix, now time.Duration) int {
	seats := u.of[n]
	left := seats[:0]
	for _, k := range seats {
		if k.kept(now) {
			left = append(left, k)
		}
	}
	clear(seats[len(left):])
	if len(left) == 0 {
		delete(u.of, n)
		return 0
	}
	u.of[n] = left
	return len(left)
}

// full reports whether an address, or its network, has as many seats kept as it may.
func (u *unclaimed) full(from netip.Addr, now time.Duration) bool {
	if u.most < 0 || !from.IsValid() {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	narrow, wide := networks(from)
	return u.count(narrow, now) >= u.most || wide.IsValid() && u.count(wide, now) >= wideShare*u.most
}

// several reports whether more than one seat is kept for players of an address. Until they have come, such players are put
// together only with each other: those who ask and never come keep nobody from a match.
func (u *unclaimed) several(from netip.Addr, now time.Duration) bool {
	if u.most < 0 || !from.IsValid() {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	narrow, wide := networks(from)
	return u.count(narrow, now) > 1 || wide.IsValid() && u.count(wide, now) > wideShare
}
