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

// roomsWatch is a question whose answers are actor.RoomEvents.
const roomsWatch = "rooms.watch"

func (c *Cluster) serveWatches() {
	c.calls.HandleWatch(roomsWatch, func(ctx context.Context, _ link.Peer, body []byte, send func([]byte) error) error {
		var id room.ID
		if err := json.Unmarshal(body, &id); err != nil {
			return fmt.Errorf("the question %s: %w", roomsWatch, err)
		}
		return c.o.Rooms.Watch(ctx, id, func(e actor.RoomEvent) error {
			event, err := json.Marshal(e)
			if err != nil {
				return err
			}
			return send(event)
		})
	})
}

// Watch is actor.Directory.Watch, wherever the room is. It ends where the room moves: who asks again sees it there. A node
// that is lost meanwhile is an ErrUnreachable.
func (r Rooms) Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) (err error) {
	for range findTimes {
		var node string
		if node, err = r.c.Locate(ctx, id); err != nil {
			return err
		}
		if node == r.c.self {
			return r.c.o.Rooms.Watch(ctx, id, each)
		}
		if err = r.c.watchAt(ctx, node, id, each); !errors.Is(err, actor.ErrNotFound) && !errors.Is(err, link.ErrNoPeer) {
			return err
		}
		r.c.Forget(id, node)
	}
	return err
}

func (c *Cluster) watchAt(ctx context.Context, node string, id room.ID, each func(actor.RoomEvent) error) error {
	body, err := json.Marshal(id)
	if err != nil {
		return err
	}
	var own error // of each
	err = c.links.Watch(ctx, node, roomsWatch, body, func(answer []byte) error {
		var e actor.RoomEvent
		if own = json.Unmarshal(answer, &e); own == nil {
			own = each(e)
		}
		return own
	})
	remote, answered := errors.AsType[*link.RemoteError](err)
	switch {
	case err == nil, own != nil:
		return own
	case answered:
		return decodeError(remote.Body)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, link.ErrNoPeer):
		return err
	}
	return &callError{node, err}
}
