package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/admin"
)

// clusterAdmin answers the admin server's questions about nodes and ring. It serves one node and a cluster alike: only
// the sources of ring, nodes and rooms differ.
type clusterAdmin struct {
	self  string
	ring  func() *ring.Ring
	nodes func(ctx context.Context) ([]admin.Node, error) // without their shares of the ring
	rooms interface {
		Info(ctx context.Context, id room.ID) (actor.Info, error)
		List(ctx context.Context, f actor.Filter) (actor.Listing, error)
	}
	loss   func(ctx context.Context, node string) (cluster.Loss, error)
	drain  func(ctx context.Context, node string) error
	forget func(ctx context.Context, node string) (admin.Forgotten, error)

	rebalance func(ctx context.Context, dry bool) ([]admin.Rebalance, error)
}

// clusterAdmin describes the cluster. A node outside a cluster is a ring of one.
func (n *Node) clusterAdmin() clusterAdmin {
	if n.cluster != nil {
		return clusterAdmin{self: n.name, ring: n.cluster.Nodes.Ring, nodes: n.clusterNodes, rooms: n.cluster.Rooms(), loss: n.cluster.Loss, drain: n.cluster.Nodes.DrainNode, forget: n.forget, rebalance: n.rebalance}
	}
	return clusterAdmin{
		self: n.name,
		ring: func() *ring.Ring {
			if n.draining.Load() {
				return ring.New(nil)
			}
			return ring.New([]ring.Node{{Name: n.name}})
		},
		nodes: n.nodes, rooms: n.allRooms(),
		loss: func(context.Context, string) (cluster.Loss, error) {
			return cluster.LossOf(n.rooms, func(room.ID) *record.Members { return nil }), nil
		},
		drain: func(context.Context, string) error {
			n.log.Info("the operator drains this node")
			n.fail(nil)
			return nil
		},
		forget: n.forget, rebalance: n.rebalance,
	}
}

// forget marks a node whose disk is lost as gone, in the store that all nodes share.
func (n *Node) forget(ctx context.Context, node string) (admin.Forgotten, error) {
	heard := []record.BootID{n.boot}
	if n.cluster != nil {
		heard = n.cluster.Nodes.HeardBoots()
	}
	gone, err := n.store.Forget(ctx, n.boot, node, heard)
	if alive, ok := errors.AsType[*persist.NodeLivesError](err); ok {
		err = &admin.NodeLivesError{Reason: alive.Error()}
	}
	if errors.Is(err, record.ErrNotFound) {
		err = actor.ErrNotFound
	}
	return admin.Forgotten(gone), err
}

// clusterNodes returns all nodes, as each describes itself.
func (n *Node) clusterNodes(ctx context.Context) ([]admin.Node, error) {
	infos, err := n.cluster.Nodes.Infos(ctx)
	out := make([]admin.Node, len(infos))
	for i, in := range infos {
		out[i] = admin.Node{
			Name: in.Name, Boot: in.Boot, State: in.State, Zone: in.Zone, Weight: in.Weight, Version: in.Version, Started: in.Started, Games: in.Games,
			Rooms: in.Rooms, Sessions: in.Sessions, Remote: in.Remote, Unready: in.Unready, Held: in.Held,
			Copies: copiesOf(in.Copies), Taken: in.Taken, LinkAddress: in.Link, GossipAddress: in.Gossip, GossipHealth: in.Gossips.Health,
		}
		for _, l := range in.Links {
			out[i].Links = append(out[i].Links, admin.Link{
				Peer: l.Node, Up: l.Up, Since: l.Since, RTT: float64(l.RTT) / float64(time.Millisecond), Queued: l.Queued,
				Reconnects: l.Reconnects, Via: l.Via, Error: l.Err,
			})
		}
	}
	return out, err
}

// nodes returns this node alone.
func (n *Node) nodes(context.Context) ([]admin.Node, error) {
	state := "active"
	if n.draining.Load() {
		state = "draining"
	}
	return []admin.Node{{
		Name: n.name, Boot: string(n.boot), State: state, Weight: 1, Version: Version(), Started: n.started, Games: gameVersions(n.games),
		Rooms: n.rooms.Count(), Sessions: n.openSockets(), Unready: n.unready(), Held: n.held(),
	}}, nil
}

func (a clusterAdmin) Self() string { return a.self }

func (a clusterAdmin) Loss(ctx context.Context, node string) (admin.Loss, error) {
	loss, err := a.loss(ctx, node)
	if _, silent := errors.AsType[*rpc.NoAnswerError](err); silent {
		err = &actor.UnreachableError{Reason: "the node " + node + " does not answer: which of its rooms have gone on, GET /admin/v1/rooms tells"}
	}
	if err != nil {
		return admin.Loss{}, err
	}
	out := admin.Loss{Node: node, Rooms: loss.Rooms, GoOn: perNode(loss.GoOn), Bare: perNode(loss.Bare)}
	for _, fate := range []cluster.Fate{cluster.WaitsLone, cluster.WaitsCopy, cluster.WaitsSilent, cluster.WaitsLocal} {
		if n := loss.Fates[fate]; n > 0 {
			out.Wait = append(out.Wait, admin.LossReason{Why: string(fate), Rooms: n})
		}
	}
	out.Lost = loss.Fates[cluster.LostMemory]
	for _, e := range loss.Examples {
		out.Examples = append(out.Examples, admin.LossExample{Room: e.Room, Game: e.Game, Fate: string(e.Fate), Node: e.Node})
	}
	return out, nil
}

// perNode lists numbers of rooms by node.
func perNode(rooms map[string]int) []admin.NodeRooms {
	var out []admin.NodeRooms
	for _, node := range slices.Sorted(maps.Keys(rooms)) {
		out = append(out, admin.NodeRooms{Node: node, Rooms: rooms[node]})
	}
	return out
}

