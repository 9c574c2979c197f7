package actor

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
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

// Match finds or makes a room and keeps a seat in it for the player for Options.Reserve. Asking again with
// the same ticket answers the same room as long as the player can still have a seat in it. Errors are those of Create.
func (d *Directory) Match(ctx context.Context, want Match) (Info, error) {
	return d.maker.Match(ctx, want)
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
	if info.Phase == room.PhaseOver {
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

// localSeats are the rooms of this node for its own Matchmaker.
type localSeats struct{ *Directory }

// Seat tries again when a room that had a seat has none any more: others join without asking the Matchmaker.
func (d localSeats) Seat(_ context.Context, want Match) (Info, error) {
	for {
		r, _ := d.matches.best(d.pools.Key(want), want.Player, want.From, d.o.Clock.Now())
		if r == nil {
			return Info{}, ErrNotFound
		}
		if info, err := d.Directory.Seat(r.id, want.Player, want.From); err != ErrNotFound {
			return info, err
		}
	}
}

func (d localSeats) Renew(_ context.Context, id room.ID, want Match) (Info, error) {
	return d.Directory.Seat(id, want.Player, want.From)
}

func (d localSeats) Make(ctx context.Context, want Match) (Info, error) {
	return d.Create(ctx, Create{Game: want.Game, Options: want.Options, By: want.Player, From: want.From, Reserve: []room.PlayerID{want.Player}})
}
