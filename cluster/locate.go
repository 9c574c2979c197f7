package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

const (
	replicas  = 3                      // nodes of the ring that are asked before all others: its owner and who would inherit it
	lookTimes = 4                      // times that a room on its way is looked for
	lookAgain = 100 * time.Millisecond // between them
)

// where answers whether a room is at a node, and at which epoch. A room that the node holds and cannot run is there.
type where struct {
	Here  bool         `json:"here"`
	Epoch record.Epoch `json:"epoch"`
}

const roomsWhere method[room.ID, where] = "rooms.where"

func (c *Cluster) serveWhere(_ context.Context, id room.ID) (where, error) {
	info, err := c.o.Rooms.Info(id)
	if errors.Is(err, actor.ErrNotFound) {
		if !c.started.Load() {
			return where{}, actor.ErrUnreachable // it may be among those that are still being brought back
		}
		return where{}, nil
	}
	return where{Here: true, Epoch: info.Epoch}, nil
}

func (c *Cluster) here(id room.ID) bool {
	w, _ := c.serveWhere(c.ctx, id)
	return w.Here
}

// Locate is the node that has a room in its hands. Its answer may be out of date when it arrives: Forget it then, and
// ask again. Errors: actor.ErrNotFound when there is no such room for certain; actor.ErrUnreachable, often an
// *actor.UnreachableError, when nobody can say or the room is at a node that is away; an *actor.CloseError with what
// became of it when the room is over; ctx's. Those who look for one room at once share one search.
func (c *Cluster) Locate(ctx context.Context, id room.ID) (node string, err error) {
	if c.here(id) {
		return c.self, nil
	}
	if node, ok := c.known.get(id); ok {
		if c.hears(node) {
			return node, nil
		}
		c.Forget(id, node)
	}
	s := c.searches.join(id, func(s *search) bool {
		return c.spawn(func(ctx context.Context) { c.search(ctx, id, s) })
	})
	select {
	case <-s.done:
		return s.node, s.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Forget says that a room is not at that node, or does not answer there.
func (c *Cluster) Forget(id room.ID, node string) {
	c.known.drop(id, func(known string) bool { return known == node })
}

// searches are those under way, so that many who ask for one room make one question.
type searches struct {
	mu    sync.Mutex
	rooms map[room.ID]*search
}

type search struct {
	done chan struct{} // closed when what follows is there
	node string
	err  error
}

// join is the search for a room, begun if there is none; begin says whether it could.
func (s *searches) join(id room.ID, begin func(*search) bool) *search {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.rooms[id]; now != nil {
		return now
	}
	now := &search{done: make(chan struct{})}
	if !begin(now) {
		now.err = actor.ErrUnreachable
		close(now.done)
		return now
	}
	if s.rooms == nil {
		s.rooms = map[room.ID]*search{}
	}
	s.rooms[id] = now
	return now
}

func (s *searches) over(id room.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rooms, id)
}

func (c *Cluster) search(ctx context.Context, id room.ID, s *search) {
	for range lookTimes {
		var moving bool
		if s.node, moving, s.err = c.look(ctx, id); !moving || !clock.Sleep(ctx, c.o.Clock, lookAgain) {
			break
		}
	}
	if s.err == nil && s.node != c.self {
		c.known.put(id, s.node)
	}
	c.searches.over(id)
	close(s.done)
}

// look looks once. moving says that the room is about to be somewhere else than the store says.
func (c *Cluster) look(ctx context.Context, id room.ID) (node string, moving bool, err error) {
	if c.here(id) {
		return c.self, false, nil
	}
	first := c.first(id)
	node, silent := c.poll(ctx, id, first)
	if node == "" {
		rest := slices.DeleteFunc(c.others(), func(n string) bool { return slices.Contains(first, n) })
		var more []string
		node, more = c.poll(ctx, id, rest)
		silent = append(silent, more...)
	}
	if node != "" {
		return node, false, nil
	}
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Gather)
	defer cancel()
	row, err := c.o.Store.Row(limited, id)
	switch {
	case errors.Is(err, ErrNoRow):
		return "", false, c.unknown(ctx, silent)
	case err != nil:
		c.lookLog.Do(func() { c.log.Warn("the store does not say where a room is", "room", id, "err", err) })
		return "", false, actor.ErrUnreachable
	}
	return c.follow(ctx, row, silent)
}

// poll asks nodes for a room. Of several that claim to have it the highest epoch counts: a node that was cut off may
// still believe in an ownership that another has taken on. So the first yes does not end the question; it gives the
// others a tenth of the time, enough for every node that is well. Should a sleeper be believed all the same, it
// cannot commit the attach, and the edge forgets it and asks again. Silent are those that did not say or cannot yet.
func (c *Cluster) poll(ctx context.Context, id room.ID, nodes []string) (node string, silent []string) {
	var best record.Epoch
	var unsure []string
	silent = scatter(ctx, c, nodes, roomsWhere, id, c.o.Ask, func(n string, w where, err error) patience {
		switch {
		case err != nil:
			unsure = append(unsure, n)
			return goOn
		case !w.Here:
			return goOn
		case node == "" || w.Epoch > best:
			node, best = n, w.Epoch
		}
		return hurry
	})
	return node, append(silent, unsure...)
}

