package cluster

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Rooms are the rooms of the whole cluster, with the methods that a node's edge and its admin ask for. Errors are those
// of actor.Directory, and actor.ErrUnreachable while nobody can say. Every method waits for other nodes, until ctx ends.
type Rooms struct{ c *Cluster }

// Rooms are the rooms of the whole cluster.
func (c *Cluster) Rooms() Rooms { return Rooms{c} }

// Questions about one room, to the node that has it.
const (
	roomsInfo    method[room.ID, actor.Info]          = "rooms.info"
	roomsFind    method[string, actor.Info]           = "rooms.find"
	roomsList    method[actor.Filter, []actor.Info]   = "rooms.list"
	roomsInspect method[inspectAsk, actor.Inspection] = "rooms.inspect"
	roomsClose   method[closeAsk, none]               = "rooms.close"
	roomsKick    method[kickAsk, none]                = "rooms.kick"
	roomsSignal  method[signalAsk, none]              = "rooms.signal"
)

type inspectAsk struct {
	Room room.ID    `json:"room"`
	Look actor.Look `json:"look"`
}

type closeAsk struct {
	Room   room.ID `json:"room"`
	Reason string  `json:"reason"`
}

type kickAsk struct {
	Room   room.ID       `json:"room"`
	Player room.PlayerID `json:"player"`
}

type signalAsk struct {
	Room room.ID `json:"room"`
	Name string  `json:"name"`
	Data []byte  `json:"data"`
}

func (c *Cluster) serveRooms() {
	c.serveWatch()
	c.serveAside()
	here := c.o.Rooms
	serve(c, roomsWhere, c.serveWhere)
	serve(c, roomsCreate, here.Create)
	serve(c, roomsInfo, func(_ context.Context, id room.ID) (actor.Info, error) {
		info, err := here.Info(id)
		return withoutReplay(info), err
	})
	serve(c, roomsFind, func(_ context.Context, code string) (actor.Info, error) {
		info, err := here.Find(code)
		if err == actor.ErrNotFound && !c.started.Load() { // it may be among those that are still being brought back
			err = actor.ErrUnreachable
		}
		return withoutReplay(info), err
	})
	serve(c, roomsList, func(_ context.Context, f actor.Filter) ([]actor.Info, error) {
		if !c.started.Load() { // rooms are still being brought back
			return nil, actor.ErrUnreachable
		}
		infos := here.List(f)
		for i := range infos {
			infos[i] = withoutReplay(infos[i])
		}
		return infos, nil
	})
	serve(c, roomsInspect, func(ctx context.Context, in inspectAsk) (actor.Inspection, error) {
		i, err := here.Inspect(ctx, in.Room, in.Look)
		i.Info = withoutReplay(i.Info)
		return i, err
	})
	serve(c, roomsPanicked, func(_ context.Context, id room.ID) (*actor.Inspection, error) { return here.Panicked(id), nil })
	serve(c, roomsQueues, c.serveQueues)
	serveAct(c, roomsClose, "close", func(in closeAsk) []any { return []any{"room", in.Room, "reason", in.Reason} },
		func(ctx context.Context, in closeAsk) error { return here.Close(ctx, in.Room, in.Reason) })
	serveAct(c, roomsKick, "kick", func(in kickAsk) []any { return []any{"room", in.Room, "player", in.Player} },
		func(ctx context.Context, in kickAsk) error { return here.Kick(ctx, in.Room, in.Player) })
	serveAct(c, roomsSignal, "signal", func(in signalAsk) []any { return []any{"room", in.Room, "signal", in.Name} },
		func(ctx context.Context, in signalAsk) error { return here.Signal(ctx, in.Room, in.Name, in.Data) })
}

// withoutReplay leaves out the whole log of a room that is over: it is long, and nobody reads it from an Info.
func withoutReplay(i actor.Info) actor.Info {
	if i.Final != nil && i.Final.Replay != nil {
		final := *i.Final
		final.Replay = nil
		i.Final = &final
	}
	return i
}

// findTimes bounds how often a question goes after a room that moves.
const findTimes = 3

