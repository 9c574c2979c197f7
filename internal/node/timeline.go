package node

import (
	"context"
	"errors"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/timeline"
)

// timelines are those of all rooms: of live ones wherever they are, and of those whose replay is stored.
func (n *Node) timelines() (*timeline.Timelines, error) {
	return timeline.New(timeline.Options{
		Games: n.games, Clock: n.clock, Black: blackBox{n.journal.BlackBox()}, Live: n.allRooms().Log,
		Stored: func(ctx context.Context, id room.ID) (record.StoredReplay, error) {
			stored, err := n.store.Replay(ctx, id)
			if errors.Is(err, record.ErrNotFound) {
				err = actor.ErrNotFound
			}
			return stored, err
		},
	})
}

// forks make rooms at this node.
type forks struct{ n *Node }

func (f forks) ForkHeader(h record.Header) (record.Header, error) { return f.n.rooms.ForkHeader(h) }

func (f forks) Fork(ctx context.Context, kept record.Kept) error {
	if f.n.life.Err() != nil {
		return actor.ErrDraining
	}
	return f.n.owner.Fork(ctx, kept)
}
