package core

import (
	"encoding/json"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/strict"
)

// asInterface returns the game as one of the optional interfaces, if it is one.
func asInterface[I any](in room.Instance) (I, bool) {
	i, ok := in.Game().(I)
	return i, ok
}

func snapshotGame(in room.Instance) (data []byte, err error) {
	err = catchPanic("Snapshot", func() (err error) {
		if s, ok := asInterface[room.Snapshotter](in); ok {
			data, err = s.Snapshot()
			return err
		}
		data, err = json.Marshal(in.Game())
		return err
	})
	return data, err
}

func restoreGame(in room.Instance, data []byte) error {
	return catchPanic("Restore", func() error {
		if s, ok := asInterface[room.Snapshotter](in); ok {
			return s.Restore(data)
		}
		return json.Unmarshal(data, in.Game())
	})
}

// decode reads an action as the room's runtime does: by package strict, or as the first runtime did, whose logs must come
// to what they came to.
func (c *Core) decode(raw json.RawMessage, into any) error {
	if c.runtime() < 2 {
		return strict.DecodeFolded(raw, into)
	}
	return strict.Decode(raw, into)
}

// tick is the length of one tick, in whole microseconds so that every processor agrees.
func tick(s *room.Spec) time.Duration {
	if s.TickRate == 0 {
		return 0
	}
	return (time.Second / time.Duration(s.TickRate)).Truncate(time.Microsecond)
}