// at asks the node that has a room, and looks for it again when it is not there any more. What may have been done by a
// node that did not answer is not tried again.
func at[In, Out any](ctx context.Context, c *Cluster, id room.ID, m method[In, Out], in In) (out Out, err error) {
	for range findTimes {
		var node string
		if node, err = c.Locate(ctx, id); err != nil {
			return out, err
		}
		out, err = ask(ctx, c, node, m, in)
		switch {
		case errors.Is(err, actor.ErrNotFound), errors.Is(err, link.ErrNoPeer):
			c.Forget(id, node)
		case unanswered(err):
			c.Forget(id, node)
			return out, err
		default:
			return out, err
		}
	}
	if errors.Is(err, actor.ErrNotFound) {
		err = actor.ErrUnreachable // it was somewhere a moment ago
	}
	return out, err
}

// Info answers what anybody may know of a room, also of one that is over.
func (r Rooms) Info(ctx context.Context, id room.ID) (actor.Info, error) {
	info, err := at(ctx, r.c, id, roomsInfo, id)
	if past, ok := errors.AsType[*overError](err); ok {
		return past.info, nil
	}
	return info, err
}

// Find is a private room by its join code.
func (r Rooms) Find(ctx context.Context, code string) (actor.Info, error) {
	c := r.c
	code = record.FoldCode(code) // nodes of an older version take it as it stands
	if code == "" {
		return actor.Info{}, actor.ErrNotFound
	}
	var found actor.Info
	var unsure []string
	silent := scatter(ctx, c, append(c.others(), c.self), roomsFind, code, c.o.Gather, func(node string, info actor.Info, err error) patience {
		if err != nil {
			if !errors.Is(err, actor.ErrNotFound) {
				unsure = append(unsure, node)
			}
			return goOn
		}
		found = info
		return enough
	})
	if found.ID != "" {
		return found, nil
	}
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Gather)
	defer cancel()
	row, err := c.o.Store.RowByCode(limited, code)
	switch {
	case err == nil:
		return r.Info(ctx, row.Room)
	case errors.Is(err, ErrNoRow):
		return actor.Info{}, c.unknown(ctx, append(silent, unsure...))
	}
	return actor.Info{}, actor.ErrUnreachable
}

// List gathers rooms from all nodes. The listing is partial when one did not answer within Options.Gather, or when
// the store holds one to be alive that nobody hears.
func (r Rooms) List(ctx context.Context, f actor.Filter) (actor.Listing, error) {
	c := r.c
	rooms := map[room.ID]actor.Info{}
	failed := false
	silent := scatter(ctx, c, append(c.others(), c.self), roomsList, f, c.o.Gather, func(_ string, infos []actor.Info, err error) patience {
		failed = failed || err != nil
		for _, info := range infos {
			if have, ok := rooms[info.ID]; !ok || info.Epoch > have.Epoch {
				rooms[info.ID] = info
			}
		}
		return goOn
	})
	if ctx.Err() != nil {
		return actor.Listing{}, ctx.Err()
	}
	out := slices.SortedFunc(maps.Values(rooms), func(a, b actor.Info) int { return cmp.Compare(a.ID, b.ID) })
	return actor.Listing{
		Rooms:   out[:min(len(out), f.PageSize())],
		Partial: failed || len(silent) > 0 || len(c.unheard(c.boots.get(ctx, c))) > 0,
	}, nil
}

// Attach brings a client of this node into a room. See Cluster.Attach.
func (r Rooms) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	return r.c.Attach(ctx, id, h, out)
}

// Close ends a room from outside, with a reason that its players read.
func (r Rooms) Close(ctx context.Context, id room.ID, reason string) error {
	_, err := at(ctx, r.c, id, roomsClose, closeAsk{id, reason})
	return living(err)
}

// Kick takes a player's seat away for good.
func (r Rooms) Kick(ctx context.Context, id room.ID, p room.PlayerID) error {
	_, err := at(ctx, r.c, id, roomsKick, kickAsk{id, p})
	return living(err)
}

// Signal hands a signal to a room's game.
func (r Rooms) Signal(ctx context.Context, id room.ID, name string, data []byte) error {
	_, err := at(ctx, r.c, id, roomsSignal, signalAsk{id, name, data})
	return living(err)
}

// living makes a room that is over one that is not there, for those who can only do something to living ones.
func living(err error) error {
	if _, over := errors.AsType[*overError](err); over {
		return actor.ErrNotFound
	}
	return err
}
