package node

import (
	"context"
	"errors"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/match"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/ws"
)

// rooms is what players and the operator need of all rooms.
type rooms interface {
	api.Rooms
	ws.Rooms
	admin.Rooms
	admin.Aside
	Log(ctx context.Context, id room.ID, after room.Index) (actor.Log, error)
}

// allRooms returns the rooms of the cluster or, outside one, this node's.
func (n *Node) allRooms() rooms {
	if n.cluster != nil {
		return n.cluster.Rooms()
	}
	return directory{n.rooms, n.matches, n.store, setAside{n}}
}

// directory is the rooms of a node outside a cluster: those that live here, and those whose results are stored.
type directory struct {
	*actor.Directory
	*match.Maker
	store    persist.Store
	setAside setAside
}

func (d directory) Info(ctx context.Context, id room.ID) (actor.Info, error) {
	info, err := d.Directory.Read(ctx, id)
	if err == actor.ErrNotFound {
		return d.past(ctx, id)
	}
	return info, err
}

// past looks up a room that is not in this node's memory. It returns ErrNotFound only if the store knows no such room, and
// ErrUnreachable while the store is away or another node has the room.
func (d directory) past(ctx context.Context, id room.ID) (actor.Info, error) {
	result, err := d.store.Result(ctx, id)
	if err == nil {
		return pastInfo(result), nil
	}
	if errors.Is(err, record.ErrNotFound) {
		_, err = d.store.Row(ctx, id)
	}
	if errors.Is(err, record.ErrNotFound) {
		return actor.Info{}, actor.ErrNotFound
	}
	return actor.Info{}, actor.ErrUnreachable
}

// Create creates a room for the program. The errors are those of package actor, or a [*room.Refusal] of the options.
func (n *Node) Create(ctx context.Context, c actor.Create) (actor.Info, error) {
	if n.life.Err() != nil {
		return actor.Info{}, actor.ErrDraining
	}
	return n.allRooms().Create(ctx, c)
}

// Signal sends the program's signal to a room's game, on whichever node the room is, and returns the game's answer.
func (n *Node) Signal(ctx context.Context, id room.ID, name string, data []byte) error {
	return n.allRooms().Signal(ctx, id, name, data)
}

// CloseRoom ends a room for good, on whichever node it is.
func (n *Node) CloseRoom(ctx context.Context, id room.ID, reason string) error {
	return n.allRooms().Close(ctx, id, reason)
}

func pastInfo(r record.StoredResult) actor.Info {
	return actor.Info{
		ID: r.Room, Game: r.Game, Version: r.Version, Phase: core.PhaseOver,
		Epoch: r.Point.Epoch, Index: r.Point.Seq, Final: &r.Final, Private: r.Readers != nil,
	}
}

func (d directory) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	s, err := d.Directory.Attach(ctx, id, h, out)
	if !errors.Is(err, actor.ErrNotFound) {
		return s, err
	}
	info, err := d.past(ctx, id)
	if err != nil {
		return nil, err
	}
	return nil, &actor.CloseError{Code: wire.CloseOver, Reason: "the room is over", Over: new(info.Final.OverFor(h.Player))}
}

func (d directory) Find(ctx context.Context, code string) (actor.Info, error) {
	return d.Directory.Find(ctx, code)
}

func (d directory) List(_ context.Context, f actor.Filter) (actor.Listing, error) {
	return actor.Listing{Rooms: d.Directory.List(f)}, nil
}
