package record

import (
	"time"

	"github.com/roomring/roomring/room"
)

// Lag is how far a copy is behind the owner's log.
type Lag struct {
	Entries room.Index    `json:"entries"` // that it has not confirmed
	Oldest  time.Duration `json:"oldest"`  // how long the oldest of them has waited
}

// Member keeps a room's log beside its owner, as the owner knows it.
type Member struct {
	Node   string `json:"node"` // "": the owner has not heard which node serves the folder
	Folder string `json:"folder"`
	Lag    Lag    `json:"lag"`
	Whole  bool   `json:"whole"` // it has said so at the present epoch: only a whole copy goes on with the room
	Linked bool   `json:"linked"`
}

// Members are who keeps a room's log beside its owner.
type Members struct {
	Epoch   Epoch         `json:"epoch"`
	Standby *Member       `json:"standby,omitempty"`
	Learner *Member       `json:"learner,omitempty"` // is being filled, to become the standby
	Alone   time.Duration `json:"alone,omitempty"`   // how long there has been no standby where there should be one
}

// Taken counts the rooms that a node has taken on from another, whose standby it was.
type Taken struct {
	From    string `json:"from"`    // the node that had them
	Seized  uint64 `json:"seized"`  // from an owner that seemed to be dead
	Yielded uint64 `json:"yielded"` // from an owner that handed them over
}

// Copies sums up the rooms of a node that have copies, and its copies of others' rooms.
type Copies struct {
	Owned    int `json:"owned"`    // rooms of this node with a standby
	Lone     int `json:"lone"`     // rooms of this node that should have one and have none
	Learners int `json:"learners"` // copies of this node's rooms that are being filled elsewhere
	Lag      Lag `json:"lag"`      // the most of any standby: entries of one, and time of one

	Followed int `json:"followed"` // whole copies of other nodes' rooms
	Partial  int `json:"partial"`  // copies with a gap: they are being filled
	Unsure   int `json:"unsure"`   // copies whose end may have been lost with this machine's power
}
