package admin

import (
	"context"
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

// Records is what the store has of finished games. Its methods are those of package api's Records.
type Records interface {
	Result(ctx context.Context, id room.ID) (record.StoredResult, error)
	Replay(ctx context.Context, id room.ID) (record.StoredReplay, error)
	Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error)
	NotFound(err error) bool
}

// stored finds what a store has of a room, private or not.
func stored[T any](a *handler, r *http.Request, find func(Records, room.ID) (T, error)) (found T, id room.ID, err error) {
	if id, err = body.PathRoom(r, "room"); err != nil {
		return found, id, err
	}
	if a.opts.Records == nil {
		return found, id, rest.NotFound("There is no store.")
	}
	found, err = find(a.opts.Records, id)
	switch {
	case err == nil:
	case a.opts.Records.NotFound(err):
		err = rest.NotFound("The store has nothing of this room: it is not over, or is not kept any more.")
	default:
		err = rest.StoreAway(a.opts.Log, err)
	}
	return found, id, err
}

func (a *handler) getResult(w http.ResponseWriter, r *http.Request) error {
	result, _, err := stored(a, r, func(s Records, id room.ID) (record.StoredResult, error) { return s.Result(r.Context(), id) })
	if err == nil {
		rest.WriteJSON(w, http.StatusOK, body.ResultOf(result))
	}
	return err
}

func (a *handler) getReplay(w http.ResponseWriter, r *http.Request) error {
	replay, id, err := stored(a, r, func(s Records, id room.ID) (record.StoredReplay, error) { return s.Replay(r.Context(), id) })
	if err != nil {
		return err
	}
	return body.WriteReplay(w, a.opts.Log, id, replay)
}
