package cluster

import (
	"context"

	"github.com/roomring/roomring/cluster/rpc"
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
	asideList   rpc.Method[rpc.None, []actor.Aside] = "aside.list"
	asideLoad   rpc.Method[int64, []byte]           = "aside.load"
	asideReopen rpc.Method[int64, room.ID]          = "aside.reopen"
)

func (c *Cluster) serveAside() {
	here := c.o.Aside
	if here == nil {
		return
	}
	rpc.Serve(c.Calls, asideList, func(ctx context.Context, _ rpc.None) ([]actor.Aside, error) { return here.ListAside(ctx) })
	rpc.Serve(c.Calls, asideLoad, here.LoadAside)
	rpc.Serve(c.Calls, asideReopen, here.ReopenAside)
}

// ListAside is what all nodes have set aside; partial says that one did not answer in time.
func (r Rooms) ListAside(ctx context.Context) (all []actor.Aside, partial bool, err error) {
	silent := rpc.Scatter(ctx, r.c.Calls, r.c.Nodes.All(), asideList, rpc.None{}, r.c.o.Gather, func(_ string, some []actor.Aside, wrong error) rpc.Next {
		partial = partial || wrong != nil
		all = append(all, some...)
		return rpc.Continue
	})
	return all, partial || len(silent) > 0, ctx.Err()
}

// LoadAside reads a copy from the node that has it.
func (r Rooms) LoadAside(ctx context.Context, node string, key int64) ([]byte, error) {
	return rpc.Ask(ctx, r.c.Calls, node, asideLoad, key)
}

// ReopenAside lets a copy go on at the node that has it.
func (r Rooms) ReopenAside(ctx context.Context, node string, key int64) (room.ID, error) {
	return rpc.Ask(ctx, r.c.Calls, node, asideReopen, key)
}
