package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/roomring/roomring/cluster/locate"
	"github.com/roomring/roomring/cluster/relay"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

const (
	// roomsQueues asks a node what waits there for its clients that are in a room elsewhere.
	roomsQueues rpc.Method[room.ID, []relay.Queue] = "rooms.queues"
	// roomsPanicked asks a node for a room as a panic of its game left it there; nil: the node knows of none.
	roomsPanicked rpc.Method[room.ID, *actor.Inspection] = "rooms.panicked"
	roomsLog      rpc.Method[logAsk, actor.Log]          = "rooms.log"
	roomsActFor   rpc.Method[actForAsk, rpc.None]        = "rooms.act_for"
)

type logAsk struct {
	Room  room.ID    `json:"room"`
	After room.Index `json:"after,omitempty"`
}

type actForAsk struct {
	Room   room.ID         `json:"room"`
	Player room.PlayerID   `json:"player"`
	Action json.RawMessage `json:"action"`
}

func (c *Cluster) serveInspect() {
	rpc.Serve(c.Calls, roomsQueues, func(_ context.Context, id room.ID) ([]relay.Queue, error) { return c.Edge.Queues(id), nil })
	rpc.Serve(c.Calls, roomsPanicked, func(_ context.Context, id room.ID) (*actor.Inspection, error) { return c.o.Rooms.Panicked(id), nil })
	rpc.Serve(c.Calls, roomsLog, func(ctx context.Context, in logAsk) (actor.Log, error) { return c.o.Rooms.Log(ctx, in.Room, in.After) })
	rpc.ServeAct(c.Calls, roomsActFor, "act", func(in actForAsk) []any { return []any{"room", in.Room, "player", in.Player} },
		func(ctx context.Context, in actForAsk) error {
			err := c.o.Rooms.ActFor(ctx, in.Room, in.Player, in.Action)
			if why, refused := errors.AsType[*room.Refusal](err); refused {
				return unquoted{why}
			}
			return err
		})
}

// unquoted is a refusal that is logged without its reason, which may quote what was played.
type unquoted struct{ why *room.Refusal }

func (u unquoted) Error() string { return "refused: " + u.why.Code }
func (u unquoted) Unwrap() error { return u.why }

// Log returns the log of a live room. See actor.Directory.
func (r Rooms) Log(ctx context.Context, id room.ID, after room.Index) (actor.Log, error) {
	log, err := locate.Ask(ctx, r.c.Locate, id, roomsLog, logAsk{id, after})
	return log, locate.Living(err)
}

// ActFor acts for a player, if the room's node allows it. See actor.Directory.
func (r Rooms) ActFor(ctx context.Context, id room.ID, p room.PlayerID, action json.RawMessage) error {
	_, err := locate.Ask(ctx, r.c.Locate, id, roomsActFor, actForAsk{id, p, action})
	return locate.Living(err)
}

// Inspect looks into a room for the operator. See actor.Directory. The node that has a session's socket knows what waits for the
// session. If it does not answer in time, nothing seems to wait.
func (r Rooms) Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error) {
	i, err := locate.Ask(ctx, r.c.Locate, id, roomsInspect, inspectAsk{id, look})
	if err != nil {
		return r.panicked(ctx, id, locate.Living(err))
	}
	elsewhere := map[string]bool{}
	for _, s := range i.Sessions {
		if s.Edge != i.Info.Node {
			elsewhere[s.Edge] = true
		}
	}
	edges := slices.Collect(maps.Keys(elsewhere))
	rpc.Scatter(ctx, r.c.Calls, edges, roomsQueues, id, r.c.o.Ask, func(edge string, queues []relay.Queue, _ error) rpc.Next {
		for _, q := range queues {
			for n := range i.Sessions {
				if s := &i.Sessions[n]; s.Edge == edge && s.Client == q.Client && s.Attempt == q.Attempt {
					q.Queue.Unanswered = s.Queue.Unanswered // which the room knows best
					s.Queue = q.Queue
				}
			}
		}
		return rpc.Continue
	})
	return i, ctx.Err()
}

// panicked is a room that a panic has ended at some node, which remembers it for a while. Where no node does, it is err.
func (r Rooms) panicked(ctx context.Context, id room.ID, err error) (i actor.Inspection, _ error) {
	if !errors.Is(err, actor.ErrNotFound) {
		return i, err
	}
	rpc.Scatter(ctx, r.c.Calls, r.c.Nodes.All(), roomsPanicked, id, r.c.o.Ask, func(_ string, left *actor.Inspection, wrong error) rpc.Next {
		if wrong != nil || left == nil {
			return rpc.Continue
		}
		i, err = *left, nil
		return rpc.Stop
	})
	return i, err
}
