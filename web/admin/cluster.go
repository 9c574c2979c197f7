package admin

import (
	"context"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// Cluster is what the operator may know of the nodes and do with them. A single node is a ring of one.
type Cluster interface {
	// Self is the name of the node that is asked.
	Self() string
	// Nodes are all nodes, by name: those that answer, and those that the store counts as alive.
	Nodes(ctx context.Context) ([]Node, error)
	Ring(ctx context.Context) (Ring, error)
	// Where is where the ring puts a room, and where the room is.
	Where(ctx context.Context, id room.ID) (Where, error)
	// WhatIf is what would move if nodes left the ring or joined it. The handler has checked that the change fits the ring.
	WhatIf(ctx context.Context, change RingChange) (Moves, error)
	// Loss is what would happen if a node died now. Errors are actor.ErrNotFound, and actor.ErrUnreachable if the node does not answer.
	Loss(ctx context.Context, node string) (Loss, error)
	// Drain tells a node to give its rooms away and stop. It returns when the node has been told.
	Drain(ctx context.Context, node string) error
	// Forget gives up a node that will never come back, with its rooms. Errors are actor.ErrNotFound and *NodeLivesError.
	Forget(ctx context.Context, node string) (Forgotten, error)
	// Rebalance asks all nodes what would move so that every room is where the ring has it, and unless dry is set they begin.
	Rebalance(ctx context.Context, dry bool) ([]Rebalance, error)
}

// Forgotten is what was given up with a node.
type Forgotten struct {
	Boots int `json:"boots"` // processes that counted as alive and never will again
	Rooms int `json:"rooms"` // that were live and are over now, as aborted
	Kept  int `json:"kept"`  // live rooms that it was a member of and that go on at their other member
}

// NodeLivesError says why a node may not be forgotten.
type NodeLivesError struct{ Reason string }

func (e *NodeLivesError) Error() string { return e.Reason }

// Node is one node as the operator may see it.
type Node struct {
	Name     string    `json:"name"`
	Boot     string    `json:"boot"`
	State    string    `json:"state"` // joining, active or draining; silent: not heard by gossip; Unready says more
	Zone     string    `json:"zone,omitempty"`
	Weight   float64   `json:"weight"`
	Share    float64   `json:"share"` // of all rooms, by the ring
	Version  string    `json:"version"`
	Games    []string  `json:"games,omitempty"` // each with its version, as "chess 1"; none: it does not say
	Lacks    []string  `json:"lacks,omitempty"` // likewise, of those that other nodes have
	Started  time.Time `json:"started"`
	Rooms    int       `json:"rooms"`
	Sessions int       `json:"sessions"` // sockets open at this node
	Remote   int       `json:"remote"`   // of them, those in rooms elsewhere
	Unready  []string  `json:"unready"`

	Copies *Copies        `json:"copies,omitempty"` // none outside a cluster
	Taken  []record.Taken `json:"taken,omitempty"`  // rooms that it has taken on as their standby, by the nodes that had them

	Held []actor.Held `json:"held,omitempty"` // rooms that it keeps and cannot run, some of them where there are many

	LinkAddress   string `json:"link_address,omitempty"`
	GossipAddress string `json:"gossip_address,omitempty"`
	GossipHealth  int    `json:"gossip_health"` // 0 is well, more is worse
	Links         []Link `json:"links"`
}

// Link is a node's own connection to another.
type Link struct {
	Peer       string    `json:"peer"`
	Up         bool      `json:"up"`
	Since      time.Time `json:"since,omitzero"` // of Up
	RTT        float64   `json:"rtt_ms"`         // 0: not yet measured
	Queued     int       `json:"queued_bytes"`   // towards the peer
	Reconnects uint64    `json:"reconnects"`
	Via        string    `json:"via,omitempty"`   // the node through which it goes, for this one does not reach the peer; "": it is direct
	Error      string    `json:"error,omitempty"` // why it is not up
}

// Ring is the ring at this moment.
type Ring struct {
	Nodes []RingNode `json:"nodes"`          // by name
	Arcs  []RingArc  `json:"arcs,omitempty"` // in the order of the circle
}

// RingNode is one node on the ring.
type RingNode struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
	Zone   string  `json:"zone,omitempty"`
	Share  float64 `json:"share"` // of all rooms
}

// RingArc is a part of the ring, from after From up to and including To, as fractions of the whole circle.
type RingArc struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Node string  `json:"node"`
}

// Where is a room's place on the ring, and the node that has it.
type Where struct {
	Hash  uint64
	Point uint64       // the first of the ring's points that is not before Hash
	Nodes []string     // in the order in which they would inherit the room
	Node  string       // that has the room; "": no node does
	Epoch record.Epoch // 0: not known
}

// RingChange is a change that the ring might have.
type RingChange struct {
	Leave []string
	Join  []RingNode // Share is not looked at
}

// Moves is what a change of the ring would move.
type Moves struct {
	Share   float64    `json:"share"` // of all rooms
	Flows   []RingFlow `json:"flows"` // largest first
	Nodes   []RingNode `json:"nodes"` // of the ring that would be
	Rooms   int        `json:"rooms"` // live ones that would belong elsewhere
	Partial bool       `json:"partial,omitempty"`
}

// RingFlow is the part of all rooms that would move from one node to another. "" is no node.
type RingFlow struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Share float64 `json:"share"`
}
