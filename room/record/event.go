package record

import (
	"fmt"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// EventKind says what has happened in a room, for programs outside.
type EventKind string

// The kinds of events.
const (
	RoomCreated  EventKind = "room.created"  // the room is there
	PlayerJoined EventKind = "player.joined" // a player has taken a seat
	RoomOver     EventKind = "room.over"     // the room has ended, in whichever way
	GameResult   EventKind = "result"        // the game was finished and has a result; RoomOver comes beside
)

// EventKinds are all kinds, in the order of a room's life.
var EventKinds = []EventKind{RoomCreated, PlayerJoined, RoomOver, GameResult}

// Event is one fact about a room, derived from its committed log alone. So every owner of the room derives the same event, with the
// same id. It holds what all players of the room may know, and no join code.
type Event struct {
	// ID is ROOM:EPOCH:INDEX:WORD, where WORD is the last word of the kind: one input may be several facts.
	ID      string    `json:"id"`
	Kind    EventKind `json:"-"`
	Room    room.ID   `json:"room"`
	Game    string    `json:"game"`
	Private bool      `json:"private,omitempty"` // the room is found by its join code alone

	Epoch  Epoch      `json:"epoch"`   // of the input in the log
	Index  room.Index `json:"index"`   // of the input in the log
	TimeMS int64      `json:"time_ms"` // room time of the input, in milliseconds

	Created time.Time    `json:"created,omitzero"` // of RoomCreated: the wall clock of the node that made the room
	Player  *EventPlayer `json:"player,omitempty"` // of PlayerJoined

	End    End          `json:"end,omitempty"`    // of RoomOver and GameResult; so are the next
	Reason string       `json:"reason,omitempty"` // for people, why a room has ended without a result
	Rated  bool         `json:"rated,omitempty"`  // the game is one that may change ratings
	Result *room.Result `json:"result,omitempty"`

	At time.Time `json:"-"` // when the store took the event, by its clock; zero before
}

// EventPlayer is the player of an event.
type EventPlayer struct {
	ID   room.PlayerID `json:"id"`
	Name string        `json:"name"`
	Seat int           `json:"seat"`
}

// NewEvent makes an event of a room at a point of its log.
func NewEvent(kind EventKind, id room.ID, game string, at Point, elapsed time.Duration) Event {
	_, word, dotted := strings.Cut(string(kind), ".")
	if !dotted {
		word = string(kind)
	}
	return Event{
		ID: fmt.Sprintf("%s:%d:%d:%s", id, at.Epoch, at.Seq, word), Kind: kind, Room: id, Game: game,
		Epoch: at.Epoch, Index: at.Seq, TimeMS: elapsed.Milliseconds(),
	}
}

// Told returns the events by which a room's end is told: RoomOver, and GameResult if the game was finished.
func (f *Final) Told() []Event {
	told := f.Over()
	over := NewEvent(RoomOver, f.Room, f.Game, f.Point, f.Duration)
	over.Private, over.End, over.Reason, over.Rated = f.Private || f.Readers != nil, f.End, told.Reason, f.Rated
	if told.Result != nil {
		over.Result = new(f.Result)
	}
	if f.End != Finished {
		return []Event{over}
	}
	result := NewEvent(GameResult, f.Room, f.Game, f.Point, f.Duration)
	result.Private, result.End, result.Rated, result.Result = over.Private, over.End, over.Rated, over.Result
	return []Event{over, result}
}
