package web

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/roomring/roomring/room"
)

const maxSearch = 64 // bytes of what rooms are searched for

func (a *admin) getRooms(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	filter := q.filter()
	filter.Node, filter.Search, filter.Hidden = q.text("node"), q.text("search"), q.flag("private")
	if !validText(filter.Search, 0, maxSearch) {
		q.fail("search", "Search for at most 64 bytes of UTF-8.")
	}
	if !validText(filter.Node, 0, maxName) {
		q.fail("node", "That is no node's name: GET /admin/v1/nodes lists them.")
	}
	if q.err != nil {
		return q.err
	}
	filter.Private = true
	list, err := a.opts.Rooms.List(r.Context(), filter)
	if err != nil {
		return err
	}
	if nobodyHas(a.games, filter.Game, list) {
		return unknownGame()
	}
	out := roomsBody{Rooms: make([]roomBody, len(list.Rooms)), Next: nextPage(list.Rooms, filter.Limit), Partial: list.Partial}
	for i, info := range list.Rooms {
		out.Rooms[i] = bodyOf(info)
		out.Rooms[i].Code = info.Code
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

const maxReason = 123 // bytes: what fits beside a close code (RFC 6455, section 5.5)

func (a *admin) postClose(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Reason string `json:"reason"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !validText(in.Reason, 0, maxReason) {
		return badField("reason", "A reason is at most 123 bytes of UTF-8 without control characters.")
	}
	setDefault(&in.Reason, "closed by the operator")
	err = a.opts.Rooms.Close(r.Context(), id, in.Reason)
	return a.done(w, r, err, "close", id, slog.String("reason", in.Reason))
}

func (a *admin) postKick(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Player string `json:"player"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !validText(in.Player, 1, room.MaxPlayerID) {
		return badField("player", "Say which player: 1 to 128 bytes of UTF-8.")
	}
	err = a.opts.Rooms.Kick(r.Context(), id, room.PlayerID(in.Player))
	return a.done(w, r, err, "kick", id, slog.String("player", in.Player))
}

const maxSignal = 64 // bytes of a signal's name

func (a *admin) postSignal(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !validText(in.Name, 1, maxSignal) {
		return badField("name", "Say which signal: 1 to 64 bytes of UTF-8.")
	}
	err = a.opts.Rooms.Signal(r.Context(), id, in.Name, in.Data)
	return a.done(w, r, err, "signal", id, slog.String("signal", in.Name))
}

// action reads what all actions on a room have in common.
func (a *admin) action(w http.ResponseWriter, r *http.Request, into any) (room.ID, error) {
	id, err := pathRoom(r, "id")
	if err != nil {
		return "", err
	}
	return id, readJSON(w, r, a.opts.MaxBody, into)
}

// done writes the audit line of an action on a room, taken or failed, and answers it.
func (a *admin) done(w http.ResponseWriter, r *http.Request, err error, action string, id room.ID, what slog.Attr) error {
	a.audit(r, err, action, slog.String("room", string(id)), what)
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// audit logs what was done or tried: by whom, asked of which node, and what came of it.
func (a *admin) audit(r *http.Request, err error, action string, what ...slog.Attr) {
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
