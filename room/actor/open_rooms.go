package actor

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// openRooms are the public rooms that take players, by pool.
type openRooms struct {
	mu sync.Mutex // held for moments only
	of map[string]map[*liveRoom]struct{}
}

// note puts a room in or takes it out.
func (o *openRooms) note(r *liveRoom, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rooms := o.of[r.pool]
	switch {
	case open && rooms == nil:
		o.of[r.pool] = map[*liveRoom]struct{}{r: {}}
	case open:
		rooms[r] = struct{}{}
	default:
		if delete(rooms, r); len(rooms) == 0 {
			delete(o.of, r.pool)
		}
	}
}

// best is the open room of a pool for a player who asks from an address; nil: none has a seat for that player.
func (o *openRooms) best(pool string, p room.PlayerID, from netip.Addr, now time.Duration) (best *liveRoom, as Candidate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for r := range o.of[pool] {
		f := r.seats.fill(p, from, now)
		c := Candidate{r.id, f.kept, f.present, f.occupied, r.header.Created}
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
	Spoken  int  // seats that are occupied, or kept for somebody
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

// Candidate answers the best open public room here for the player, and keeps no seat. A room that cannot be saved at
// present is no candidate.
func (d *Directory) Candidate(want Match) (Candidate, bool) {
	r, as := d.openRooms.best(d.pools.key(want), want.Player, want.From, d.o.Clock.Now())
	if r == nil || d.failing(r) {
		return Candidate{}, false
	}
	return as, true
}

// Seat keeps a seat for the player, who asks from an address that may be zero, in a room here for Options.Reserve of room time, or
// keeps it for longer. It waits until that is committed, until ctx ends; then the seat may be kept. ErrNotFound: the room is not
// here, is held, is over, or has no seat for that player. ErrUnclaimed: see Options.Unclaimed. ErrUnreachable: it cannot be
// saved at present, or comes or goes.
func (d *Directory) Seat(ctx context.Context, id room.ID, p room.PlayerID, from netip.Addr) (Info, error) {
	r, err := d.find(id)
	if isError[*HeldError](err) {
		return Info{}, ErrNotFound
	}
	if err != nil {
		return Info{}, err
	}
	info, ok := r.public()
	if !ok {
		return Info{}, ErrUnreachable
	}
	if info.Phase == core.PhaseOver {
		return Info{}, ErrNotFound
	}
	if err := r.seats.match(p, from, d.o.Clock.Now(), d.o.Reserve); err != nil {
		return Info{}, err
	}
	if d.failing(r) {
		r.seats.cancel(p)
		return Info{}, ErrUnreachable
	}
	err = d.command(ctx, id, func(done chan<- error) message { return reserveMessage{p, done} })
	if isError[*room.Refusal](err) { // it is over
		r.seats.cancel(p)
		return Info{}, ErrNotFound
	}
	if err != nil {
		return Info{}, err
	}
	info, _ = r.public()
	return info, nil
}

// reserveMessage notes in the log that a seat is kept. Admission keeps it already.
type reserveMessage struct {
	player room.PlayerID
	done   chan<- error
}

func (m reserveMessage) handle(r *liveRoom) {
	if r.log.failing != nil || r.life.stopping {
		m.done <- ErrUnreachable
		return
	}
	r.answer(r.step(core.Input{Kind: core.KindReserve, Player: m.player, For: r.o.Reserve}), m.done)
}

// Pool is equal for requests that may be put together: those of one game whose options come to the same. The first request
// with its options costs what opening a game costs.
func (d *Directory) Pool(want Match) string { return d.pools.key(want) }

// pools knows the pools of requests and rooms. Any goroutine may use it.
type pools struct {
	games *core.Games
	black BlackBox

	mu    sync.Mutex // held for moments only
	known map[string]string
}

// Bounds of what pools remembers.
const (
	knownPools      = 1024
	longestKnownKey = 1 << 10 // bytes
)

func newPools(games *core.Games, black BlackBox) *pools {
	return &pools{games: games, black: black, known: map[string]string{}}
}

func (p *pools) key(want Match) string {
	asked := want.Game + " " + core.CanonicalOptions(want.Options) // equal for equal requests; defaults that are given make another
	rules, ok := p.games.Lookup(want.Game)
	if !ok {
		return asked // nodes with the game have the rooms
	}
	p.mu.Lock()
	key, ok := p.known[asked]
	p.mu.Unlock()
	if ok {
		return key
	}
	key = want.Game + " " + p.open(rules, want)
	if len(asked) <= longestKnownKey {
		p.mu.Lock()
		if len(p.known) >= knownPools {
			clear(p.known)
		}
		p.known[asked] = key
		p.mu.Unlock()
	}
	return key
}

// open opens the game only to see what it makes of options.
func (p *pools) open(rules *room.Rules, want Match) string {
	mark := p.black.BeginOpen("", want.Game) // there is no room to name, should it be fatal
	defer mark.Release()
	return core.PoolKey(rules, want.Options)
}

func isError[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
