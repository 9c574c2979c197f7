package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/room/clock"
)

const (
	retryJoin = 500 * time.Millisecond // between two looks for others
	alonePast = 4                      // looks after which it is worth a warning: nodes that are started together miss each other at first
	loadEvery = 2 * time.Second        // between two SetLoad
	greetIn   = time.Second            // how long a node waits for its links before it is on the ring
)

// Start is called when the journal's rooms are back. It reaches for the others and takes this node onto the ring. It
// returns when that is done, or when there is nobody to join; else it goes on trying in the background, and Unready
// says why.
func (c *Cluster) Start(ctx context.Context) error {
	c.started.Store(true)
	others, err := c.members.Join(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if others > 0 || c.nobodyElse(ctx, err) {
		c.activate(ctx)
		return nil
	}
	c.spawn(c.keepJoining)
	return nil
}

// keepJoining goes on until others are there, or the store knows of none; members reach for them meanwhile.
func (c *Cluster) keepJoining(ctx context.Context) {
	for look := 1; clock.Sleep(ctx, c.o.Clock, retryJoin); look++ {
		if len(c.members.All()) > 1 || c.nobodyElse(ctx, nil) {
			c.activate(ctx)
			return
		}
		if look == alonePast {
			c.log.Warn("this node has found no other: trying on", "why", strings.Join(c.Unready(), "; "))
		}
	}
}

// activate takes this node onto the ring as soon as it fits into the cluster.
func (c *Cluster) activate(ctx context.Context) {
	c.introduce(ctx)
	c.fit()
	c.spawn(func(ctx context.Context) {
		for clock.Sleep(ctx, c.o.Clock, retryJoin) {
			c.fit()
		}
	})
}

// introduce waits until this node has greeted all others, or could not, or for a second.
func (c *Cluster) introduce(ctx context.Context) {
	ctx, cancel := clock.WithTimeout(ctx, c.o.Clock, greetIn)
	defer cancel()
	for met := 0; met < len(c.others()) && clock.Sleep(ctx, c.o.Clock, greetIn/100); {
		met = 0
		for _, l := range c.links.States() {
			if l.Up || l.Err != "" {
				met++
			}
		}
	}
}

// fit keeps this node on the ring while it can be in one cluster with the others, and off it while it cannot.
func (c *Cluster) fit() {
	c.turning.Lock()
	defer c.turning.Unlock()
	state, why := c.members.Self().State, c.misfit()
	switch {
	case state == members.Draining:
	case why != nil:
		if was := c.setUnready(why); !slices.Equal(was, []string{why.Error()}) {
			c.log.Error("this node takes no part in the cluster", "why", why)
		}
		c.members.SetState(members.Joining)
	case state == members.Joining:
		c.setUnready(nil)
		c.members.SetState(members.Active)
		c.sweeping.Do(c.moves.start)
	}
}

// misfit is why this node cannot be in one cluster with those that were there before it. Of two nodes that do not go
// together it is the newer process that gives way, unless it has a link to somebody.
func (c *Cluster) misfit() (why error) {
	for _, l := range c.links.States() {
		switch {
		case l.Up:
			return nil
		case l.Unfit && l.Boot < c.o.Members.Self.Boot:
			why = errors.New(l.Err)
		}
	}
	return why
}

// nobodyElse reports whether this node may well be the only one: it was not told whom to join, or the store
// lists no other that lives. If not, Unready says why.
func (c *Cluster) nobodyElse(ctx context.Context, joining error) bool {
	join := c.o.Members.Join
	if len(join) == 0 {
		return true
	}
	ctx, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Gather)
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
	why := strings.ReplaceAll(cmp.Or(c.members.Stats().JoinErr, errorText(joining), "nobody answers"), "\n", "; ")
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

// setUnready returns what was said before.
func (c *Cluster) setUnready(why error) (was []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was, c.alone = c.alone, nil
	if why != nil {
		c.alone = []string{why.Error()}
	}
	return was
}

// Unready says why this node should get no traffic yet: it has not been started, or was told to join, reaches nobody,
// and the store lists others; or it cannot be in one cluster with them.
func (c *Cluster) Unready() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.alone)
}

// tellLoad tells the others how loaded this node is: its rooms, and a tenth for each socket.
func (c *Cluster) tellLoad(ctx context.Context) {
	for clock.Sleep(ctx, c.o.Clock, loadEvery) {
		c.members.SetLoad(float64(c.o.Rooms.Count()) + float64(c.o.Describe().Sessions)/10)
	}
}
