package cluster

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Fate is what becomes of a room when its node dies.
type Fate string

// The fates.
const (
	GoesOn      Fate = "goes-on"      // at its standby
	WaitsLone   Fate = "waits-lone"   // for the node or its disk: nobody has a copy
	WaitsCopy   Fate = "waits-copy"   // likewise: the only copy is not whole yet
	WaitsSilent Fate = "waits-silent" // likewise: the node of its standby is not there
	WaitsLocal  Fate = "waits-local"  // likewise: it is to be kept on one machine only
	LostMemory  Fate = "lost-memory"  // it is kept in memory only
)

// LossExamples bounds the rooms that a Loss names.
const LossExamples = 100

// Loss is what would happen if a node died now.
type Loss struct {
	Rooms    int            `json:"rooms"` // that it has and that are not over
	GoOn     map[string]int `json:"go_on"` // of them, by the node that would go on with them
	Fates    map[Fate]int   `json:"fates"` // all of them
	Bare     map[string]int `json:"bare"`  // rooms of other nodes that would have no standby until they find one, by node
	Examples []LossExample  `json:"examples"`
}

// LossExample is one of the node's rooms. Those that would not go on come first.
type LossExample struct {
	Room room.ID `json:"room"`
	Game string  `json:"game"`
	Fate Fate    `json:"fate"`
	Node string  `json:"node,omitempty"` // that would go on with it
}

// nodesLoss asks a node what would happen if it died now.
const nodesLoss rpc.Method[rpc.None, Loss] = "nodes.loss"

// Loss asks a node what would happen if it died now. An error says that the node does not answer.
func (c *Cluster) Loss(ctx context.Context, node string) (Loss, error) {
	return rpc.Ask(ctx, c.Calls, node, nodesLoss, rpc.None{})
}

func (c *Cluster) serveMembers() {
	rpc.Serve(c.Calls, nodesLoss, func(context.Context, rpc.None) (Loss, error) {
		loss := LossOf(c.o.Rooms, c.members)
		loss.Bare = c.bare()
		return loss, nil
	})
}

// members are the members of a room that this node owns, beside itself; nil: it has none, or does not own the room.
func (c *Cluster) members(id room.ID) *record.Members {
	if c.o.Copies == nil {
		return nil
	}
	if m, ok := c.o.Copies.Members(id); ok {
		return &m
	}
	return nil
}

// bare counts the rooms of other nodes that have their standby here, by node.
func (c *Cluster) bare() map[string]int {
	if c.o.Copies == nil {
		return nil
	}
	return c.o.Copies.FollowedFrom()
}

// LossOf is what would happen to a node's rooms if it died now.
func LossOf(rooms *actor.Directory, members func(room.ID) *record.Members) Loss {
	loss := Loss{GoOn: map[string]int{}, Fates: map[Fate]int{}}
	var waiting, going []LossExample
	f := actor.Filter{Private: true, Limit: 1000}
	for {
		page := rooms.List(f)
		for _, info := range page {
			if info.Phase == core.PhaseOver {
				continue
			}
			one := LossExample{Room: info.ID, Game: info.Game}
			one.Fate, one.Node = fateOf(info.Durability, members(info.ID))
			loss.Rooms++
			loss.Fates[one.Fate]++
			if one.Fate == GoesOn {
				loss.GoOn[one.Node]++
				going = append(going, one)
			} else {
				waiting = append(waiting, one)
			}
			going = going[:min(len(going), LossExamples)]
			waiting = waiting[:min(len(waiting), LossExamples)]
		}
		if len(page) < f.Limit {
			break
		}
		f.After = page[len(page)-1].ID
	}
	all := append(waiting, going...)
	loss.Examples = all[:min(len(all), LossExamples)]
	return loss
}

func fateOf(kept room.Durability, m *record.Members) (fate Fate, node string) {
	switch {
	case kept == room.Memory:
		return LostMemory, ""
	case m != nil && m.Standby != nil && !m.Standby.Linked:
		return WaitsSilent, ""
	case m != nil && m.Standby != nil && m.Standby.Whole:
		return GoesOn, m.Standby.Node
	case m != nil && (m.Standby != nil || m.Learner != nil):
		return WaitsCopy, ""
	case kept == room.Local:
		return WaitsLocal, ""
	}
	return WaitsLone, ""
}

// describe is this node as Options.Describe has it, with its copies of rooms.
func (c *Cluster) describe() NodeInfo {
	info := c.o.Describe()
	if c.o.Copies == nil {
		return info
	}
	info.Copies = c.o.Copies.Summary()
	taken := map[string]record.Taken{} // by node: a folder may have been served under several names
	for folder, t := range c.o.Owner.TakenFrom() {
		node := cmp.Or(c.o.Copies.NodeOf(folder), folder)
		was := taken[node]
		taken[node] = record.Taken{From: node, Seized: was.Seized + t.Seized, Yielded: was.Yielded + t.Yielded}
	}
	info.Taken = slices.SortedFunc(maps.Values(taken), func(a, b record.Taken) int { return cmp.Compare(a.From, b.From) })
	return info
}

// Copies sums up this node's copies of rooms.
func (c *Cluster) Copies() (s record.Copies) {
	if c.o.Copies != nil {
		s = c.o.Copies.Summary()
	}
	return s
}

// InDoubt counts the rooms that wait for their standby because this node's copy is not whole.
func (c *Cluster) InDoubt() int { return c.o.Owner.InDoubt() }
