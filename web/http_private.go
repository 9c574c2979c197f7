package web

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// errPrivate turns away who did not play. It says so and does not pretend that there is nothing: nobody guesses a room's id.
var errPrivate = problem(http.StatusForbidden, "private",
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

// writeFile answers with the file of a replay, without join code and client ids.
func writeFile(w http.ResponseWriter, id room.ID, stored record.StoredReplay) error {
	in := bufio.NewReaderSize(stored, 4<<10)
	head, err := in.Peek(core.AnonymousHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(id)+`.replay"`)
	if core.IsAnonymous(head) {
		w.Header().Set("Content-Type", octetStream)
		w.Header().Set("Content-Length", strconv.FormatInt(stored.Size, 10))
		_, err := io.Copy(w, in)
		return began(err)
	}
	replay, err := core.OpenReplay(in)
	if err != nil {
		return err
	}
	defer replay.Close()
	w.Header().Set("Content-Type", octetStream)
	return began(replay.WriteAnonymous(w))
}

// cutError is an error of an answer that has begun.
type cutError struct{ error }

func began(err error) error {
	if err != nil {
		return cutError{err}
	}
	return nil
}
