package cluster

import (
	"context"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// AsideRooms are the copies of rooms that this node has set aside. Errors: actor.ErrNotFound, and a *room.Refusal of a room that
// cannot go on.
type AsideRooms interface {
	ListAside(ctx context.Context) ([]actor.Aside, error)
	// LoadAside reads one, packed by room.EncodeKept.
	LoadAside(ctx context.Context, key int64) ([]byte, error)
	// ReopenAside lets one go on under the id that is answered.
	ReopenAside(ctx context.Context, key int64) (room.ID, error)
}

// Questions about what a node has set aside.
const (
	asideList   method[none, []actor.Aside] = "aside.list"
	asideLoad   method[int64, []byte]       = "aside.load"
	asideReopen method[int64, room.ID]      = "aside.reopen"
)

func (c *Cluster) serveAside() {
	here := c.o.Aside
	if here == nil {
		return
	}
	serve(c, asideList, func(ctx context.Context, _ none) ([]actor.Aside, error) { return here.ListAside(ctx) })
	serve(c, asideLoad, here.LoadAside)
	serve(c, asideReopen, here.ReopenAside)
}

// ListAside is what all nodes have set aside; partial says that one did not answer in time.
func (r Rooms) ListAside(ctx context.Context) (all []actor.Aside, partial bool, err error) {
	silent := scatter(ctx, r.c, append(r.c.others(), r.c.self), asideList, none{}, r.c.o.Gather, func(_ string, some []actor.Aside, wrong error) patience {
		partial = partial || wrong != nil
		all = append(all, some...)
		return goOn
	})
	return all, partial || len(silent) > 0, ctx.Err()
}

// LoadAside reads a copy from the node that has it.
func (r Rooms) LoadAside(ctx context.Context, node string, key int64) ([]byte, error) {
	return ask(ctx, r.c, node, asideLoad, key)
}

// ReopenAside lets a copy go on at the node that has it.
func (r Rooms) ReopenAside(ctx context.Context, node string, key int64) (room.ID, error) {
	return ask(ctx, r.c, node, asideReopen, key)
}
