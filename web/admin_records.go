package web

import (
	"errors"
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// stored finds what a store has of a room, private or not.
func stored[T any](a *admin, r *http.Request, find func(Records, room.ID) (T, error)) (found T, id room.ID, err error) {
	if id, err = pathRoom(r, "room"); err != nil {
		return found, id, err
	}
	if a.opts.Records == nil {
		return found, id, notFound("There is no store.")
	}
	found, err = find(a.opts.Records, id)
	switch {
	case err == nil:
	case a.opts.Records.NotFound(err):
		err = notFound("The store has nothing of this room: it is not over, or is not kept any more.")
	case problemOf(err) == nil:
		a.opts.Log.Warn("the store did not answer", "err", err)
		err = errStoreAway
	}
	return found, id, err
}

func (a *admin) getResult(w http.ResponseWriter, r *http.Request) error {
	result, _, err := stored(a, r, func(s Records, id room.ID) (record.StoredResult, error) { return s.Result(r.Context(), id) })
	if err == nil {
		writeJSON(w, http.StatusOK, bodyOfResult(result))
	}
	return err
}

func (a *admin) getReplay(w http.ResponseWriter, r *http.Request) error {
	replay, id, err := stored(a, r, func(s Records, id room.ID) (record.StoredReplay, error) { return s.Replay(r.Context(), id) })
	if err != nil {
		return err
	}
	err = writeFile(w, id, replay)
	if cut, begun := errors.AsType[cutError](err); begun {
		a.opts.Log.Debug("a replay was cut short", "room", id, "err", cut.error)
		panic(http.ErrAbortHandler) // so that the client sees that it is not whole
	}
	return err
}