func copiesOf(c record.Copies) *admin.Copies {
	return &admin.Copies{
		Owned: c.Owned, Lone: c.Lone, Learners: c.Learners, LagEntries: c.Lag.Entries, Lag: admin.Milliseconds(c.Lag.Oldest),
		Followed: c.Followed, Partial: c.Partial, Unsure: c.Unsure,
	}
}

func (a clusterAdmin) Drain(ctx context.Context, node string) error { return a.drain(ctx, node) }

func (a clusterAdmin) Forget(ctx context.Context, node string) (admin.Forgotten, error) {
	return a.forget(ctx, node)
}

func (a clusterAdmin) Nodes(ctx context.Context) ([]admin.Node, error) {
	nodes, err := a.nodes(ctx)
	shares := a.ring().Shares()
	for i := range nodes {
		nodes[i].Share = shares[nodes[i].Name]
	}
	setLacks(nodes)
	return nodes, err
}

// setLacks notes for each node the games that another node has and it lacks. This is normal while a cluster is upgraded.
func setLacks(nodes []admin.Node) {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Games...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for i := range nodes {
		if n := &nodes[i]; len(n.Games) > 0 {
			n.Lacks = slices.DeleteFunc(slices.Clone(all), func(g string) bool { return slices.Contains(n.Games, g) })
		}
	}
}

func (a clusterAdmin) Ring(context.Context) (admin.Ring, error) {
	r := a.ring()
	out := admin.Ring{Nodes: ringNodes(r)}
	for _, a := range r.Arcs() {
		out.Arcs = append(out.Arcs, admin.RingArc(a))
	}
	return out, nil
}

func ringNodes(r *ring.Ring) []admin.RingNode {
	shares := r.Shares()
	var out []admin.RingNode
	for _, n := range r.Nodes() {
		out = append(out, admin.RingNode{Name: n.Name, Weight: cmp.Or(n.Weight, 1), Zone: n.Zone, Share: shares[n.Name]})
	}
	return out
}

func (a clusterAdmin) Where(ctx context.Context, id room.ID) (admin.Where, error) {
	at := a.ring().Explain(id)
	where := admin.Where{Hash: at.Hash, Point: at.Point, Nodes: at.Nodes}
	info, err := a.rooms.Info(ctx, id)
	switch {
	case errors.Is(err, actor.ErrNotFound):
		return where, nil
	case err != nil:
		return where, fmt.Errorf("asking where room %s is: %w", id, err)
	}
	where.Node, where.Epoch = info.Node, info.Epoch
	return where, nil
}

func (a clusterAdmin) WhatIf(ctx context.Context, change admin.RingChange) (admin.Moves, error) {
	now := a.ring()
	then := applyChange(now, change)
	out := admin.Moves{Share: ring.Moved(now, then), Flows: flows(now.Arcs(), then.Arcs()), Nodes: ringNodes(then)}
	err := a.allRooms(ctx, func(l actor.Listing) {
		out.Partial = out.Partial || l.Partial
		for _, r := range l.Rooms {
			if r.Phase != core.PhaseOver && now.Owner(r.ID) != then.Owner(r.ID) {
				out.Rooms++
			}
		}
	})
	return out, err
}

// applyChange returns the ring as it would be after a change.
func applyChange(now *ring.Ring, change admin.RingChange) *ring.Ring {
	nodes := slices.DeleteFunc(now.Nodes(), func(n ring.Node) bool { return slices.Contains(change.Leave, n.Name) })
	for _, n := range change.Join {
		nodes = append(nodes, ring.Node{Name: n.Name, Weight: n.Weight, Zone: n.Zone})
	}
	return ring.New(nodes)
}

// flows returns the shares that move from node to node between two rings, largest first.
func flows(from, to []ring.Arc) []admin.RingFlow {
	type pair struct{ from, to string }
	shares := map[pair]float64{}
	whole := []ring.Arc{{To: 1}} // a ring without nodes is one arc that nobody owns
	if len(from) == 0 {
		from = whole
	}
	if len(to) == 0 {
		to = whole
	}
	for at := 0.0; len(from) > 0 && len(to) > 0; {
		end := min(from[0].To, to[0].To)
		if from[0].Node != to[0].Node {
			shares[pair{from[0].Node, to[0].Node}] += end - at
		}
		at = end
		if from[0].To <= end {
			from = from[1:]
		}
		if to[0].To <= end { // both arcs may end here
			to = to[1:]
		}
	}
	var out []admin.RingFlow
	for p := range maps.Keys(shares) {
		out = append(out, admin.RingFlow{From: p.from, To: p.to, Share: shares[p]})
	}
	slices.SortFunc(out, func(a, b admin.RingFlow) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}

// allRooms calls page with every room there is, a page at a time.
func (a clusterAdmin) allRooms(ctx context.Context, page func(actor.Listing)) error {
	f := actor.Filter{Private: true, Limit: 1000}
	for {
		l, err := a.rooms.List(ctx, f)
		if err != nil {
			return err
		}
		page(l)
		if len(l.Rooms) < f.Limit {
			return nil
		}
		f.After = l.Rooms[len(l.Rooms)-1].ID
	}
}

// maxHeldShown bounds the held rooms that a node lists for its operator. The log names all of them.
const maxHeldShown = 100

// held returns the first maxHeldShown rooms that this node keeps but cannot run.
func (n *Node) held() []actor.Held {
	all := n.owner.Held()
	slices.SortFunc(all, func(a, b actor.Held) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all[:min(len(all), maxHeldShown)]
}
