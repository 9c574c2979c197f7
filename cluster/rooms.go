package cluster

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/roomring/roomring/cluster/locate"
	"github.com/roomring/roomring/cluster/rpc"
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

// Questions about rooms, most of them to the node that has one.
const (
	roomsInfo    rpc.Method[room.ID, actor.Info]          = "rooms.info"
	roomsFind    rpc.Method[string, actor.Info]           = "rooms.find"
	roomsList    rpc.Method[actor.Filter, []actor.Info]   = "rooms.list"
	roomsInspect rpc.Method[inspectAsk, actor.Inspection] = "rooms.inspect"
	roomsClose   rpc.Method[closeAsk, rpc.None]           = "rooms.close"
	roomsKick    rpc.Method[kickAsk, rpc.None]            = "rooms.kick"
	roomsSignal  rpc.Method[signalAsk, rpc.None]          = "rooms.signal"
	roomsWatch   rpc.Method[room.ID, actor.RoomEvent]     = "rooms.watch"
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
	here := c.o.Rooms
	rpc.Serve(c.Calls, roomsInfo, func(ctx context.Context, id room.ID) (actor.Info, error) {
		info, err := here.Read(ctx, id)
		return withoutReplay(info), err
	})
	rpc.Serve(c.Calls, roomsFind, func(ctx context.Context, code string) (actor.Info, error) {
		info, err := here.Find(ctx, code)
		if err == actor.ErrNotFound && !c.Locate.IsComplete() { // the room may be among those that are still being brought back
			err = actor.ErrUnreachable
		}
		return withoutReplay(info), err
	})
	rpc.Serve(c.Calls, roomsList, func(_ context.Context, f actor.Filter) ([]actor.Info, error) {
		if !c.Locate.IsComplete() {
			return nil, actor.ErrUnreachable
		}
		infos := here.List(f)
		for i := range infos {
			infos[i] = withoutReplay(infos[i])
			if m := c.members(infos[i].ID); m != nil && m.Standby != nil {
				infos[i].Standby = cmp.Or(m.Standby.Node, m.Standby.Folder)
			}
		}
		return infos, nil
	})
	rpc.Serve(c.Calls, roomsInspect, func(ctx context.Context, in inspectAsk) (actor.Inspection, error) {
		i, err := here.Inspect(ctx, in.Room, in.Look)
		i.Info = withoutReplay(i.Info)
		if err == nil {
			i.Members = c.members(in.Room)
		}
		return i, err
	})
	rpc.ServeAct(c.Calls, roomsClose, "close", func(in closeAsk) []any { return []any{"room", in.Room, "reason", in.Reason} },
		func(ctx context.Context, in closeAsk) error { return here.Close(ctx, in.Room, in.Reason) })
	rpc.ServeAct(c.Calls, roomsKick, "kick", func(in kickAsk) []any { return []any{"room", in.Room, "player", in.Player} },
		func(ctx context.Context, in kickAsk) error { return here.Kick(ctx, in.Room, in.Player) })
	rpc.ServeAct(c.Calls, roomsSignal, "signal", func(in signalAsk) []any { return []any{"room", in.Room, "signal", in.Name} },
		func(ctx context.Context, in signalAsk) error { return here.Signal(ctx, in.Room, in.Name, in.Data) })
	rpc.ServeWatch(c.Calls, roomsWatch, here.Watch)
	c.serveInspect()
	c.serveMembers()
	c.serveAside()
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

// Create makes a room. See placement.Placer.Create.
func (r Rooms) Create(ctx context.Context, want actor.Create) (actor.Info, error) {
	return r.c.Placer.Create(ctx, want)
}

// Match finds or makes a room with a seat for a player. See match.Matcher.Match.
func (r Rooms) Match(ctx context.Context, want actor.Match) (actor.Info, error) {
	return r.c.Match.Match(ctx, want)
}

// Attach brings a client of this node into a room, wherever it is, and again when it has moved. See relay.Edge.Attach.
func (r Rooms) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	return r.c.Edge.Attach(ctx, id, h, out)
}

