// Package games holds the three rooms of the comparison with other servers (bench/README.md). Their
// rules are those of bench/hub/main.go and bench/node, so that every server does the same work.
package games

import "github.com/roomring/roomring/room"

// All are the games that the build tag bench adds to cmd/roomring.
func All() []*room.Rules { return []*room.Rules{Act(), Turns(), Arena()} }

// payload is the length of an action of act and turn, in bytes.
const payload = 64

// checkPayload refuses an action that no client of the comparison sends.
func checkPayload(data string) error {
	if len(data) != payload {
		return room.Refuse("bad_payload", "an action is a text of 64 bytes")
	}
	return nil
}

// said is one player of act or turn as the room keeps it: the number of actions, and the last one.
type said struct {
	Count int
	Last  string
}

func (s *said) add(data string) { s.Count, s.Last = s.Count+1, data }

// quiet is the view of rooms that only send events.
type quiet struct{}
