package api

import (
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

type guestBody struct {
	Token  string        `json:"token"`
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
}

// maxGuestName is how long the name that a guest asks for may be before it is cleaned, in bytes.
const maxGuestName = 256

func (s *Server) postGuest(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name string `json:"name"`
	}
	if err := rest.ReadJSON(w, r, s.opts.MaxBody, &in); err != nil {
		return err
	}
	if len(in.Name) > maxGuestName {
		return rest.BadField("name", "A name is at most 256 bytes; 32 characters of it are kept.")
	}
	if text.Unseen(in.Name) {
		return rest.BadField("name", text.UnseenName)
	}
	if !s.opts.Auth.Guests() {
		return auth.ErrNoGuests
	}
	if err := s.limits.spend(s.limits.guests, r); err != nil {
		return err
	}
	who, token, err := s.opts.Auth.Guest(in.Name)
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusCreated, guestBody{token, who.Player, who.Name})
	return nil
}