// Info answers what anybody may know of a room, also of one that is over.
func (r Rooms) Info(ctx context.Context, id room.ID) (actor.Info, error) {
	info, err := locate.Ask(ctx, r.c.Locate, id, roomsInfo, id)
	if past, ok := errors.AsType[*locate.OverError](err); ok {
		return past.Info, nil
	}
	return info, err
}

// Find is a private room by its join code. It returns actor.ErrUnreachable for a code while a node is silent that may have the room.
func (r Rooms) Find(ctx context.Context, code string) (actor.Info, error) {
	c := r.c
	code = record.FoldCode(code) // nodes of an older version compare it as it is
	if code == "" {
		return actor.Info{}, actor.ErrNotFound
	}
	var found actor.Info
	var unsure []string
	silent := rpc.Scatter(ctx, c.Calls, c.Nodes.All(), roomsFind, code, c.o.Gather, func(node string, info actor.Info, err error) rpc.Next {
		if err != nil {
			if !errors.Is(err, actor.ErrNotFound) {
				unsure = append(unsure, node)
			}
			return rpc.Continue
		}
		found = info
		return rpc.Stop
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
	case errors.Is(err, record.ErrNotFound):
		return actor.Info{}, c.Locate.Unknown(ctx, append(silent, unsure...))
	}
	return actor.Info{}, actor.ErrUnreachable
}

// List gathers rooms from all nodes. The listing is partial when one did not answer within Options.Gather, or when
// the store holds one to be alive that nobody hears.
func (r Rooms) List(ctx context.Context, f actor.Filter) (actor.Listing, error) {
	c := r.c
	rooms := map[room.ID]actor.Info{}
	failed := false
	silent := rpc.Scatter(ctx, c.Calls, c.Nodes.All(), roomsList, f, c.o.Gather, func(_ string, infos []actor.Info, err error) rpc.Next {
		failed = failed || err != nil
		for _, info := range infos {
			if have, ok := rooms[info.ID]; !ok || info.Epoch > have.Epoch {
				rooms[info.ID] = info
			}
		}
		return rpc.Continue
	})
	if ctx.Err() != nil {
		return actor.Listing{}, ctx.Err()
	}
	out := slices.SortedFunc(maps.Values(rooms), func(a, b actor.Info) int { return cmp.Compare(a.ID, b.ID) })
	return actor.Listing{
		Rooms:   out[:min(len(out), f.PageSize())],
		Partial: failed || len(silent) > 0 || len(c.Nodes.Unheard(ctx)) > 0,
	}, nil
}

// Close ends a room from outside, with a reason that its players read.
func (r Rooms) Close(ctx context.Context, id room.ID, reason string) error {
	_, err := locate.Ask(ctx, r.c.Locate, id, roomsClose, closeAsk{id, reason})
	return locate.Living(err)
}

// Kick takes a player's seat away for good.
func (r Rooms) Kick(ctx context.Context, id room.ID, p room.PlayerID) error {
	_, err := locate.Ask(ctx, r.c.Locate, id, roomsKick, kickAsk{id, p})
	return locate.Living(err)
}

// Signal hands a signal to a room's game.
func (r Rooms) Signal(ctx context.Context, id room.ID, name string, data []byte) error {
	_, err := locate.Ask(ctx, r.c.Locate, id, roomsSignal, signalAsk{id, name, data})
	return locate.Living(err)
}

// Watch is actor.Directory.Watch, wherever the room is. A slow each holds up the link's flow of this one watch. Its queue at the
// room's node fills then, and the events missed are counted there.
func (r Rooms) Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) error {
	c := r.c
	node, err := c.Locate.Locate(ctx, id)
	if err != nil {
		return err
	}
	if node == c.Calls.Self() {
		return c.o.Rooms.Watch(ctx, id, each)
	}
	err = rpc.Watch(ctx, c.Calls, node, roomsWatch, id, each)
	_, silent := errors.AsType[*rpc.NoAnswerError](err)
	gone := errors.Is(err, actor.ErrNotFound)
	if silent || gone {
		c.Locate.Forget(id, node)
	}
	if gone {
		return actor.ErrUnreachable // it was there a moment ago
	}
	return err
}
