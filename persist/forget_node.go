package persist

import (
	"fmt"
	"time"
)

// ForgotNode counts what Boots.Forget gave up.
type ForgotNode struct {
	Boots int // counted as alive before, fenced now
	Rooms int // live before, over now
	Kept  int // live, named the node, and go on with their other member
}

// LostReason is the result's reason of a room that was lost with its node.
const LostReason = "the room was lost with the node that had it"

// NodeLivesError means that a node must not be forgotten, because one of its processes runs.
type NodeLivesError struct {
	Boot  BootInfo
	Heard bool // it gossips with the node that asked; otherwise its last heartbeat is younger than FreshFor
}

func (e *NodeLivesError) Error() string {
	if e.Heard {
		return fmt.Sprintf("node %s is there (boot %s on host %s): drain or stop it first", e.Boot.Node, e.Boot.ID, e.Boot.Host)
	}
	return fmt.Sprintf("the store heard of node %s %v ago (boot %s on host %s): if it is gone for good, try again in %v",
		e.Boot.Node, e.Boot.Silent.Round(time.Second), e.Boot.ID, e.Boot.Host, max(FreshFor-e.Boot.Silent, 0).Round(time.Second))
}
