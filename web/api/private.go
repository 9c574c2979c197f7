package api

import (
	"net/http"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/rest"
)

// errPrivate turns away those who did not play. It does not pretend that there is nothing, since nobody guesses a room's id.
var errPrivate = rest.NewProblem(http.StatusForbidden, "private",
	"The game was private: send the token of one of its players as Authorization: Bearer …")

// mayRead checks that the end of a room is for whoever sends the request. A result that is for everybody needs no good token.
func (s *Server) mayRead(r *http.Request, f *record.Final) error {
	if f.Readers == nil {
		return nil
	}
	who, err := s.identify(r, false)
	if err != nil {
		return err
	}
	if !f.MayRead(who.Player) {
		return errPrivate
	}
	return who.Allows(f.Room, f.Game)
}

// hidePrivate takes out of a private room that is over how it ended and who played, for those who did not play.
func (s *Server) hidePrivate(r *http.Request, i *actor.Info) {
	if i.Final == nil || !i.Private || i.Public {
		return
	}
	who, _ := s.identify(r, false) // a token that is not good is none
	in := slices.ContainsFunc(i.Seats, func(s core.SeatInfo) bool { return s.Player == who.Player }) ||
		slices.ContainsFunc(i.Final.Result.Outcomes, func(o room.Outcome) bool { return o.Player == who.Player }) ||
		slices.Contains(i.Final.Readers, who.Player)
	if who.Player == "" || !in {
		i.Final, i.Seats = nil, nil
	}
}
