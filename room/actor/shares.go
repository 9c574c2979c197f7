package actor

import (
	"net/netip"

	"github.com/roomring/roomring/room"
)

// creator is who a room counts for.
type creator struct {
	narrow, wide netip.Prefix // of Create.From
	by           room.PlayerID
}

func creatorOf(c Create) (o creator) {
	o.narrow, o.wide = networks(c.From)
	o.by = c.By
	return o
}

// shares counts the rooms of each address, network and player. The registry's mutex guards it.
type shares struct {
	most int // rooms of one address or player; of a /48 twice as many; below 0: any number
	of   map[any]int
}

// wideRooms is how many times as many rooms a /48 may have as an address in it.
const wideRooms = 2

// each calls f with all that a room counts for, and how many rooms each may have.
func (s *shares) each(c creator, f func(key any, most int)) {
	if c.narrow.IsValid() {
		f(c.narrow, s.most)
	}
	if c.wide.IsValid() {
		f(c.wide, wideRooms*s.most)
	}
	if c.by != "" {
		f(c.by, s.most)
	}
}

// full reports whether a creator has as many rooms as it may.
func (s *shares) full(c creator) (full bool) {
	if s.most < 0 {
		return false
	}
	s.each(c, func(key any, most int) { full = full || s.of[key] >= most })
	return full
}

func (s *shares) add(c creator, n int) {
	s.each(c, func(key any, _ int) {
		if s.of[key] += n; s.of[key] <= 0 {
			delete(s.of, key)
		}
	})
}