// unknown is the answer for a room that has no row: none for certain only if everybody who may keep one in memory
// alone has said no.
func (c *Cluster) unknown(ctx context.Context, silent []string) error {
	if len(silent) > 0 {
		return actor.ErrUnreachable
	}
	for _, b := range c.unheard(c.boots.get(ctx, c)) {
		if b.Silent < c.o.Fresh {
			return actor.ErrUnreachable
		}
	}
	return actor.ErrNotFound
}

// follow goes by a room's row.
func (c *Cluster) follow(ctx context.Context, row record.Row, silent []string) (node string, moving bool, err error) {
	switch row.State {
	case record.RowReleased:
		return c.askToClaim(ctx, row.Room)
	case record.RowLive:
		moving, err = c.absent(ctx, row, silent)
		return "", moving, err
	}
	return "", false, c.over(ctx, row.Room)
}

// askToClaim has a released room taken on: by the node that the ring names, if it can.
func (c *Cluster) askToClaim(ctx context.Context, id room.ID) (node string, moving bool, err error) {
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Forward)
	defer cancel()
	err = c.moves.claim(limited, id)
	switch {
	case err == nil:
		if node = c.nearby(ctx, id); node != "" {
			return node, false, nil
		}
		return "", true, actor.ErrUnreachable
	case errors.Is(err, actor.ErrMovedOn), errors.Is(err, ErrNoRow):
		return "", true, actor.ErrUnreachable
	case errors.Is(err, actor.ErrUnreachable):
		return "", false, err
	case errors.Is(err, actor.ErrDraining):
		return "", false, errAllStop
	}
	c.lookLog.Do(func() { c.log.Warn("a released room could not be taken on", "room", id, "err", err) })
	return "", false, actor.ErrUnreachable
}

// errAllStop answers for a released room when this node is stopping and so is whoever the ring names, if anybody.
var errAllStop = &actor.UnreachableError{Reason: "the nodes that could serve the room are stopping: retry"}

// nearby looks for a room here and at the ring's first.
func (c *Cluster) nearby(ctx context.Context, id room.ID) (node string) {
	if c.here(id) {
		return c.self
	}
	node, _ = c.poll(ctx, id, c.first(id))
	return node
}

// Heard are the processes that gossip tells of or a link stands to, this one and those that do not fit among them.
func (c *Cluster) Heard() []record.BootID {
	var out []record.BootID
	for _, m := range c.members.All() {
		out = append(out, m.Boot)
	}
	for _, l := range c.links.States() {
		if l.Up {
			out = append(out, l.Boot)
		}
	}
	return out
}

// first are the nodes that the ring names first, but for this one.
func (c *Cluster) first(id room.ID) []string {
	return slices.DeleteFunc(c.members.Ring().First(id, replicas), func(n string) bool { return n == c.self })
}

// absent says why a room is nowhere although its row is live.
func (c *Cluster) absent(ctx context.Context, row record.Row, silent []string) (moving bool, err error) {
	heard := append(c.heard(), c.me())
	if i := slices.IndexFunc(heard, func(p link.Peer) bool { return p.Boot == row.Boot }); i >= 0 {
		if slices.Contains(silent, heard[i].Node) {
			return false, &actor.UnreachableError{Reason: "the room's node " + heard[i].Node + " does not answer"}
		}
		return true, actor.ErrUnreachable
	}
	boots := c.boots.get(ctx, c)
	i := slices.IndexFunc(boots, func(b Boot) bool { return b.ID == row.Boot })
	if i < 0 {
		return false, &actor.UnreachableError{Reason: "the room's node is down: the room comes back with it"}
	}
	name := boots[i].Node
	if name == c.self || c.hears(name) {
		return false, &actor.UnreachableError{Reason: "the room's node " + name + " has restarted and does not serve the room yet"}
	}
	return false, &actor.UnreachableError{Reason: "the room's node " + name + " is down: the room comes back with it"}
}

// overError answers for a room that is over and gone from memory. It unwraps to the *actor.CloseError that turns
// clients away.
type overError struct{ info actor.Info }

func (e *overError) Error() string { return "the room is over" }

func (e *overError) Unwrap() error {
	out := &actor.CloseError{Code: wire.CloseOver, Reason: e.Error()}
	if e.info.Final != nil {
		out.Over = new(e.info.Final.OverFor("")) // a player can still ask for the result with a token
	}
	return out
}

// over is an *overError, unless the store does not say how the room ended.
func (c *Cluster) over(ctx context.Context, id room.ID) error {
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Gather)
	defer cancel()
	info, err := c.o.Store.Past(limited, id)
	switch {
	case err == nil:
		return &overError{info}
	case errors.Is(err, ErrNoRow), errors.Is(err, actor.ErrNotFound):
		return actor.ErrNotFound
	}
	return actor.ErrUnreachable
}
