package webtest

import (
	"context"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/admin"
)

// Cluster is a cluster of alpha, which is asked, and beta.
type Cluster struct {
	mu      sync.Mutex
	Place   admin.Where
	Asked   admin.RingChange
	Drained []string
	Forgot  admin.Forgotten
	Dies    admin.Loss
	Begun   bool // a rebalance that is no dry run was asked for
	Fail    error
}

func (c *Cluster) Self() string { return "alpha" }

func (c *Cluster) Nodes(context.Context) ([]admin.Node, error) {
	return []admin.Node{
		{Name: "alpha", Boot: "01J", State: "active", Weight: 1, Share: 0.5, Version: "dev", Started: Now, Rooms: 1, Sessions: 3, Remote: 2,
			Copies: &admin.Copies{Owned: 4, Lone: 1, Learners: 1, LagEntries: 12, Lag: 3.5, Followed: 2}, Taken: []record.Taken{{From: "beta", Seized: 3}},
			Held:  []actor.Held{{ID: RoomID, Game: "go", Why: "there is no such game"}},
			Links: []admin.Link{{Peer: "beta", Up: true, Since: Now, RTT: 0.3}}},
		{Name: "beta", Boot: "01K", State: "silent", Weight: 2, Zone: "z", Started: Now, Unready: []string{"nobody hears it"}},
	}, nil
}

func (c *Cluster) Ring(context.Context) (admin.Ring, error) {
	return admin.Ring{
		Nodes: []admin.RingNode{{Name: "alpha", Weight: 1, Share: 0.5}, {Name: "beta", Weight: 2, Zone: "z", Share: 0.5}},
		Arcs:  []admin.RingArc{{From: 0, To: 0.5, Node: "alpha"}, {From: 0.5, To: 1, Node: "beta"}},
	}, nil
}

func (c *Cluster) Where(context.Context, room.ID) (admin.Where, error) { return c.Place, c.Fail }

func (c *Cluster) WhatIf(_ context.Context, change admin.RingChange) (admin.Moves, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Asked = change
	return admin.Moves{Share: 0.25, Flows: []admin.RingFlow{{From: "alpha", To: "gamma", Share: 0.25}}, Rooms: 3}, nil
}

func (c *Cluster) Loss(context.Context, string) (admin.Loss, error) { return c.Dies, c.Fail }

func (c *Cluster) Drain(_ context.Context, node string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Drained = append(c.Drained, node)
	return c.Fail
}

func (c *Cluster) Forget(_ context.Context, node string) (admin.Forgotten, error) {
	if node == "gamma" {
		return admin.Forgotten{}, actor.ErrNotFound
	}
	return c.Forgot, c.Fail
}

func (c *Cluster) Rebalance(_ context.Context, dry bool) ([]admin.Rebalance, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Begun = c.Begun || !dry
	return []admin.Rebalance{
		{Node: "alpha", Owned: 9, Waits: 4.5, Changes: []admin.RebalanceStep{
			{Change: "owner", From: "alpha", To: "beta", Rooms: 3, Why: "the ring names another node for the room", Examples: []room.ID{RoomID}},
			{Change: "standby", From: "beta", To: "gamma", Rooms: 1, Why: "the ring names another node for the standby"},
		}},
		{Node: "beta", Error: "the node does not answer"},
	}, c.Fail
}
