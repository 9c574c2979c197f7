package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// Aside is what the operator may do with copies of rooms that were set aside. Errors are actor.ErrNotFound, and a *room.Refusal when
// a room cannot go on.
type Aside interface {
	ListAside(ctx context.Context) (all []actor.Aside, partial bool, err error)
	// LoadAside reads a copy, as core.EncodeKept packs it.
	LoadAside(ctx context.Context, node string, key int64) ([]byte, error)
	// ReopenAside has a copy go on as a room, and returns its id.
	ReopenAside(ctx context.Context, node string, key int64) (room.ID, error)
}

func (a *handler) getAsides(w http.ResponseWriter, r *http.Request) error {
	all, partial, err := a.opts.Aside.ListAside(r.Context())
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusOK, struct {
		Rooms   []actor.Aside `json:"rooms"`
		Partial bool          `json:"partial,omitempty"`
	}{body.NonNil(all), partial})
	return nil
}

// pathAside is the copy that a request names.
func pathAside(r *http.Request) (node string, key int64, err error) {
	node = r.PathValue("node")
	key, bad := strconv.ParseInt(r.PathValue("key"), 10, 64)
	if bad != nil || key < 1 || !text.Valid(node, 1, text.MaxName) {
		return "", 0, rest.NotFound("There is no such copy: GET /admin/v1/set-aside lists them.")
	}
	return node, key, nil
}

func (a *handler) getAside(w http.ResponseWriter, r *http.Request) error {
	node, key, err := pathAside(r)
	if err != nil {
		return err
	}
	data, err := a.opts.Aside.LoadAside(r.Context(), node, key)
	a.audit(r, err, "fetch", slog.String("target", node), slog.Int64("key", key))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", body.OctetStream)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%d.room"`, key))
	w.Write(data) // the client has gone if this fails
	return nil
}

func (a *handler) postReopen(w http.ResponseWriter, r *http.Request) error {
	node, key, err := pathAside(r)
	if err != nil {
		return err
	}
	if err := rest.ReadJSON(w, r, a.opts.MaxBody, &struct{}{}); err != nil {
		return err
	}
	id, err := a.opts.Aside.ReopenAside(r.Context(), node, key)
	a.audit(r, err, "restore", slog.String("target", node), slog.Int64("key", key), slog.String("room", string(id)))
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusOK, struct {
		Room room.ID `json:"room"`
		Node string  `json:"node"`
	}{id, node})
	return nil
}

// noneAside is a server that sets nothing aside.
type noneAside struct{}

func (noneAside) ListAside(context.Context) ([]actor.Aside, bool, error) { return nil, false, nil }

func (noneAside) LoadAside(context.Context, string, int64) ([]byte, error) {
	return nil, actor.ErrNotFound
}

func (noneAside) ReopenAside(context.Context, string, int64) (room.ID, error) {
	return "", actor.ErrNotFound
}
