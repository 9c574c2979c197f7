package web

import (
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// storeProblem hides what went wrong with the store from clients and leaves it to the log.
func (s *Server) storeProblem(err error) error {
	if problemOf(err) == nil {
		s.opts.Log.Warn("the store did not answer", "err", err)
	}
	return errStoreAway
}

var errStoreAway = retryLater("store-away", "The store is not reachable: retry.", 2*time.Second)

// pendingBody says that there is no result yet. Phase is over when the room has ended and is on its way to the store.
type pendingBody struct {
	Status string     `json:"status"` // pending
	Phase  core.Phase `json:"phase"`
}

type resultBody struct {
	Status  string  `json:"status"` // stored
	Room    room.ID `json:"room"`
	Game    string  `json:"game"`
	Version int     `json:"version"`
	finalBody
	Hash    string                `json:"hash"` // SHA-256 in hex, over what is a function of the log
	Stored  time.Time             `json:"stored"`
	Ratings []record.RatingChange `json:"ratings"`
	Unrated record.Unrated        `json:"unrated,omitempty"` // why a rated game changed none

	Redacted time.Time `json:"redacted,omitzero"` // when a player was last taken out who asked to be forgotten
}

func (s *Server) getResult(w http.ResponseWriter, r *http.Request) error {
	id, err := pathRoom(r, "room")
	if err != nil {
		return err
	}
	stored, phase, err := s.result(r, id)
	switch {
	case err != nil:
		return err
	case phase != "":
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusAccepted, pendingBody{"pending", phase})
		return nil
	}
	if err := s.mayRead(r, &stored.Final); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, bodyOfResult(stored))
	return nil
}

func bodyOfResult(stored record.StoredResult) resultBody {
	return resultBody{
		Status: "stored", Room: stored.Room, Game: stored.Game, Version: stored.Version,
		finalBody: *bodyOfFinal(&stored.Final), Hash: hex.EncodeToString(stored.Hash[:]),
		Stored: stored.Stored.UTC(), Ratings: list(stored.Ratings), Unrated: stored.Unrated, Redacted: stored.Redacted,
	}
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
	if !validText(id, 1, room.MaxPlayerID) {
		return notFound("There is no such player.")
	}
	who, _ := s.identify(r, false) // one who cannot be told is nobody
	own := who.Player == room.PlayerID(id) && who.Allows("", "") == nil
	profile, err := s.opts.Records.Player(r.Context(), room.PlayerID(id), own)
	switch {
	case err == nil:
	case s.opts.Records.NotFound(err):
		return notFound("No finished game names this player.")
	default:
		return s.storeProblem(err)
	}
	profile.Games, profile.Recent = list(profile.Games), list(profile.Recent)
	writeJSON(w, http.StatusOK, profile)
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
	writeJSON(w, http.StatusOK, map[string]any{"games": games})
	return nil
}
