package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Limits of what a client may ask of rooms.
const (
	maxRoomName = 64 // bytes
	maxCode     = 64 // bytes of a join code as people write it
	pageSize    = 100
	maxPageSize = 1000
)

// nodeCookie leads balancers to the node that owns the room (see deploy/).
const nodeCookie = "roomring_node"

// roomBody is a room as everybody may see it.
type roomBody struct {
	ID         room.ID         `json:"id"`
	Game       string          `json:"game"`
	Version    int             `json:"version"`
	Name       string          `json:"name,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Private    bool            `json:"private"`
	Code       string          `json:"code,omitempty"` // only to who made it, and for the admin
	Phase      core.Phase      `json:"phase"`
	Open       bool            `json:"open"`
	Seats      []core.SeatInfo `json:"seats"` // the taken ones
	Players    int             `json:"players"`
	MaxPlayers int             `json:"max_players"`
	Spectators int             `json:"spectators"`
	Epoch      record.Epoch    `json:"epoch"`
	Seq        room.Index      `json:"seq"`
	Node       string          `json:"node"`
	Created    time.Time       `json:"created,omitzero"`
	WSURL      string          `json:"ws_url,omitempty"`
	Final      *finalBody      `json:"final,omitempty"` // of a room that is over
}

// finalBody is how a room ended.
type finalBody struct {
	End      record.End   `json:"end"`
	Rated    bool         `json:"rated"`
	Result   room.Result  `json:"result"`
	Point    record.Point `json:"point"`
	Duration int64        `json:"duration_ms"` // room time
}

func bodyOfFinal(f *record.Final) *finalBody {
	if f == nil {
		return nil
	}
	return &finalBody{f.End, f.Rated, withOutcomes(f.Result), f.Point, f.Duration.Milliseconds()}
}

// withOutcomes makes an absent list an empty one, so that JSON has no null for clients to stumble over.
func withOutcomes(r room.Result) room.Result {
	r.Outcomes = list(r.Outcomes)
	return r
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// bodyOf leaves out the join code: whoever may know it gets it by a line of its own.
func bodyOf(i actor.Info) roomBody {
	return roomBody{
		ID: i.ID, Game: i.Game, Version: i.Version, Name: i.Name, Options: i.Options, Private: i.Private,
		Phase: i.Phase, Open: i.Open, Seats: list(i.Seats), Players: len(i.Seats), MaxPlayers: i.MaxPlayers,
		Spectators: i.Spectators, Epoch: i.Epoch, Seq: i.Index, Node: i.Node, Created: i.Created.UTC(),
		Final: bodyOfFinal(i.Final),
	}
}

// publicBody adds the address of the room's socket.
func (s *Server) publicBody(r *http.Request, i actor.Info) roomBody {
	b := bodyOf(i)
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

// stick sets the cookie that leads balancers to a node.
func (s *Server) stick(w http.ResponseWriter, r *http.Request, node string) {
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
	merit, err := s.merit(r)
	if err != nil {
		return err
	}
	who, err := s.identify(r, s.opts.Auth.Keyed())
	if err != nil {
		return err
	}
	var in createBody
	if err := readJSON(w, r, s.opts.MaxBody, &in); err != nil {
		return err
	}
	if err := s.checkNew(who, in.Game, in.Options); err != nil {
		return err
	}
	if !validText(in.Name, 0, maxRoomName) {
		return badField("name", "A room's name is at most 64 bytes of UTF-8 without control characters.")
	}
	if unseen(in.Name) {
		return badField("name", unseenName)
	}
	info, err := s.inLine(r, merit, func(ctx context.Context) (actor.Info, error) {
		return s.opts.Rooms.Create(ctx, actor.Create{
			Game: in.Game, Name: in.Name, Options: in.Options, Private: in.Private, Public: in.Public, By: who.Player, From: s.from(r),
		})
	})
	if err != nil {
		return s.notMade(r, err)
	}
	body := s.publicBody(r, info)
	body.Code = info.Code
	s.stick(w, r, info.Node)
	base := s.base(r)
	w.Header().Set("Location", base.Path+"/v1/rooms/"+string(info.ID))
	writeJSON(w, http.StatusCreated, body)
	return nil
}

// checkNew checks what create and matchmake have in common. Whether there is such a game the rooms say: while a cluster is
// upgraded, other nodes have games that this one lacks.
func (s *Server) checkNew(who Identity, game string, options json.RawMessage) error {
	if game == "" {
		return badField("game", "Say which game: GET /v1/games lists them.")
	}
	if len(options) > 0 && options[0] != '{' {
		return badField("options", "Options are a JSON object.")
	}
	if err := s.games[game].CheckOptions(options); err != nil {
		return badField("options", err.Error()+".")
	}
	return who.Allows("", game)
}

type roomsBody struct {
	Rooms   []roomBody `json:"rooms"`
	Next    room.ID    `json:"next,omitempty"`    // ask for the next page by after=; absent on the last
	Partial bool       `json:"partial,omitempty"` // a node did not answer in time, so rooms may be missing
}

func (s *Server) getRooms(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	if code := q.text("code"); code != "" && q.err == nil {
		return s.findRoom(w, r, code)
	}
	filter := q.filter()
	if q.err != nil {
		return q.err
	}
	if err := s.spend(s.listRate, r); err != nil {
		return err
	}
	list, err := s.list(r.Context(), filter)
	if err != nil {
		return err
	}
	if nobodyHas(s.games, filter.Game, list) {
		return unknownGame()
	}
	rooms := fitting(list.Rooms)
	out := roomsBody{Rooms: make([]roomBody, len(rooms)), Partial: list.Partial}
	if len(rooms) < len(list.Rooms) {
		filter.Limit = len(rooms)
	}
	out.Next = nextPage(rooms, filter.Limit)
	for i, info := range rooms {
		out.Rooms[i] = s.publicBody(r, info)
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// list waits for its turn to put a list together.
func (s *Server) list(ctx context.Context, f actor.Filter) (actor.Listing, error) {
	defer waits(ctx)()
	select {
	case s.lists <- struct{}{}:
		defer func() { <-s.lists }()
	case <-ctx.Done():
		return actor.Listing{}, retryLater("busy", "Too many lists of rooms are being asked for: retry.", 2*time.Second)
	}
	return s.opts.Rooms.List(ctx, f)
}

// pageBytes bounds a page of rooms, roughly: what is left over is on the next.
const pageBytes = 1 << 20

// fitting are as many of the rooms as a page has place for, one at least.
func fitting(rooms []actor.Info) []actor.Info {
	size := 0
	for i := range rooms {
		size += 512 + len(rooms[i].Options) + 128*len(rooms[i].Seats)
		if i > 0 && size > pageBytes {
			return rooms[:i]
		}
	}
	return rooms
}

// filter reads what narrows a list of rooms.
func (q *query) filter() actor.Filter {
	f := actor.Filter{
		Game:  q.text("game"),
		Phase: core.Phase(q.text("phase")),
		Open:  q.flag("open"),
		Limit: q.number("limit", 1, maxPageSize),
	}
	setDefault(&f.Limit, pageSize)
	switch f.Phase {
	case "", core.PhaseWaiting, core.PhasePlaying, core.PhaseOver:
	default:
		q.fail("phase", "Give waiting, playing or over.")
	}
	if after := q.text("after"); after != "" {
		id, err := record.ParseID(after)
		if err != nil {
			q.fail("after", "Give the next of the page before: "+err.Error()+".")
		}
		f.After = id
	}
	return f
}

// nobodyHas reports whether a list is empty for a game that this node does not have. A newer node may have it, and then
// rooms of it.
func nobodyHas(games map[string]room.Spec, game string, list actor.Listing) bool {
	_, known := games[game]
	return game != "" && !known && len(list.Rooms) == 0 && !list.Partial
}

func nextPage(infos []actor.Info, limit int) room.ID {
	if len(infos) < limit {
		return ""
	}
	return infos[len(infos)-1].ID
}

// findRoom lists the one private room of a join code, or none. Searches are capped, as codes are short.
func (s *Server) findRoom(w http.ResponseWriter, r *http.Request, code string) error {
	if !validText(code, 1, maxCode) {
		return badField("code", "That is no join code.")
	}
	if err := s.spend(s.codes, r); err != nil {
		return err
	}
	info, err := s.opts.Rooms.Find(r.Context(), record.FoldCode(code))
	if errors.Is(err, actor.ErrNotFound) {
		writeJSON(w, http.StatusOK, roomsBody{Rooms: []roomBody{}})
		return nil
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, roomsBody{Rooms: []roomBody{s.publicBody(r, info)}})
	return nil
}

// pathRoom is the room whose id a part of the path is.
func pathRoom(r *http.Request, part string) (room.ID, error) {
	id, err := record.ParseID(r.PathValue(part))
	if err != nil {
		return "", badField("id", "That is no room's id: "+err.Error()+".")
	}
	return id, nil
}

func (s *Server) getRoom(w http.ResponseWriter, r *http.Request) error {
	id, err := pathRoom(r, "id")
	if err != nil {
		return err
	}
	info, err := s.opts.Rooms.Info(r.Context(), id)
	if err != nil {
		return err
	}
	s.veil(r, &info)
	s.stick(w, r, info.Node)
	writeJSON(w, http.StatusOK, s.publicBody(r, info))
	return nil
}
