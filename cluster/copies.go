package cluster

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
)

// others are the nodes to which rooms of this one may be copied.
type others struct{ nodes *nodes.Nodes }

// Order names those of another zone first, if this node has one, and among them those that the ring names first: that is where a room is
// looked for after its owner's death. It names nobody beside a node that knows no standbys.
func (o others) Order(id room.ID) []string {
	self := o.nodes.Self().Node
	zones, zone := map[string]string{}, ""
	all := o.nodes.Members()
	if !knowStandbys(all) {
		return nil
	}
	for _, m := range all {
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

// knowStandbys reports whether all nodes know what a standby is. An earlier program that forgets a node ends that node's rooms, though their
// standbys could go on, so no room gets one beside it.
func knowStandbys(all []members.Member) bool {
	return !slices.ContainsFunc(all, func(m members.Member) bool { return m.Latest < link.WithReplication })
}

// Place is where the ring wants a room. While this node is not on the ring nothing of it is wanted elsewhere: it gives its rooms away
// by draining, or has not begun. Beside a node that knows no standbys rooms stay where they are.
func (o others) Place(id room.ID) balance.Place {
	r := o.nodes.Ring()
	self := o.nodes.Self().Node
	if !slices.ContainsFunc(r.Nodes(), func(n ring.Node) bool { return n.Name == self }) || !knowStandbys(o.nodes.Members()) {
		return balance.Place{}
	}
	return balance.Place{Owner: r.Owner(id), Standby: r.Standby(id)}
}

// Version differs whenever a node has come, gone, restarted, or changed its weight or zone.
func (o others) Version() uint64 {
	h := fnv.New64a()
	for _, m := range o.nodes.Members() {
		_, _ = fmt.Fprintln(h, m.Name, m.Boot, m.State, m.Zone, m.Weight)
	}
	return h.Sum64()
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
