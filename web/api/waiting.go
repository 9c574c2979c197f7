package api

import (
	"context"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/httpd"
)

// waitingRooms has no turn while rooms are made and asked.
type waitingRooms struct{ Rooms }

func (r waitingRooms) Create(ctx context.Context, c actor.Create) (actor.Info, error) {
	defer httpd.Waiting(ctx)()
	return r.Rooms.Create(ctx, c)
}

func (r waitingRooms) Match(ctx context.Context, m actor.Match) (actor.Info, error) {
	defer httpd.Waiting(ctx)()
	return r.Rooms.Match(ctx, m)
}

func (r waitingRooms) Info(ctx context.Context, id room.ID) (actor.Info, error) {
	defer httpd.Waiting(ctx)()
	return r.Rooms.Info(ctx, id)
}

func (r waitingRooms) Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error) {
	defer httpd.Waiting(ctx)()
	return r.Rooms.Inspect(ctx, id, look)
}

func (r waitingRooms) Find(ctx context.Context, code string) (actor.Info, error) {
	defer httpd.Waiting(ctx)()
	return r.Rooms.Find(ctx, code)
}

func (r waitingRooms) List(ctx context.Context, f actor.Filter) (actor.Listing, error) {
	defer httpd.Waiting(ctx)()
	return r.Rooms.List(ctx, f)
}

// waitingRecords has no turn while the store is asked.
type waitingRecords struct{ Records }

func (r waitingRecords) Result(ctx context.Context, id room.ID) (record.StoredResult, error) {
	defer httpd.Waiting(ctx)()
	return r.Records.Result(ctx, id)
}

func (r waitingRecords) Replay(ctx context.Context, id room.ID) (record.StoredReplay, error) {
	defer httpd.Waiting(ctx)()
	return r.Records.Replay(ctx, id)
}

func (r waitingRecords) Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error) {
	defer httpd.Waiting(ctx)()
	return r.Records.Player(ctx, id, all)
}

func (r waitingRecords) Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error) {
	defer httpd.Waiting(ctx)()
	return r.Records.Leaderboard(ctx, game, after, limit)
}
