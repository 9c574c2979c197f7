// Package ring is the consistent-hash ring that places rooms on nodes and finds them again. It is pure: a
// function of the nodes it is given, the same in every process.
package ring

import "github.com/roomring/roomring/room"

// Points is how many points a node of weight 1 has on the ring. A node's share of the rooms then spreads by about
// 1/√256, or 6 %.
const Points = 256

// Node is one node of a ring.
type Node struct {
	Name   string  // stable over restarts
	Weight float64 // how many rooms it takes beside a node of weight 1; 0 means 1
	Zone   string  // "" is none
}

// Ring is a ring at one moment; it never changes. The zero Ring has no nodes.
type Ring struct{}

// New makes a ring. The order of the nodes does not matter; of two with one name the first counts.
func New(nodes []Node) *Ring { panic("contract") }

// Nodes are the ring's nodes by name.
func (r *Ring) Nodes() []Node { panic("contract") }

// Owner is the node that the ring names for a room; "" when the ring is empty.
func (r *Ring) Owner(id room.ID) string { panic("contract") }

// OwnerOf is the node that the ring names for any other key, such as a matchmaking actor's.
func (r *Ring) OwnerOf(key string) string { panic("contract") }

// First are the first n distinct nodes from the room's place on, the owner first: whoever follows inherits its rooms.
func (r *Ring) First(id room.ID, n int) []string { panic("contract") }

// Standby is the first distinct node after the owner that is in another zone, or, where there is none, the first
// distinct one; "" when the ring has no two nodes.
func (r *Ring) Standby(id room.ID) string { panic("contract") }

// Placement says why a room belongs where it does.
type Placement struct {
	Hash  uint64
	Point uint64   // the first of the ring's points that is not before Hash
	Nodes []string // all nodes in the order in which they would inherit the room
}

// Explain says where a room belongs, and why.
func (r *Ring) Explain(id room.ID) Placement { panic("contract") }

// Shares is the part of all rooms that the ring gives each node; they add up to 1.
func (r *Ring) Shares() map[string]float64 { panic("contract") }

// Arc is a part of the ring that is one node's, from after From up to and including To, as fractions of the whole circle.
type Arc struct {
	From, To float64
	Node     string
}

// Arcs draw the ring: neighbouring points of one node are joined.
func (r *Ring) Arcs() []Arc { panic("contract") }

// Moved is the part of all rooms whose owner differs between two rings.
func Moved(from, to *Ring) float64 { panic("contract") }
