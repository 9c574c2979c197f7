package web

import (
	"net/http"

	"github.com/roomring/roomring/room"
)

type guestBody struct {
	Token  string        `json:"token"`
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
}

// maxGuestName is how much is read of the name a guest asks for before it is cleaned, in bytes.
const maxGuestName = 256

func (s *Server) postGuest(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name string `json:"name"`
	}
	if err := readJSON(w, r, s.opts.MaxBody, &in); err != nil {
		return err
	}
	if len(in.Name) > maxGuestName {
		return badField("name", "A name is at most 256 bytes; 32 characters of it are kept.")
	}
	if unseen(in.Name) {
		return badField("name", unseenName)
	}
	if !s.opts.Auth.Guests() {
		return ErrNoGuests
	}
	if err := s.spend(s.guests, r); err != nil {
		return err
	}
	who, token, err := s.opts.Auth.Guest(in.Name)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, guestBody{token, who.Player, who.Name})
	return nil
}
