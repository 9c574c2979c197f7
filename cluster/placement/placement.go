// Package placement makes rooms where there is room for them: it draws ids that the ring gives the node, and has one of the less loaded
// nodes make the room.
package placement

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Create asks a node to make a room.
const Create rpc.Method[actor.Create, actor.Info] = "rooms.create"

// Options make a Placer. All are needed.
type Options struct {
	Rooms *actor.Directory // of this node
	Nodes *nodes.Nodes
	Calls *rpc.Caller
	Clock clock.Clock
}

// Placer places new rooms. Its methods may be called from any goroutine.
type Placer struct {
	o     Options
	loads loads
}

// New makes a Placer.
func New(o Options) *Placer {
	rpc.Serve(o.Calls, Create, o.Rooms.Create)
	return &Placer{o: o}
}

// drawsPerNode bounds how often an id is drawn for each node on the ring. A node with a thirtieth of an even share still gets one in
// all but some of a thousand cases, and then any id will do: a room is found wherever it is.
const drawsPerNode = 200

// ID draws an id that the ring gives this node, for rooms made here. See actor.Options.NewID. A node that is not on the ring takes any
// id.
func (p *Placer) ID() room.ID {
	self, r := p.o.Calls.Self(), p.o.Nodes.Ring()
	id := randomID()
	if !slices.Contains(r.First(id, len(r.Nodes())), self) {
		return id
	}
	for range drawsPerNode * len(r.Nodes()) {
		if r.Owner(id) == self {
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

// Create makes a room at a node that has place. Where no node has any, it makes the room in place of one that nobody ever joined.
// Errors are those of actor.Directory, and actor.ErrUnreachable.
func (p *Placer) Create(ctx context.Context, want actor.Create) (actor.Info, error) {
	want.Keep = true
	info, err := p.create(ctx, want)
	if errors.Is(err, actor.ErrTooMany) {
		want.Keep = false
		info, err = p.create(ctx, want)
	}
	return info, err
}

// create makes a room at the less loaded of two random active nodes; where that node cannot, at the other one, here, or at any that
// can. A node that has not answered may have made the room all the same. Nobody knows of that room, and it ends by itself like every
// room that nobody joins, so another node is asked.
func (p *Placer) create(ctx context.Context, want actor.Create) (actor.Info, error) {
	var why error
	for _, node := range p.loads.order(p.o.Nodes.Members(), p.o.Calls.Self(), p.o.Clock.Now()) {
		p.loads.add(node, 1)
		info, err := rpc.Ask(ctx, p.o.Calls, node, Create, want)
		if err == nil {
			return info, nil
		}
		p.loads.add(node, -1)
		if ctx.Err() != nil || !othersMay(err) {
			return actor.Info{}, err
		}
		if why == nil || !errors.Is(err, actor.ErrUnknownGame) { // that one node lacks the game says nothing of the others
			why = err
		}
	}
	return actor.Info{}, why
}

// othersMay reports whether another node may well make a room that one has not made.
func othersMay(err error) bool {
	return slices.ContainsFunc([]error{actor.ErrTooMany, actor.ErrShare, actor.ErrDraining, actor.ErrUnreachable, actor.ErrUnknownGame},
		func(e error) bool { return errors.Is(err, e) })
}
