package actor

import (
	"container/list"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// registry holds the rooms of a node and decides whether it takes another. Its methods may be called from any goroutine.
type registry struct {
	most int // rooms

	rooming sync.WaitGroup // one for each room that is being made, and for each goroutine of a room

	mu       sync.RWMutex // held for moments only
	rooms    map[room.ID]*liveRoom
	codes    map[string]room.ID // join codes of private rooms
	making   int                // rooms that have a place and are not in rooms yet
	shares   shares
	unused   unused
	leaving  int           // rooms that are being evicted
	left     chan struct{} // closed when one of those has gone; nil: nobody waits for that
	draining bool          // no new rooms
	closing  bool          // no rooms at all
}

// registration is what the registry knows of a room. The registry's mutex guards it.
type registration struct {
	creator creator
	made    bool          // by Create, which has reserved a place
	unused  *list.Element // in registry.unused; nil: somebody has joined
	evicted bool          // it is being closed because the node is full
}

// mostEvictions bounds the rooms that are being evicted at a time: by so many a node may be over Options.MaxRooms. It is few,
// because what becomes of rooms is written in batches that players' acts wait for.
const mostEvictions = 4

func newRegistry(most, share int) *registry {
	return &registry{
		most: most, rooms: map[room.ID]*liveRoom{}, codes: map[string]room.ID{},
		shares: shares{most: share, of: map[any]int{}},
	}
}

// reserve keeps a place for a room that is about to be made, until release. On a full node a room that nobody ever joined
// is evicted, unless keep is set. When too many are being evicted, nothing is reserved, and the next try is due when wait
// is closed. Errors: ErrDraining, ErrShare, ErrTooMany.
func (g *registry) reserve(c creator, keep bool) (wait <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.draining:
		return nil, ErrDraining
	case g.shares.full(c):
		return nil, ErrShare
	case len(g.rooms)+g.making-g.leaving < g.most:
	case keep:
		return nil, ErrTooMany
	default:
		if wait, err := g.evict(); wait != nil || err != nil {
			return wait, err
		}
	}
	g.shares.add(c, 1)
	g.making++
	g.rooming.Add(1)
	return nil, nil
}

// evict closes the oldest unused room of whoever has the most of them.
func (g *registry) evict() (wait <-chan struct{}, err error) {
	if g.leaving >= mostEvictions {
		if g.left == nil {
			g.left = make(chan struct{})
		}
		return g.left, nil
	}
	r := g.unused.first()
	if r == nil {
		return nil, ErrTooMany
	}
	g.unused.remove(r)
	r.reg.evicted = true
	g.leaving++
	r.mail.command(evictMessage{})
	return nil, nil
}

// release ends a reservation. A room that was added counts for its creator until it is removed.
func (g *registry) release(c creator, added bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !added {
		g.making--
		g.shares.add(c, -1)
	}
	g.rooming.Done()
}

// add takes a room in and runs it. A room that comes after close is stopped at once.
func (g *registry) add(r *liveRoom) {
	g.mu.Lock()
	g.rooms[r.id] = r
	if r.header.Code != "" {
		g.codes[r.header.Code] = r.id
	}
	if r.reg.made {
		g.making--
	}
	if !r.core.Joined() {
		g.unused.add(r)
	}
	stop := g.closing
	g.mu.Unlock()
	if stop {
		r.mail.command(stopMessage{})
	}
	g.rooming.Go(r.run)
}

// remove forgets a room that has left memory.
func (g *registry) remove(r *liveRoom) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.rooms, r.id)
	delete(g.codes, r.header.Code)
	g.forgetUnused(r)
	g.shares.add(r.reg.creator, -1)
}

// used notes that somebody has joined a room: it is not evicted any more.
func (g *registry) used(r *liveRoom) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgetUnused(r)
}

func (g *registry) forgetUnused(r *liveRoom) {
	g.unused.remove(r)
	if r.reg.evicted {
		r.reg.evicted = false
		g.leaving--
		if g.left != nil {
			close(g.left)
			g.left = nil
		}
	}
}

func (g *registry) lookup(id room.ID) *liveRoom {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.rooms[id]
}

// withCode is the id of the private room with a join code.
func (g *registry) withCode(code string) (id room.ID, ok bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	id, ok = g.codes[code]
	return id, ok
}

// all are the rooms of one moment.
func (g *registry) all() iter.Seq[*liveRoom] {
	g.mu.RLock()
	rooms := slices.Collect(maps.Values(g.rooms))
	g.mu.RUnlock()
	return slices.Values(rooms)
}

func (g *registry) count() (rooms, making int) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.rooms), g.making
}

// drain has reserve refuse from now on.
func (g *registry) drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

func (g *registry) isDraining() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.draining
}

// close drains, and stops every room.
func (g *registry) close() {
	g.mu.Lock()
	g.draining, g.closing = true, true
	g.mu.Unlock()
	for r := range g.all() {
		r.mail.command(stopMessage{})
	}
}

// whyEvicted is the reason with which a room is evicted.
const whyEvicted = "the server was full, and nobody had joined this room"

// evictMessage closes the room, unless somebody has joined it meanwhile.
type evictMessage struct{}

func (evictMessage) handle(r *liveRoom) {
	if r.core.Joined() {
		r.dir.rooms.used(r)
		return
	}
	r.step(core.Input{Kind: core.KindClose, Reason: whyEvicted})
}
