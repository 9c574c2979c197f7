package core

import (
	"encoding/json"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/strict"
)

// optional asks a game for one of the optional interfaces.
func optional[I any](in room.Instance) (I, bool) {
	i, ok := in.Game().(I)
	return i, ok
}

// contained calls a method of the game's outside of every input, where a panic must not end the room: nothing
// in the log would say why. The error is a *Panic.
func contained(method string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanic(method, v)
		}
	}()
	return f()
}

func snapshotGame(in room.Instance) (data []byte, err error) {
	err = contained("Snapshot", func() (err error) {
		if s, ok := optional[room.Snapshotter](in); ok {
			data, err = s.Snapshot()
			return err
		}
		data, err = json.Marshal(in.Game())
		return err
	})
	return data, err
}

func restoreGame(in room.Instance, data []byte) error {
	return contained("Restore", func() error {
		if s, ok := optional[room.Snapshotter](in); ok {
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
