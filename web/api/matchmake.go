package api

import (
	"context"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// Whoever gives a ticket again is the same guest, so nobody else may guess it.
const (
	minTicket = 16  // characters
	maxTicket = 128 // bytes
)

type matchBody struct {
	Game    string          `json:"game"`
	Options json.RawMessage `json:"options"`
	Ticket  string          `json:"ticket"`
}

// matchedBody is a room in which a seat is kept. Guest is the player it is kept for, when the request came without a token.
type matchedBody struct {
	body.Room
	Guest *guestBody `json:"guest,omitempty"`
}

func (s *Server) postMatch(w http.ResponseWriter, r *http.Request) error {
	priority, err := s.priority(r)
	if err != nil {
		return err
	}
	who, err := s.identify(r, s.opts.Auth.Keyed() || !s.opts.Auth.Guests())
	if err != nil {
		return err
	}
	var in matchBody
	if err := rest.ReadJSON(w, r, s.opts.MaxBody, &in); err != nil {
		return err
	}
	if err := s.checkNew(who, in.Game, in.Options); err != nil {
		return err
	}
	if !text.Valid(in.Ticket, 0, maxTicket) {
		return rest.BadField("ticket", "A ticket is at most 128 bytes of UTF-8 without control characters.")
	}
	if in.Ticket != "" && utf8.RuneCountInString(in.Ticket) < minTicket {
		return rest.BadField("ticket", "A ticket is at least 16 characters, drawn at random: who gives the same one from the same address is the same guest. Or leave it out.")
	}
	guest, err := s.guestFor(&who, r, in.Ticket)
	if err != nil {
		return err
	}
	info, err := s.makeInTurn(r, priority, func(ctx context.Context) (actor.Info, error) {
		return s.opts.Rooms.Match(ctx, actor.Match{
			Game: in.Game, Options: in.Options, Player: who.Player, From: s.from(r), Ticket: in.Ticket,
		})
	})
	if err != nil {
		return err
	}
	s.setNodeCookie(w, r, info.Node)
	rest.WriteJSON(w, http.StatusOK, matchedBody{s.publicBody(r, info), guest})
	return nil
}

// guestFor makes up a player for a request without a token, since a seat is always kept for somebody. The same ticket from the same
// address is the same guest, so that a retry gets the same seat.
func (s *Server) guestFor(who *auth.Identity, r *http.Request, ticket string) (*guestBody, error) {
	if who.Player != "" {
		return nil, nil
	}
	var token string
	var err error
	if ticket == "" {
		*who, token, err = s.opts.Auth.Guest("")
	} else {
		*who, token, err = s.opts.Auth.GuestOf(s.from(r).String() + " " + ticket)
	}
	return &guestBody{token, who.Player, who.Name}, err
}
