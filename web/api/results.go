package api

import (
	"errors"
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// pendingBody says that there is no result yet. Phase is over when the room has ended and is on its way to the store.
type pendingBody struct {
	Status string     `json:"status"` // pending
	Phase  core.Phase `json:"phase"`
}

func (s *Server) getResult(w http.ResponseWriter, r *http.Request) error {
	id, err := body.PathRoom(r, "room")
	if err != nil {
		return err
	}
	stored, phase, err := s.result(r, id)
	switch {
	case err != nil:
		return err
	case phase != "":
		w.Header().Set("Retry-After", "1")
		rest.WriteJSON(w, http.StatusAccepted, pendingBody{"pending", phase})
		return nil
	}
	if err := s.mayRead(r, &stored.Final); err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusOK, body.ResultOf(stored))
	return nil
}

// result is a stored result, or else the phase of a room that will have one. It asks the store once more at the end, since the
// result may have come after the first question.
func (s *Server) result(r *http.Request, id room.ID) (stored record.StoredResult, phase core.Phase, err error) {
	stored, err = s.opts.Records.Result(r.Context(), id)
	if err == nil {
		return stored, "", nil
	}
	if s.opts.Records.Pending(id) {
		return stored, core.PhaseOver, nil
	}
	info, missing := s.opts.Rooms.Info(r.Context(), id)
	if missing == nil {
		return stored, info.Phase, nil
	}
	if s.opts.Records.NotFound(err) && errors.Is(missing, actor.ErrNotFound) {
		stored, err = s.opts.Records.Result(r.Context(), id)
	}
	switch {
	case err == nil:
		return stored, "", nil
	case s.opts.Records.NotFound(err):
		return stored, "", missing
	}
	return stored, "", rest.StoreAway(s.opts.Log, err)
}

func (s *Server) getPlayer(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !text.Valid(id, 1, room.MaxPlayerID) {
		return rest.NotFound("There is no such player.")
	}
	who, _ := s.identify(r, false) // a token that is not good is none
	own := who.Player == room.PlayerID(id) && who.Allows("", "") == nil
	profile, err := s.opts.Records.Player(r.Context(), room.PlayerID(id), own)
	switch {
	case err == nil:
	case s.opts.Records.NotFound(err):
		return rest.NotFound("No finished game names this player.")
	default:
		return rest.StoreAway(s.opts.Log, err)
	}
	profile.Games, profile.Recent = body.NonNil(profile.Games), body.NonNil(profile.Recent)
	rest.WriteJSON(w, http.StatusOK, profile)
	return nil
}

type gameBody struct {
	Name       string  `json:"name"`
	Version    int     `json:"version"`
	Title      string  `json:"title"`
	About      string  `json:"about"`
	MinPlayers int     `json:"min_players"`
	MaxPlayers int     `json:"max_players"`
	TickRate   int     `json:"tick_rate"` // a second; 0: the game only moves when somebody does
	Rated      bool    `json:"rated"`
	Grace      float64 `json:"grace"`           // seconds
	UI         string  `json:"ui,omitempty"`    // its own table, relative to the server's address
	Style      string  `json:"style,omitempty"` // and the style sheet of that
}

func (s *Server) getGames(w http.ResponseWriter, _ *http.Request) error {
	games := make([]gameBody, len(s.opts.Games))
	for i, g := range s.opts.Games {
		games[i] = gameBody{
			Name: g.Name, Version: g.Version, Title: g.Title, About: g.About, MinPlayers: g.MinPlayers,
			MaxPlayers: g.MaxPlayers, TickRate: g.TickRate, Rated: g.Rated, Grace: g.Grace.Seconds(),
		}
		games[i].UI, games[i].Style = s.pages.Table(g.Name)
	}
	rest.WriteJSON(w, http.StatusOK, map[string]any{"games": games})
	return nil
}
