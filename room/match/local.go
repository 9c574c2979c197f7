package match

import (
	"context"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// Local returns the Seats of one node's rooms.
func Local(d *actor.Directory) Seats { return local{d} }

type local struct{ rooms *actor.Directory }

// Seat tries again when the best room has no seat any more: players also join without a Maker.
func (l local) Seat(ctx context.Context, want actor.Match) (actor.Info, error) {
	for {
		best, ok := l.rooms.Candidate(want)
		if !ok {
			return actor.Info{}, actor.ErrNotFound
		}
		if info, err := l.rooms.Seat(ctx, best.Room, want.Player, want.From); err != actor.ErrNotFound {
			return info, err
		}
	}
}

func (l local) Renew(ctx context.Context, id room.ID, want actor.Match) (actor.Info, error) {
	return l.rooms.Seat(ctx, id, want.Player, want.From)
}

func (l local) Make(ctx context.Context, want actor.Match) (actor.Info, error) {
	return l.rooms.Create(ctx, actor.Create{
		Game: want.Game, Options: want.Options, By: want.Player, From: want.From, Reserve: []room.PlayerID{want.Player},
	})
}
