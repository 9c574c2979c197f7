package actor

import (
	"cmp"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// matcher knows the open public rooms by what is played in them. Its lock is held for moments only.
type matcher struct {
	mu   sync.Mutex
	open map[string]map[*liveRoom]struct{} // by key
}

// note puts a room in or takes it out.
func (m *matcher) note(r *liveRoom, open bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rooms := m.open[r.matchKey]
	switch {
	case open && rooms == nil:
		m.open[r.matchKey] = map[*liveRoom]struct{}{r: {}}
	case open:
		rooms[r] = struct{}{}
	default:
		if delete(rooms, r); len(rooms) == 0 {
			delete(m.open, r.matchKey)
		}
	}
}

// best is the open room that p, who asks from an address, belongs in, nil when none has a seat for p.
func (m *matcher) best(key string, p room.PlayerID, from netip.Addr, now time.Duration) (best *liveRoom, as Candidate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r := range m.open[key] {
		f := r.seats.fill(p, from, now)
		c := Candidate{r.id, f.kept, f.present, f.spoken, r.header.Created}
		if f.ok && (best == nil || c.Before(as)) {
			best, as = r, c
		}
	}
	return best, as
}

// Candidate is the room here that a player of a Match would be put into.
type Candidate struct {
	Room    room.ID
	Kept    bool // a seat is kept for the player, who asks again
	Present bool // somebody is there
	Spoken  int  // seats taken, or kept for somebody
	Created time.Time
}

// Before orders candidates: first where a seat is kept already, then where somebody is, then the fullest, then the older.
func (c Candidate) Before(o Candidate) bool {
	if c.Kept != o.Kept {
		return c.Kept
	}
	if c.Present != o.Present {
		return c.Present
	}
	return cmp.Or(cmp.Compare(o.Spoken, c.Spoken), c.Created.Compare(o.Created), cmp.Compare(c.Room, o.Room)) < 0
}

// Pool is the same for requests that may be put together: see Pools.
func (d *Directory) Pool(want Match) string { return d.pools.Key(want) }

// Candidate answers the open public room here that the player belongs in, and keeps no seat. A room that cannot be
// saved at present is no candidate.
func (d *Directory) Candidate(want Match) (Candidate, bool) {
	r, as := d.matches.best(d.pools.Key(want), want.Player, want.From, d.o.Clock.Now())
	if r == nil || d.failing(r) {
		return Candidate{}, false
	}
	return as, true
}

// Seat keeps a seat for the player, who asks from an address that may be zero, in a room here for Options.Reserve, or keeps it
// for longer. ErrNotFound: the room is not here, is held, is over, or has no seat for that player. ErrUnclaimed: see
// Options.Unclaimed. ErrUnreachable: it cannot be saved at present, or comes or goes.
func (d *Directory) Seat(id room.ID, p room.PlayerID, from netip.Addr) (Info, error) {
	r, err := d.find(id)
	if _, held := errors.AsType[*HeldError](err); held {
		return Info{}, ErrNotFound
	}
	if err != nil {
		return Info{}, err
	}
	info, ok := r.public()
	if !ok {
		return Info{}, ErrUnreachable
	}
	now := d.o.Clock.Now()
	if info.Phase == core.PhaseOver {
		return Info{}, ErrNotFound
	}
	if err := r.seats.match(p, from, now, now+d.o.Reserve); err != nil {
		return Info{}, err
	}
	if d.failing(r) {
		r.seats.release(p)
		return Info{}, ErrUnreachable
	}
	return info, nil
}
