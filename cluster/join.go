package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/members"
)

const (
	retryJoin = 500 * time.Millisecond // between two looks for others
	loadEvery = 2 * time.Second        // between two SetLoad
)

// Start reaches for the others and takes this node onto the ring. It returns when that is done, or when there is
// nobody to join; else it goes on trying in the background, and Unready says why.
func (c *Cluster) Start(ctx context.Context) error {
	others, err := c.members.Join(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if others > 0 || c.nobodyElse(ctx, err) {
		c.activate()
		return nil
	}
	c.log.Warn("this node has found no other: trying on", "why", strings.Join(c.Unready(), "; "))
	c.spawn(c.keepJoining)
	return nil
}

// keepJoining goes on until others are there, or the store knows of none; members reach for them meanwhile.
func (c *Cluster) keepJoining(ctx context.Context) {
	for pause(ctx, retryJoin) {
		if len(c.members.All()) > 1 || c.nobodyElse(ctx, nil) {
			c.activate()
			return
		}
	}
}

func (c *Cluster) activate() {
	c.setUnready(nil)
	if c.members.Self().State == members.Joining {
		c.members.SetState(members.Active)
		c.moves.start()
	}
}

// nobodyElse reports whether this node may well be the only one: it was not told whom to join, or the store
// lists no other that lives. If not, Unready says why.
func (c *Cluster) nobodyElse(ctx context.Context, joining error) bool {
	join := c.o.Members.Join
	if len(join) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Gather)
	defer cancel()
	boots, err := c.o.Store.Boots(ctx)
	if err != nil {
		c.setUnready(fmt.Errorf("the node has reached no other at %s, and the store does not say whether there is any: %w", strings.Join(join, ", "), err))
		return false
	}
	var others []string
	for _, b := range boots {
		if b.Node != c.self && b.Silent < c.o.Fresh {
			others = append(others, fmt.Sprintf("%s on %s (boot %s)", b.Node, b.Host, b.ID))
		}
	}
	if len(others) == 0 {
		return true
	}
	slices.Sort(others)
	why := cmp.Or(c.members.Stats().JoinErr, errorText(joining), "nobody answers")
	c.setUnready(fmt.Errorf("the node was told to join %s and reaches no other (%s), but the store lists %s as alive: check the addresses, the firewall, and that label and secret are the cluster's",
		strings.Join(join, ", "), why, strings.Join(others, ", ")))
	return false
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (c *Cluster) setUnready(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alone = nil
	if why != nil {
		c.alone = []string{why.Error()}
	}
}

// Unready says why this node should get no traffic yet: it has not been started, or was told to join, reaches nobody,
// and the store lists others.
func (c *Cluster) Unready() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.alone)
}

// tellLoad tells the others how loaded this node is: its rooms, and a tenth for each socket.
func (c *Cluster) tellLoad(ctx context.Context) {
	for pause(ctx, loadEvery) {
		c.members.SetLoad(float64(c.o.Rooms.Count()) + float64(c.o.Describe().Sessions)/10)
	}
}
