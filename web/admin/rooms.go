package admin

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

const maxSearch = 64 // bytes of a text to search for

func (a *handler) getRooms(w http.ResponseWriter, r *http.Request) error {
	q := rest.QueryOf(r)
	filter := body.ReadFilter(q)
	filter.Node, filter.Search, filter.Hidden = q.Text("node"), q.Text("search"), q.Flag("private")
	if !text.Valid(filter.Search, 0, maxSearch) {
		q.Fail("search", "Search for at most 64 bytes of UTF-8.")
	}
	if !text.Valid(filter.Node, 0, text.MaxName) {
		q.Fail("node", "That is no node's name: GET /admin/v1/nodes lists them.")
	}
	if q.Err != nil {
		return q.Err
	}
	filter.Private = true
	list, err := a.opts.Rooms.List(r.Context(), filter)
	if err != nil {
		return err
	}
	if body.UnknownGame(a.games, filter.Game, list) {
		return rest.UnknownGame()
	}
	out := body.Rooms{Rooms: make([]body.Room, len(list.Rooms)), Next: body.NextPage(list.Rooms, filter.Limit), Partial: list.Partial}
	for i, info := range list.Rooms {
		out.Rooms[i] = body.RoomOf(info)
		out.Rooms[i].Code, out.Rooms[i].Standby = info.Code, info.Standby
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *handler) postClose(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Reason string `json:"reason"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !text.Valid(in.Reason, 0, wire.MaxCloseReason) {
		return rest.BadField("reason", "A reason is at most 123 bytes of UTF-8 without control characters.")
	}
	in.Reason = cmp.Or(in.Reason, "closed by the operator")
	err = a.opts.Rooms.Close(r.Context(), id, in.Reason)
	return a.done(w, r, err, "close", id, slog.String("reason", in.Reason))
}

func (a *handler) postKick(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Player string `json:"player"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !text.Valid(in.Player, 1, room.MaxPlayerID) {
		return rest.BadField("player", "Say which player: 1 to 128 bytes of UTF-8.")
	}
	err = a.opts.Rooms.Kick(r.Context(), id, room.PlayerID(in.Player))
	return a.done(w, r, err, "kick", id, slog.String("player", in.Player))
}

const maxSignal = 64 // bytes of a signal's name

func (a *handler) postSignal(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !text.Valid(in.Name, 1, maxSignal) {
		return rest.BadField("name", "Say which signal: 1 to 64 bytes of UTF-8.")
	}
	err = a.opts.Rooms.Signal(r.Context(), id, in.Name, in.Data)
	return a.done(w, r, err, "signal", id, slog.String("signal", in.Name))
}

// action reads the room and the body of a request for an action on a room.
func (a *handler) action(w http.ResponseWriter, r *http.Request, into any) (room.ID, error) {
	id, err := body.PathRoom(r, "id")
	if err != nil {
		return "", err
	}
	return id, rest.ReadJSON(w, r, a.opts.MaxBody, into)
}

// done logs an action on a room that was done or has failed, and answers it.
func (a *handler) done(w http.ResponseWriter, r *http.Request, err error, action string, id room.ID, what slog.Attr) error {
	a.audit(r, err, action, slog.String("room", string(id)), what)
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// audit logs an action: by whom, asked of which node, and how it ended.
func (a *handler) audit(r *http.Request, err error, action string, what ...slog.Attr) {
	outcome := "done"
	if err != nil {
		outcome = err.Error()
	}
	by := "bearer of the admin token"
	if a.opts.Token == "" {
		by = "anybody on this machine"
	}
	attrs := append([]slog.Attr{slog.String("action", action)}, what...)
	attrs = append(attrs, slog.String("node", a.opts.Cluster.Self()), slog.String("by", by), slog.String("from", r.RemoteAddr), slog.String("outcome", outcome))
	a.opts.Log.LogAttrs(r.Context(), slog.LevelInfo, "admin action", attrs...)
}
