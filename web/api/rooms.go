package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// Limits of what a client may ask of rooms.
const (
	maxRoomName = 64 // bytes
	maxCode     = 64 // bytes of a join code as people write it
)

// nodeCookie tells balancers which node has the room (see deploy/).
const nodeCookie = "roomring_node"

// publicBody adds the address of the room's socket.
func (s *Server) publicBody(r *http.Request, i actor.Info) body.Room {
	b := body.RoomOf(i)
	b.WSURL = s.wsURL(r, i)
	return b
}

func (s *Server) wsURL(r *http.Request, i actor.Info) string {
	u := s.base(r)
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	u.Path += "/v1/rooms/" + string(i.ID) + "/ws"
	if i.Node != "" {
		u.RawQuery = url.Values{"node": {i.Node}}.Encode()
	}
	return u.String()
}

// setNodeCookie has balancers send the client to a node.
func (s *Server) setNodeCookie(w http.ResponseWriter, r *http.Request, node string) {
	base := s.base(r)
	c := http.Cookie{
		Name: nodeCookie, Value: node, Path: cmp.Or(base.Path, "/"), HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: base.Scheme == "https",
	}
	if node != "" && c.Valid() == nil {
		http.SetCookie(w, &c)
	}
}

type createBody struct {
	Game    string          `json:"game"`
	Name    string          `json:"name"`
	Options json.RawMessage `json:"options"`
	Private bool            `json:"private"`
	Public  bool            `json:"public"`
}

func (s *Server) postRoom(w http.ResponseWriter, r *http.Request) error {
	priority, err := s.priority(r)
	if err != nil {
		return err
	}
	who, err := s.identify(r, s.opts.Auth.Keyed())
	if err != nil {
		return err
	}
	var in createBody
	if err := rest.ReadJSON(w, r, s.opts.MaxBody, &in); err != nil {
		return err
	}
	if err := s.checkNew(who, in.Game, in.Options); err != nil {
		return err
	}
	if !text.Valid(in.Name, 0, maxRoomName) {
		return rest.BadField("name", "A room's name is at most 64 bytes of UTF-8 without control characters.")
	}
	if text.Unseen(in.Name) {
		return rest.BadField("name", text.UnseenName)
	}
	info, err := s.makeInTurn(r, priority, func(ctx context.Context) (actor.Info, error) {
		return s.opts.Rooms.Create(ctx, actor.Create{
			Game: in.Game, Name: in.Name, Options: in.Options, Private: in.Private, Public: in.Public, By: who.Player, From: s.from(r),
		})
	})
	if err != nil {
		return err
	}
	out := s.publicBody(r, info)
	out.Code = info.Code
	s.setNodeCookie(w, r, info.Node)
	base := s.base(r)
	w.Header().Set("Location", base.Path+"/v1/rooms/"+string(info.ID))
	rest.WriteJSON(w, http.StatusCreated, out)
	return nil
}

// checkNew checks what create and matchmake have in common. It does not check that there is such a game: while a cluster is
// upgraded, other nodes have games that this one lacks.
func (s *Server) checkNew(who auth.Identity, game string, options json.RawMessage) error {
	if game == "" {
		return rest.BadField("game", "Say which game: GET /v1/games lists them.")
	}
	if len(options) > 0 && options[0] != '{' {
		return rest.BadField("options", "Options are a JSON object.")
	}
	if err := s.games[game].CheckOptions(options); err != nil {
		return rest.BadField("options", err.Error()+".")
	}
	return who.Allows("", game)
}

func (s *Server) getRooms(w http.ResponseWriter, r *http.Request) error {
	q := rest.QueryOf(r)
	if code := q.Text("code"); code != "" && q.Err == nil {
		return s.findRoom(w, r, code)
	}
	filter := body.ReadFilter(q)
	if q.Err != nil {
		return q.Err
	}
	if err := s.limits.spend(s.limits.lists, r); err != nil {
		return err
	}
	list, err := s.list(r.Context(), filter)
	if err != nil {
		return err
	}
	if body.UnknownGame(s.games, filter.Game, list) {
		return rest.UnknownGame()
	}
	rooms := fitPage(list.Rooms)
	out := body.Rooms{Rooms: make([]body.Room, len(rooms)), Partial: list.Partial}
	if len(rooms) < len(list.Rooms) {
		filter.Limit = len(rooms)
	}
	out.Next = body.NextPage(rooms, filter.Limit)
	for i, info := range rooms {
		out.Rooms[i] = s.publicBody(r, info)
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

// list lists rooms when there is a place to do so.
func (s *Server) list(ctx context.Context, f actor.Filter) (actor.Listing, error) {
	leave, err := s.takePlace(ctx)
	if err != nil {
		return actor.Listing{}, err
	}
	defer leave()
	return s.opts.Rooms.List(ctx, f)
}

// takePlace waits for one of the places in which the dearer answers are put together, and returns how to leave it.
func (s *Server) takePlace(ctx context.Context) (leave func(), err error) {
	defer httpd.Waiting(ctx)()
	select {
	case s.lists <- struct{}{}:
		return func() { <-s.lists }, nil
	case <-ctx.Done():
		return nil, rest.RetryLater("busy", "Too many such answers are being put together: retry.", 2*time.Second)
	}
}

// pageBytes is about how long a page of rooms may be. The rest is on the next.
const pageBytes = 1 << 20

// fitPage is as many of the rooms as fit a page, at least one.
func fitPage(rooms []actor.Info) []actor.Info {
	size := 0
	for i := range rooms {
		size += 512 + len(rooms[i].Options) + 128*len(rooms[i].Seats)
		if i > 0 && size > pageBytes {
			return rooms[:i]
		}
	}
	return rooms
}

// findRoom lists the one private room of a join code, or none. Searches are limited, because codes are short.
func (s *Server) findRoom(w http.ResponseWriter, r *http.Request, code string) error {
	if !text.Valid(code, 1, maxCode) {
		return rest.BadField("code", "That is no join code.")
	}
	if err := s.limits.spend(s.limits.codes, r); err != nil {
		return err
	}
	info, err := s.opts.Rooms.Find(r.Context(), record.FoldCode(code))
	if errors.Is(err, actor.ErrNotFound) {
		rest.WriteJSON(w, http.StatusOK, body.Rooms{Rooms: []body.Room{}})
		return nil
	}
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusOK, body.Rooms{Rooms: []body.Room{s.publicBody(r, info)}})
	return nil
}

func (s *Server) getRoom(w http.ResponseWriter, r *http.Request) error {
	id, err := body.PathRoom(r, "id")
	if err != nil {
		return err
	}
	info, err := s.opts.Rooms.Info(r.Context(), id)
	if err != nil {
		return err
	}
	s.hidePrivate(r, &info)
	s.setNodeCookie(w, r, info.Node)
	rest.WriteJSON(w, http.StatusOK, s.publicBody(r, info))
	return nil
}
