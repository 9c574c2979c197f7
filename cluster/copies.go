package cluster

import (
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/room"
)

// others are the nodes to which rooms of this one may be copied.
type others struct{ nodes *nodes.Nodes }

// Order names those of another zone first, if this node has one, and among them those that the ring names first: that is where a room is
// looked for after its owner's death.
func (o others) Order(id room.ID) []string {
	self := o.nodes.Self().Node
	zones, zone := map[string]string{}, ""
	for _, m := range o.nodes.Members() {
		if zones[m.Name] = m.Zone; m.Name == self {
			zone = m.Zone
		}
	}
	r := o.nodes.Ring()
	var near, far []string
	for _, node := range r.First(id, len(r.Nodes())) {
		switch {
		case node == self:
		case zone != "" && zones[node] == zone:
			near = append(near, node)
		default:
			far = append(far, node)
		}
	}
	return append(far, near...)
}

// Leaves reports whether a node gives its rooms away.
func (o others) Leaves(node string) bool {
	for _, m := range o.nodes.Members() {
		if m.Name == node {
			return m.State == members.Draining
		}
	}
	return false
}
