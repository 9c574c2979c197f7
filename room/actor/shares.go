package actor

import (
	"net/netip"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// shares count the rooms that this node has for one address, one network and one player, and know the rooms that nobody ever
// joined. They are guarded by the directory's mutex.
type shares struct {
	most    int // rooms of one address or player; of a /48 twice as many; below 0: any number
	of      map[any]int
	unused  unused
	leaving int           // rooms that are being closed to make place
	left    chan struct{} // closed when one of them has gone; nil: nobody waits for that
}

// wideRooms is how many times as many rooms a /48 may have as an address in it.
const wideRooms = 2

// mostLeaving bounds the rooms that are being closed to make place at a time: for so many a node may be over Options.MaxRooms. Who
// wants another one waits. They are few, for what becomes of rooms comes in batches that players' acts wait behind.
const mostLeaving = 4

// owner is who a room counts for.
type owner struct {
	narrow, wide netip.Prefix // of Create.From
	by           room.PlayerID
}

func ownerOf(c Create) (o owner) {
	o.narrow, o.wide = networks(c.From)
	o.by = c.By
	return o
}

// each goes through what a room counts for, and how many each may have.
func (s *shares) each(o owner, f func(key any, most int)) {
	if o.narrow.IsValid() {
		f(o.narrow, s.most)
	}
	if o.wide.IsValid() {
		f(o.wide, wideRooms*s.most)
	}
	if o.by != "" {
		f(o.by, s.most)
	}
}

// full reports whether an owner has as many rooms as it may.
func (s *shares) full(o owner) (full bool) {
	if s.most < 0 {
		return false
	}
	s.each(o, func(key any, most int) { full = full || s.of[key] >= most })
	return full
}

func (s *shares) add(o owner, n int) {
	s.each(o, func(key any, _ int) {
		if s.of[key] += n; s.of[key] <= 0 {
			delete(s.of, key)
		}
	})
}

// makeRoom closes a room that nobody ever joined, of whoever has the most of them. ErrTooMany: there is none. When
// too many are on their way out, wait ends with the next that is gone. The directory's mutex is held.
func (d *Directory) makeRoom() (wait <-chan struct{}, err error) {
	s := &d.shares
	if s.leaving >= mostLeaving {
		if s.left == nil {
			s.left = make(chan struct{})
		}
		return s.left, nil
	}
	r := s.unused.first()
	if r == nil {
		return nil, ErrTooMany
	}
	s.unused.remove(r)
	r.evicted = true
	s.leaving++
	r.in.command(evictMessage{})
	return nil, nil
}

// used notes that somebody has joined a room: it is not closed to make place for others.
func (d *Directory) used(r *liveRoom) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetUnused(r)
}

// forgetUnused takes a room out of those that nobody ever joined, or that are being closed for that.
func (d *Directory) forgetUnused(r *liveRoom) {
	d.shares.unused.remove(r)
	if r.evicted {
		r.evicted = false
		d.shares.leaving--
		if d.shares.left != nil {
			close(d.shares.left)
			d.shares.left = nil
		}
	}
}

// whyEvicted is what a room that is closed to make place says.
const whyEvicted = "the server was full, and nobody had joined this room"

// evictMessage closes the room, if still nobody has joined it.
type evictMessage struct{}

func (evictMessage) handle(r *liveRoom) {
	if r.core.Joined() {
		r.dir.used(r)
		return
	}
	r.step(core.Input{Kind: core.KindClose, Reason: whyEvicted})
}
