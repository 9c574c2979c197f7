package cluster

import (
	"context"
	"slices"
	"strings"

	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// Questions about nodes.
const (
	nodeInfo  method[none, NodeInfo] = "node.info"
	nodeDrain method[none, none]     = "node.drain"
)

func (c *Cluster) serveNodes() {
	serve(c, nodeInfo, func(context.Context, none) (NodeInfo, error) { return c.describe(), nil })
	serveAct(c, nodeDrain, "drain", func(none) []any { return []any{"target", c.self} },
		func(context.Context, none) error { c.o.Stop(); return nil })
}

// describe is this node as Options.Describe has it, with what the cluster knows better.
func (c *Cluster) describe() NodeInfo {
	out := c.o.Describe()
	fill(&out, c.members.Self())
	out.Unready = append(out.Unready, c.Unready()...)
	out.Links = c.links.States()
	out.Gossips = c.members.Stats()
	return out
}

// fill says of a node what gossip tells of it.
func fill(n *NodeInfo, m members.Member) {
	n.Name, n.Boot, n.State = m.Name, string(m.Boot), stateName(m.State)
	n.Zone, n.Weight, n.Link, n.Gossip = m.Zone, m.Weight, m.Link, m.Gossip
	if n.Weight == 0 {
		n.Weight = 1
	}
}

func stateName(s members.State) string {
	switch s {
	case members.Active:
		return "active"
	case members.Draining:
		return "draining"
	}
	return "joining"
}

// Nodes are all nodes that are heard of or that the store holds to be alive, by name. Of one that does not answer in time
// there is what gossip tells, and Unready says so.
func (c *Cluster) Nodes(ctx context.Context) ([]NodeInfo, error) {
	var out []NodeInfo
	silent := scatter(ctx, c, append(c.others(), c.self), nodeInfo, none{}, c.o.Gather, func(name string, n NodeInfo, err error) patience {
		if err != nil {
			n = c.told(name, "the node could not say how it does: "+err.Error())
		} else if _, ok := c.members.Get(name); !ok {
			n.Unready = append(n.Unready, "gossip does not reach the node; the link to it stands")
		}
		out = append(out, n)
		return goOn
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, name := range silent {
		out = append(out, c.told(name, "the node does not answer"))
	}
	for _, l := range c.links.States() {
		if l.Unfit {
			out = append(out, c.told(l.Node, l.Err))
		}
	}
	for _, b := range c.unheard(c.boots.get(ctx, c)) {
		if slices.ContainsFunc(out, func(n NodeInfo) bool { return n.Boot == string(b.ID) }) {
			continue
		}
		out = append(out, NodeInfo{
			Name: b.Node, Boot: string(b.ID), State: "silent",
			Unready: []string{"the store holds the node on " + b.Host + " to be alive, and nobody hears it"},
		})
	}
	slices.SortFunc(out, func(a, b NodeInfo) int { return strings.Compare(a.Name+" "+a.Boot, b.Name+" "+b.Boot) })
	return out, nil
}

// told is what gossip tells of a node that does not say itself how it does.
func (c *Cluster) told(name, unready string) NodeInfo {
	n := NodeInfo{Name: name, State: "silent", Unready: []string{unready}}
	if m, ok := c.members.Get(name); ok {
		fill(&n, m)
	}
	return n
}

// Ring is the ring of the active nodes as this node knows it.
func (c *Cluster) Ring() *ring.Ring { return c.members.Ring() }

// Where says where a room belongs by the ring, and which node has it at which epoch. Errors are those of Locate; the
// Placement is there all the same.
func (c *Cluster) Where(ctx context.Context, id room.ID) (p ring.Placement, node string, epoch record.Epoch, err error) {
	p = c.members.Ring().Explain(id)
	if node, err = c.Locate(ctx, id); err != nil {
		return p, "", 0, err
	}
	w, err := ask(ctx, c, node, roomsWhere, id)
	if err == nil && !w.Here {
		c.Forget(id, node)
		err = actor.ErrUnreachable
	}
	return p, node, w.Epoch, err
}

// DrainNode has a node give its rooms away and stop, and returns when it has been told. actor.ErrNotFound: there is
// no such node.
func (c *Cluster) DrainNode(ctx context.Context, name string) error {
	if name != c.self && !c.hears(name) {
		return actor.ErrNotFound
	}
	_, err := ask(ctx, c, name, nodeDrain, none{})
	return err
}
