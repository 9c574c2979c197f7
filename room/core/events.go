package core

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Tells reports whether an input of this kind is an event for programs outside; see EventOf.
func (k Kind) Tells() bool { return k == KindOpen || k == KindJoin }

// EventOf is the event that an entry is for programs outside. The kind must tell one; seat is that of a player who has joined. The
// events of a room's end are in record.Final.Told.
func EventOf(h *record.Header, e *Entry, seat int) record.Event {
	at := record.Point{Epoch: e.Epoch, Seq: e.Index}
	if e.Kind == KindOpen {
		made := record.NewEvent(record.RoomCreated, h.ID, h.Game, at, e.At)
		made.Private, made.Created = h.Private, h.Created
		return made
	}
	joined := record.NewEvent(record.PlayerJoined, h.ID, h.Game, at, e.At)
	joined.Private, joined.Player = h.Private, &record.EventPlayer{ID: e.Player, Name: e.Name, Seat: seat}
	return joined
}

// Events derives the events of a kept room from its log, without stepping it, up to the end of the log or to where it cannot be read.
// Those before a cut are gone with the inputs that they were.
func Events(kept record.Kept) (all []record.Event) {
	var seats []room.PlayerID // who sits where, as stepJoin and stepLeave have it
	for e, err := range entriesOf(&kept) {
		if err != nil {
			return all
		}
		seat := 0
		switch e.Kind {
		case KindCut:
			seats = seatsIn(e.Data)
		case KindJoin:
			if seat = slices.Index(seats, ""); seat < 0 {
				seat, seats = len(seats), append(seats, "")
			}
			seats[seat] = e.Player
		case KindLeave:
			if i := slices.Index(seats, e.Player); i >= 0 {
				seats[i] = ""
			}
		}
		if e.Kind.Tells() {
			all = append(all, EventOf(&kept.Header, &e, seat))
		}
	}
	return all
}

// seatsIn is who sits where in the state that a cut carries.
func seatsIn(data []byte) (seats []room.PlayerID) {
	s, err := decodeState(data, 0)
	if err != nil {
		return nil
	}
	for _, at := range s.Seats {
		seats = append(seats, at.Player)
	}
	return seats
}
