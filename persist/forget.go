package persist

import (
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// Forgotten is what Boots.Forget gave up.
type Forgotten struct {
	Boots int // that counted as alive and are fenced now
	Rooms int // that were live and are over now
}

// LostReason is the result's reason of a room that was lost with its node.
const LostReason = "the room was lost with the node that had it"

// NodeLivesError says that a node is not to be forgotten.
type NodeLivesError struct {
	Boot  BootInfo
	Heard bool // it gossips; else the store has heard of it within FreshFor
}

func (e *NodeLivesError) Error() string {
	if e.Heard {
		return fmt.Sprintf("node %s is there (boot %s on host %s): drain or stop it first", e.Boot.Node, e.Boot.ID, e.Boot.Host)
	}
	return fmt.Sprintf("the store heard of node %s %v ago (boot %s on host %s): if it is gone for good, try again in %v",
		e.Boot.Node, e.Boot.Silent.Round(time.Second), e.Boot.ID, e.Boot.Host, max(FreshFor-e.Boot.Silent, 0).Round(time.Second))
}

// ToForget picks the boots of a node whose rooms nobody will bring back: those of data folders that no process serves. It
// is for backends.
func ToForget(node string, boots []BootInfo, heard []room.BootID) ([]BootInfo, error) {
	served := map[string]bool{}
	var alive *NodeLivesError
	var lost []BootInfo
	for _, b := range boots {
		hears := slices.Contains(heard, b.ID)
		if !hears && (b.State != BootAlive || !b.Fresh()) {
			continue
		}
		served[b.Folder] = true
		if b.Node == node {
			alive = &NodeLivesError{b, hears}
		}
	}
	for _, b := range boots {
		if b.Node == node && !served[b.Folder] {
			lost = append(lost, b)
		}
	}
	switch {
	case len(lost) > 0:
		return lost, nil
	case alive != nil:
		return nil, alive
	}
	return nil, ErrNotFound
}

// Lost are the ends of rooms of which nothing is left but their rows. It is for backends.
func Lost(rows []room.Row) ([]room.Final, error) {
	finals := make([]room.Final, len(rows))
	for i, r := range rows {
		var err error
		if finals[i], err = room.Lose(r, LostReason); err != nil {
			return nil, fmt.Errorf("the end of room %s: %w", r.Room, err)
		}
	}
	return finals, nil
}
