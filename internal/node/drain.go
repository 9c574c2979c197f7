package node

import (
	"context"
	"time"
)

// join puts the node on the ring once it answers. It tries until ctx ends.
func (n *Node) join(ctx context.Context) {
	if n.cluster == nil {
		return
	}
	if err := n.cluster.Start(ctx); err != nil && ctx.Err() == nil {
		n.fail(err)
	}
}

// moveWithin is the time over which a stopping node spreads the requests that its clients move, so that they do not all
// reach other nodes at once.
const moveWithin = 2 * time.Second

// drain gives the rooms and then the clients to other nodes, while this node still answers. A node outside a cluster keeps
// its rooms in the journal for its next start. Its clients are told when the sockets close.
func (n *Node) drain(ctx context.Context) {
	n.draining.Store(true)
	if n.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.DrainTimeout)
	defer cancel()
	begun := time.Now()
	err := n.cluster.Drain(ctx)
	took := time.Since(begun).Round(time.Millisecond)
	if err != nil {
		n.log.Error("not every room could be given away: those that are left go on at their standbys, or else come back with this node's next start", "err", err, "took", took)
	} else {
		n.log.Info("no room is left here", "took", took)
	}
	if n.cluster.Nodes.States()["active"] == 0 {
		return // there is nowhere to move to: clients come back to whoever serves next as soon as their sockets close
	}
	if err := n.web.Load().Sockets.Move(ctx, moveWithin); err != nil {
		n.log.Warn("some clients have not moved to another node: their sockets are closed", "err", err)
	}
}

// Reload reads the cluster's secrets again and logs the outcome.
func (n *Node) Reload() {
	if n.cluster == nil {
		n.log.Info("SIGHUP: there is nothing to read again")
	} else if err := n.rotate(); err != nil {
		n.log.Error("the cluster's secrets were not read again, those in use stay", "err", err)
	} else {
		n.log.Info("the cluster's secrets were read again")
	}
}
