package node

import (
	"context"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/web/admin"
)

// rebalance asks all nodes what would move, and has it begin unless dry is set. Outside a cluster nothing can move.
func (n *Node) rebalance(ctx context.Context, dry bool) ([]admin.Rebalance, error) {
	if n.cluster == nil {
		return nil, nil
	}
	nodes, err := n.cluster.Rebalance(ctx, dry)
	out := make([]admin.Rebalance, len(nodes))
	for i, b := range nodes {
		out[i] = admin.Rebalance{Node: b.Node, Owned: b.Owned, Waits: b.Settles.Seconds(), Error: b.Err}
		for _, g := range b.Groups {
			change := "standby"
			if g.What == balance.Yield {
				change = "owner"
			}
			out[i].Changes = append(out[i].Changes, admin.RebalanceStep{
				Change: change, From: g.From, To: g.To, Rooms: g.Rooms, Why: string(g.Why), Examples: g.Examples,
			})
		}
	}
	return out, err
}

func (a clusterAdmin) Rebalance(ctx context.Context, dry bool) ([]admin.Rebalance, error) {
	return a.rebalance(ctx, dry)
}
