package actor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
)

// matcher knows the open public rooms by what is played in them. Its lock is held for moments only.
type matcher struct {
	mu   sync.Mutex
	open map[string]map[*liveRoom]struct{} // by key
}

// Key is the same for equal games and options, however the options are spelt.
func (m *Match) Key() string { return matchKey(m.Game, m.Options) }

// matchKey is the same for equal games and options, however the options are spelt.
func matchKey(game string, options json.RawMessage) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(options))
	d.UseNumber()
	if d.Decode(&v) != nil || v == nil {
		return game + " {}"
	}
	canonical, err := json.Marshal(v)
	if err != nil {
		return game + " " + string(options)
	}
	return game + " " + string(canonical)
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

// fullest is the open room with most seats spoken for that p could have one in; ties go to the older room. It
// returns nil when there is none.
func (m *matcher) fullest(key string, p room.PlayerID, now time.Duration) (best *liveRoom, spoken int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	spoken = -1
	for r := range m.open[key] {
		n, ok := r.seats.fill(p, now)
		if ok && (n > spoken || n == spoken && r.older(best)) {
			best, spoken = r, n
		}
	}
	return best, spoken
}

func (r *liveRoom) older(o *liveRoom) bool {
	if c := r.header.Created.Compare(o.header.Created); c != 0 {
		return c < 0
	}
	return r.id < o.id
}

// Match finds or makes a room and keeps a seat in it for the player for Options.Reserve. Asking again with
// the same ticket answers the same room as long as the player can still have a seat in it. Errors are those of Create.
func (d *Directory) Match(ctx context.Context, want Match) (Info, error) {
	return d.maker.Match(ctx, want)
}

// Candidate is the room here that a player of a Match would be put into.
type Candidate struct {
	Room    room.ID
	Spoken  int // seats taken, or kept for somebody
	Created time.Time
}

// Before orders candidates: the fullest first, then the older.
func (c Candidate) Before(o Candidate) bool {
	return cmp.Or(cmp.Compare(o.Spoken, c.Spoken), c.Created.Compare(o.Created), cmp.Compare(c.Room, o.Room)) < 0
}

// Candidate answers the fullest open public room here that the player could have a seat in, and keeps none. A room
// that cannot be saved at present is no candidate.
func (d *Directory) Candidate(want Match) (Candidate, bool) {
	r, spoken := d.matches.fullest(want.Key(), want.Player, d.o.Clock.Now())
	if r == nil || d.failing(r) {
		return Candidate{}, false
	}
	return Candidate{r.id, spoken, r.header.Created}, true
}

// Seat keeps a seat for the player in a room here for Options.Reserve, or keeps it for longer. ErrNotFound: the room
// is not here, is over, or has no seat for that player. ErrUnreachable: it cannot be saved at present.
func (d *Directory) Seat(id room.ID, p room.PlayerID) (Info, error) {
	r := d.lookup(id)
	if r == nil {
		return Info{}, ErrNotFound
	}
	info, ok := r.public()
	now := d.o.Clock.Now()
	if !ok || info.Phase == room.PhaseOver || !r.seats.reserve(p, now, now+d.o.Reserve) {
		return Info{}, ErrNotFound
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
		r, _ := d.matches.fullest(want.Key(), want.Player, d.o.Clock.Now())
		if r == nil {
			return Info{}, ErrNotFound
		}
		if info, err := d.Directory.Seat(r.id, want.Player); err != ErrNotFound {
			return info, err
		}
	}
}

func (d localSeats) Renew(_ context.Context, id room.ID, p room.PlayerID) (Info, error) {
	return d.Directory.Seat(id, p)
}

func (d localSeats) Make(ctx context.Context, want Match) (Info, error) {
	return d.Create(ctx, Create{Game: want.Game, Options: want.Options, By: want.Player, Reserve: []room.PlayerID{want.Player}})
}
