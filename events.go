package roomring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/roomring/roomring/room/record"
)

// Event is one fact about a room, derived from its committed log. Its ID is the same whoever tells it and however often, so a program
// drops what it has seen.
type Event = record.Event

// EventKind is a kind of events.
type EventKind = record.EventKind

// The kinds of events.
const (
	RoomCreated  = record.RoomCreated  // a room is there
	PlayerJoined = record.PlayerJoined // a player has taken a seat
	RoomOver     = record.RoomOver     // a room has ended, in whichever way
	GameResult   = record.GameResult   // a game was finished and has a result, which is in the store; RoomOver comes beside
)

// eventKinds are the kinds that Config.Events is told.
func (c *Config) eventKinds() ([]EventKind, error) {
	if c.Events == nil {
		if len(c.EventKinds) > 0 {
			return nil, fmt.Errorf("Config.EventKinds says what Config.Events is told: set that too")
		}
		return nil, nil
	}
	if len(c.EventKinds) == 0 {
		return []EventKind{GameResult}, nil
	}
	for _, kind := range c.EventKinds {
		if !slices.Contains(record.EventKinds, kind) {
			return nil, fmt.Errorf("Config.EventKinds: %q is no kind of event: choose from %s", kind, strings.Trim(fmt.Sprint(record.EventKinds), "[]"))
		}
	}
	return c.EventKinds, nil
}
