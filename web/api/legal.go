package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

// legalBody is what the game says that one seat may do now.
type legalBody struct {
	Advises bool              `json:"advises"` // the game says such things
	Actions []json.RawMessage `json:"actions"`
}

var errNoSeat = rest.NewProblem(http.StatusForbidden, "not-seated", "Only who has a seat in the room may ask what that seat may do.")

// advisors are the games that say what is legal, by name.
func advisors(games *core.Games) map[string]bool {
	out := map[string]bool{}
	if games != nil {
		for rules := range games.All() {
			out[rules.Spec().Name] = core.Advises(rules)
		}
	}
	return out
}

func (s *Server) getLegal(w http.ResponseWriter, r *http.Request) error {
	id, err := body.PathRoom(r, "id")
	if err != nil {
		return err
	}
	who, err := s.identify(r, true)
	if err != nil {
		return err
	}
	if err := s.limits.spend(s.limits.lists, r); err != nil {
		return err
	}
	info, err := s.opts.Rooms.Info(r.Context(), id)
	if err != nil {
		return err
	}
	viewer, err := seatOf(who, info)
	if err != nil {
		return err
	}
	out := legalBody{Actions: []json.RawMessage{}}
	if out.Advises = s.advisors[info.Game] && s.games[info.Game].Version == info.Version; out.Advises && info.Phase != core.PhaseOver {
		actions, err := s.legal(r.Context(), id, viewer)
		if err != nil {
			return err
		}
		out.Actions = body.NonNil(actions)
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

// seatOf is the bearer's seat in a room.
func seatOf(who auth.Identity, info actor.Info) (room.Viewer, error) {
	if err := who.Allows(info.ID, info.Game); err != nil {
		return room.Viewer{}, err
	}
	i := slices.IndexFunc(info.Seats, func(s core.SeatInfo) bool { return s.Player == who.Player })
	if i < 0 {
		return room.Viewer{}, errNoSeat
	}
	return room.Viewer{Player: who.Player, Seat: info.Seats[i].Seat}, nil
}

// legal asks the rules about a copy of the room's state, wherever the room is, so that the room itself is not held up.
func (s *Server) legal(ctx context.Context, id room.ID, viewer room.Viewer) ([]json.RawMessage, error) {
	leave, err := s.takePlace(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	in, err := s.opts.Rooms.Inspect(ctx, id, actor.Look{State: true})
	if err != nil {
		return nil, err
	}
	if len(in.State) == 0 || in.Info.Phase == core.PhaseOver {
		return nil, nil
	}
	rules, _ := s.opts.Rules.Lookup(in.Info.Game) // it is an advisor
	actions, _, err := s.legalIn(id, rules, in.State, viewer)
	if err != nil { // what it says may be of hidden state
		s.opts.Log.Warn("a game could not say what is legal", "room", id, "game", in.Info.Game)
		return nil, rest.NewProblem(http.StatusConflict, "no-advice", "The game failed to say what is legal now.")
	}
	return actions, s.committed(ctx, id, in.Point)
}

// legalIn tells Reruns that the game runs.
func (s *Server) legalIn(id room.ID, rules *room.Rules, state json.RawMessage, viewer room.Viewer) ([]json.RawMessage, bool, error) {
	if s.opts.Reruns != nil {
		defer s.opts.Reruns.BeginRerun(id, rules.Spec().Name).Release()
	}
	return core.LegalIn(rules, state, viewer)
}

// committed waits until no crash loses what a look at a room has seen.
func (s *Server) committed(ctx context.Context, id room.ID, seen record.Point) error {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		info, err := s.opts.Rooms.Info(ctx, id)
		switch {
		case err != nil:
			return err
		case info.Epoch != seen.Epoch:
			return rest.RetryLater("moved", "The room has moved meanwhile: ask again.", time.Second)
		case info.Index >= seen.Seq:
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
