package node

import (
	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/web/metrics"
)

// clusterMetrics returns the functions that read a cluster's metrics.
func clusterMetrics(c *cluster.Cluster) metrics.Cluster {
	links := func(value func(link.State) float64) func() map[string]float64 {
		return func() map[string]float64 {
			out := map[string]float64{}
			for _, l := range c.Links() {
				out[l.Node] = value(l)
			}
			return out
		}
	}
	up := func(is bool) float64 {
		if is {
			return 1
		}
		return 0
	}
	replication := func(value func(link.Replication) float64) func() map[string]float64 {
		return links(func(l link.State) float64 { return value(l.Replication) })
	}
	counted := func(value func(cluster.Counts) uint64) func() float64 {
		return func() float64 { return float64(value(c.Counts())) }
	}
	return metrics.Cluster{
		Members: func() map[string]float64 {
			out := map[string]float64{}
			for state, n := range c.Nodes.States() {
				out[state] = float64(n)
			}
			return out
		},
		RingShare:      func() map[string]float64 { return c.Nodes.Ring().Shares() },
		LinkUp:         links(func(l link.State) float64 { return up(l.Up) }),
		LinkRTT:        links(func(l link.State) float64 { return l.RTT.Seconds() }),
		LinkQueued:     links(func(l link.State) float64 { return float64(l.Queued) }),
		LinkCarried:    links(func(l link.State) float64 { return up(l.Via != "") }),
		LinkReconnects: links(func(l link.State) float64 { return float64(l.Reconnects) }),
		LinkSent:       links(func(l link.State) float64 { return float64(l.Sent) }),
		LinkReceived:   links(func(l link.State) float64 { return float64(l.Received) }),
		LinkOverflows:  links(func(l link.State) float64 { return float64(l.Overflows) }),

		ReplicationUp:         replication(func(r link.Replication) float64 { return up(r.Up) }),
		ReplicationQueued:     replication(func(r link.Replication) float64 { return float64(r.Queued) }),
		ReplicationReconnects: replication(func(r link.Replication) float64 { return float64(r.Reconnects) }),
		ReplicationSent:       replication(func(r link.Replication) float64 { return float64(r.Sent) }),
		ReplicationReceived:   replication(func(r link.Replication) float64 { return float64(r.Received) }),
		ReplicationOverflows:  replication(func(r link.Replication) float64 { return float64(r.Overflows) }),

		Seized:     counted(func(n cluster.Counts) uint64 { return n.Seized }),
		Taken:      counted(func(n cluster.Counts) uint64 { return n.Taken }),
		Yielded:    counted(func(n cluster.Counts) uint64 { return n.Yielded }),
		Dismissed:  counted(func(n cluster.Counts) uint64 { return n.Dismissed }),
		Recruited:  counted(func(n cluster.Counts) uint64 { return n.Recruited }),
		Strikes:    counted(func(n cluster.Counts) uint64 { return n.Strikes }),
		Fills:      counted(func(n cluster.Counts) uint64 { return n.Fills }),
		LoneRooms:  func() float64 { return float64(c.Copies().Lone) },
		LagEntries: func() float64 { return float64(c.Copies().Lag.Entries) },
		LagSeconds: func() float64 { return c.Copies().Lag.Oldest.Seconds() },
		Copies: func() map[string]float64 {
			s := c.Copies()
			return map[string]float64{"whole": float64(s.Followed), "partial": float64(s.Partial), "unsure": float64(s.Unsure)}
		},
		InDoubt: func() float64 { return float64(c.InDoubt()) },

		GossipHealth:    func() float64 { return float64(c.Gossip().Health) },
		GossipStrangers: func() float64 { return float64(c.Gossip().Strangers) },
		RemoteSessions:  func() float64 { return float64(c.Edge.Remote()) },
		RoomsClaimed:    counted(func(n cluster.Counts) uint64 { return n.Claimed }),
		RoomsReleased:   counted(func(n cluster.Counts) uint64 { return n.Released }),
		EdgeReattach:    counted(func(n cluster.Counts) uint64 { return n.Reattached }),
		EdgeEventsLost:  counted(func(n cluster.Counts) uint64 { return n.LostEvents }),
	}
}
