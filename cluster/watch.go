package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// roomsWatch is the question whose answers are a room's events.
const roomsWatch = "rooms.watch"

func (c *Cluster) serveWatch() {
	c.calls.HandleWatch(roomsWatch, func(ctx context.Context, _ link.Peer, body []byte, send func([]byte) error) error {
		var id room.ID
		if err := json.Unmarshal(body, &id); err != nil {
			return fmt.Errorf("the question %s: %w", roomsWatch, err)
		}
		return c.o.Rooms.Watch(ctx, id, func(e actor.RoomEvent) error {
			data, err := json.Marshal(e)
			if err != nil {
				return err
			}
			return send(data)
		})
	})
}

// Watch is actor.Directory's, wherever the room is. A slow each holds up the link's flow of this one watch, whose
// queue at the room's node then fills: the events missed are counted there.
func (r Rooms) Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) error {
	c := r.c
	node, err := c.Locate(ctx, id)
	if err != nil {
		return err
	}
	if node == c.self {
		return c.o.Rooms.Watch(ctx, id, each)
	}
	body, err := json.Marshal(id)
	if err != nil {
		return err
	}
	var own error // of this side
	err = c.links.Watch(ctx, node, roomsWatch, body, func(data []byte) error {
		var e actor.RoomEvent
		if err := json.Unmarshal(data, &e); err != nil {
			own = fmt.Errorf("an event of room %s from node %s: %w", id, node, err)
		} else {
			own = each(e)
		}
		return own
	})
	if remote, ok := errors.AsType[*link.RemoteError](err); ok {
		err = decodeError(remote.Body)
	} else if err != nil && own == nil && ctx.Err() == nil {
		c.Forget(id, node)
		return &callError{node, err}
	}
	if errors.Is(err, actor.ErrNotFound) {
		c.Forget(id, node)
		return actor.ErrUnreachable // it was there a moment ago
	}
	return err
}
