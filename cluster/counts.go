package cluster

import (
	"sync/atomic"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
)

// Counts are what this node has done in its cluster since it started.
type Counts struct {
	Claimed    uint64 // released rooms that this node has taken from the store
	Released   uint64 // rooms that it has given to the store
	Reattached uint64 // times that one of its clients was brought into its room again
	LostEvents uint64 // events that its clients of rooms elsewhere were told they missed
}

// counts are Counts in the making.
type counts struct {
	reattached, lostEvents atomic.Uint64
}

// Counts reads the counters. Like what follows it never blocks, and is for metrics.
func (c *Cluster) Counts() Counts {
	n := c.counts
	claimed, released := c.o.Owner.Moves()
	return Counts{
		Claimed: claimed, Released: released, Reattached: n.reattached.Load(), LostEvents: n.lostEvents.Load(),
	}
}

// States are how many nodes this one knows of, itself included, by the name of their state. Every state is named.
func (c *Cluster) States() map[string]int {
	n := map[string]int{}
	for _, s := range []members.State{members.Joining, members.Active, members.Draining} {
		n[stateName(s)] = 0
	}
	for _, m := range c.members.All() {
		n[stateName(m.State)]++
	}
	return n
}

// Gossip is how gossip does.
func (c *Cluster) Gossip() members.Stats { return c.members.Stats() }

// Links are this node's links to all others.
func (c *Cluster) Links() []link.State { return c.links.States() }
