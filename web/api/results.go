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

// storeProblem hides what went wrong with the store from clients and leaves it to the log.
func (s *Server) storeProblem(err error) error {
	if rest.ProblemOf(err) == nil {
		s.opts.Log.Warn("the store did not answer", "err", err)
	}
	return rest.ErrStoreAway
}

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

// result finds a stored result, or else the phase of a room that will have one. It looks into the store
// once more at the end, since the row may have come between the first look and the second question.
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
	return stored, "", s.storeProblem(err)
}

func (s *Server) getPlayer(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !text.Valid(id, 1, room.MaxPlayerID) {
		return rest.NotFound("There is no such player.")
	}
	who, _ := s.identify(r, false) // one who cannot be told is nobody
	own := who.Player == room.PlayerID(id) && who.Allows("", "") == nil
	profile, err := s.opts.Records.Player(r.Context(), room.PlayerID(id), own)
	switch {
	case err == nil:
	case s.opts.Records.NotFound(err):
		return rest.NotFound("No finished game names this player.")
	default:
		return s.storeProblem(err)
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
	Grace      float64 `json:"grace"` // seconds
}

func (s *Server) getGames(w http.ResponseWriter, _ *http.Request) error {
	games := make([]gameBody, len(s.opts.Games))
	for i, g := range s.opts.Games {
		games[i] = gameBody{
			Name: g.Name, Version: g.Version, Title: g.Title, About: g.About, MinPlayers: g.MinPlayers,
			MaxPlayers: g.MaxPlayers, TickRate: g.TickRate, Rated: g.Rated, Grace: g.Grace.Seconds(),
		}
	}
	rest.WriteJSON(w, http.StatusOK, map[string]any{"games": games})
	return nil
}
