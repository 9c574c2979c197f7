package cluster

import (
	"cmp"
	"context"
	"slices"

	"github.com/roomring/roomring/cluster/replica"
	"github.com/roomring/roomring/cluster/rpc"
)

// roomsRebalance asks a node what of its rooms would move, and has them move at once unless the question is whether they would.
const roomsRebalance rpc.Method[rebalanceAsk, replica.Balance] = "rooms.rebalance"

type rebalanceAsk struct {
	Dry bool `json:"dry"`
}

// Rebalance is what keeps the rooms of one node from being where the ring has them.
type Rebalance struct {
	Node string
	replica.Balance
	Err string // why the node has not said
}

func (c *Cluster) serveRebalance() {
	answer := func(_ context.Context, in rebalanceAsk) (replica.Balance, error) {
		if c.o.Copies == nil {
			return replica.Balance{}, nil
		}
		return c.o.Copies.Rebalance(in.Dry), nil
	}
	rpc.Serve(c.Calls, roomsRebalance, answer)
}

// Rebalance asks all nodes what of their rooms would move to where the ring has it. Unless dry is set they begin at once, though the
// ring may not have settled. It waits for the nodes, and the list is by name.
func (c *Cluster) Rebalance(ctx context.Context, dry bool) ([]Rebalance, error) {
	var out []Rebalance
	silent := rpc.Scatter(ctx, c.Calls, c.Nodes.All(), roomsRebalance, rebalanceAsk{dry}, c.o.Gather, func(node string, b replica.Balance, err error) rpc.Next {
		one := Rebalance{Node: node, Balance: b}
		if err != nil {
			one.Err = err.Error()
		}
		out = append(out, one)
		return rpc.Continue
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, node := range silent {
		out = append(out, Rebalance{Node: node, Err: "the node does not answer"})
	}
	slices.SortFunc(out, func(a, b Rebalance) int { return cmp.Compare(a.Node, b.Node) })
	return out, nil
}
