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

// errPrivate turns away who did not play. It says so and does not pretend that there is nothing: nobody guesses a room's id.
var errPrivate = rest.NewProblem(http.StatusForbidden, "private",
	"The game was private: send the token of one of its players as Authorization: Bearer …")

// mayRead checks that the request comes from somebody for whom the end of a room is. What is for everybody is so for who
// comes with a token that is none any more.
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

// veil leaves out of a private room that is over how it ended and who played, for those who did not.
func (s *Server) veil(r *http.Request, i *actor.Info) {
	if i.Final == nil || !i.Private || i.Public {
		return
	}
	who, _ := s.identify(r, false) // one who cannot be told is nobody
	in := slices.ContainsFunc(i.Seats, func(s core.SeatInfo) bool { return s.Player == who.Player }) ||
		slices.ContainsFunc(i.Final.Result.Outcomes, func(o room.Outcome) bool { return o.Player == who.Player }) ||
		slices.Contains(i.Final.Readers, who.Player)
	if who.Player == "" || !in {
		i.Final, i.Seats = nil, nil
	}
}
