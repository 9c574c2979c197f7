package core

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room/record"
)

// ErrNotClean refuses a snapshot between two ticks, while changes are not yet published.
var ErrNotClean = errors.New("room: a ticking room is snapshot after a tick")

// Snapshot returns the whole state after the last input. The error is ErrNotClean, or the game's own.
func (c *Core) Snapshot() (record.Snapshot, error) {
	if !c.clean() {
		return record.Snapshot{}, ErrNotClean
	}
	data, err := c.encodeState()
	if err != nil {
		return record.Snapshot{}, err
	}
	c.sinceSnapshot = replayCost{}
	return record.Snapshot{Room: c.header.ID, Epoch: c.s.Epoch, Index: c.s.Index, Data: data}, nil
}

// encodeState returns the whole state in the form of snapshots.
func (c *Core) encodeState() ([]byte, error) {
	s := c.s
	for i, info := range s.Classes {
		if cl := c.classes.byID[info.ID]; cl != nil { // a room that failed has none
			s.Classes[i].Last = cl.last
		}
	}
	if c.panicked == nil {
		game, err := snapshotGame(c.inst)
		if err != nil {
			return nil, fmt.Errorf("snapshot of game %s: %w", c.header.Game, err)
		}
		s.Game = game
	}
	return s.encode()
}

// encode adds the sum of everything else.
func (s state) encode() ([]byte, error) {
	s.Sum = nil
	data, err := encMode.Marshal(s)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	s.Sum = sum[:]
	return encMode.Marshal(s)
}

// WithGame replaces the game's own part of a snapshot. It is for test kits that ask what a viewer learns from a fact.
// The error says that s is no snapshot.
func WithGame(s record.Snapshot, game []byte) (record.Snapshot, error) {
	st, err := decodeState(s.Data, 0)
	if err != nil {
		return record.Snapshot{}, err
	}
	st.Game = game
	s.Data, err = st.encode()
	return s, err
}

func decodeState(data []byte, seats int) (state, error) {
	var s state
	if err := strictMode.Unmarshal(data, &s); err != nil {
		if _, newer := errors.AsType[*cbor.UnknownFieldError](err); newer {
			return s, unknownPart("its snapshot holds what this program does not know")
		}
		return s, fmt.Errorf("snapshot: %w", err)
	}
	s.convertActed()
	if len(s.Seats) < seats {
		s.Seats = append(s.Seats, make([]seat, seats-len(s.Seats))...)
	}
	return s, nil
}
