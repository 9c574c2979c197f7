package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// placeTries bounds how often an id is drawn for each node on the ring. A node with a thirtieth of an even share still
// gets one in all but some of a thousand cases, and any id will do then: a room is found wherever it is.
const placeTries = 200

// Place draws an id that the ring gives this node, for rooms made here. See actor.Options.Place. A node that is not on
// the ring takes any id.
func (c *Cluster) Place(string) room.ID {
	r := c.members.Ring()
	id := randomID()
	if !slices.Contains(r.First(id, len(r.Nodes())), c.self) {
		return id
	}
	for range placeTries * len(r.Nodes()) {
		if r.Owner(id) == c.self {
			break
		}
		id = randomID()
	}
	return id
}

func randomID() room.ID {
	var b [10]byte
	rand.Read(b[:])
	return record.NewID(b)
}

const roomsCreate method[actor.Create, actor.Info] = "rooms.create"

// Create makes a room where there is place and, where there is none anywhere, in place of one that nobody ever joined. Errors are
// those of actor.Directory.
func (r Rooms) Create(ctx context.Context, want actor.Create) (actor.Info, error) {
	want.Keep = true
	info, err := r.place(ctx, want)
	if errors.Is(err, actor.ErrTooMany) {
		want.Keep = false
		info, err = r.place(ctx, want)
	}
	return info, err
}

// place makes a room at the less loaded of two random active nodes; where that node cannot, at the other, here, or at
// any that can. A node that has not answered may have made a room all the same. Nobody knows that room, and it ends
// by itself as every room does that nobody comes to, so another node is asked.
func (r Rooms) place(ctx context.Context, want actor.Create) (actor.Info, error) {
	c := r.c
	var why error
	for _, node := range c.loads.order(c.members.All(), c.self, c.o.Clock.Now()) {
		c.loads.add(node, 1)
		info, err := ask(ctx, c, node, roomsCreate, want)
		if err == nil {
			return info, nil
		}
		c.loads.add(node, -1)
		if ctx.Err() != nil || !elsewhere(err) {
			return actor.Info{}, err
		}
		if why == nil || !errors.Is(err, actor.ErrUnknownGame) { // that one of them lacks the game says nothing of the others
			why = err
		}
	}
	return actor.Info{}, why
}

// elsewhere reports whether another node may well make a room that one has not.
func elsewhere(err error) bool {
	for _, e := range []error{actor.ErrTooMany, actor.ErrShare, actor.ErrDraining, actor.ErrUnreachable, actor.ErrUnknownGame} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// loadsAge is for how long a load counts as told just now: two rounds of gossip, and some.
const loadsAge = 5 * time.Second

// loads estimate how loaded the nodes are. What they tell is seconds old, so the rooms that this node has placed
// since are added, lest all that come at once go to the node that was least loaded then.
type loads struct {
	mu    sync.Mutex
	nodes map[string]*load
}

type load struct {
	told   float64       // members.Member.Load
	at     time.Duration // by the clock, when that was first seen, or the estimate was last taken back
	placed float64       // by this node, and probably not in told yet
}

// of is a node's load beside that of a node of weight 1. Of what was placed, a newly told load takes back what it has
// grown by and half of the rest, as rooms end, too; one that stays the same for long takes back all.
func (l *loads) of(m members.Member, now time.Duration) float64 {
	n := l.nodes[m.Name]
	switch {
	case n == nil:
		n = &load{told: m.Load, at: now}
		l.nodes[m.Name] = n
	case m.Load != n.told:
		n.placed = max(n.placed-max(m.Load-n.told, 0), 0) / 2
		n.told, n.at = m.Load, now
	case now-n.at > loadsAge:
		n.placed, n.at = 0, now
	}
	return (n.told + n.placed) / cmp.Or(m.Weight, 1)
}

// add notes rooms that this node has a node make.
func (l *loads) add(node string, rooms float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.nodes[node]; n != nil {
		n.placed = max(n.placed+rooms, 0)
	}
}

// order is the order in which nodes are asked to make a room: two random active nodes, the less loaded first, then
// this one, then the other active ones, the least loaded first.
func (l *loads) order(all []members.Member, self string, now time.Duration) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes == nil {
		l.nodes = map[string]*load{}
	}
	estimate := map[string]float64{}
	var out []string
	for _, m := range all {
		if m.State == members.Active {
			estimate[m.Name] = l.of(m, now)
			out = append(out, m.Name)
		}
	}
	for name := range l.nodes {
		if _, there := estimate[name]; !there {
			delete(l.nodes, name)
		}
	}
	mathrand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	less := func(a, b string) int { return cmp.Compare(estimate[a], estimate[b]) }
	two := min(2, len(out))
	slices.SortStableFunc(out[:two], less)
	slices.SortStableFunc(out[two:], less)
	if !slices.Contains(out[:two], self) {
		out = slices.DeleteFunc(out, func(n string) bool { return n == self })
		out = slices.Insert(out, two, self)
	}
	return out
}
