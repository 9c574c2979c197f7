package nodes

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
	joinRetry = 500 * time.Millisecond // between two looks for others
	warnAfter = 4                      // looks: nodes that are started together miss each other at first
	loadEvery = 2 * time.Second        // between two SetLoad
	greetWait = time.Second            // how long a node waits for its links before it is on the ring
)

// Start reaches for the others and takes this node onto the ring. It returns when that is done, or when there is nobody to join.
// Otherwise it goes on trying in the background, and Unready says why. The error is ctx's.
func (n *Nodes) Start(ctx context.Context) error {
	others, err := n.o.Table.Join(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if others > 0 || n.alone(ctx, err) {
		n.activate(ctx)
		return nil
	}
	n.o.Tasks.Go(n.keepJoining)
	return nil
}

// keepJoining goes on until others are there, or the store knows of none. Meanwhile members reach for them.
func (n *Nodes) keepJoining(ctx context.Context) {
	for look := 1; clock.Sleep(ctx, n.o.Clock, joinRetry); look++ {
		if len(n.o.Table.All()) > 1 || n.alone(ctx, nil) {
			n.activate(ctx)
			return
		}
		if look == warnAfter {
			n.o.Log.Warn("this node has found no other and keeps trying", "why", strings.Join(n.Unready(), "; "))
		}
	}
}

// activate takes this node onto the ring as soon as it fits into the cluster, and off it while it does not.
func (n *Nodes) activate(ctx context.Context) {
	n.greet(ctx)
	n.fit()
	n.o.Tasks.Go(func(ctx context.Context) {
		for clock.Sleep(ctx, n.o.Clock, joinRetry) {
			n.fit()
		}
	})
}

// greet waits until this node has a link to each of the others, or knows why it has none, for a second at most.
func (n *Nodes) greet(ctx context.Context) {
	ctx, cancel := clock.WithTimeout(ctx, n.o.Clock, greetWait)
	defer cancel()
	met := func() (count int) {
		for _, l := range n.o.Links.States() {
			if l.Up || l.Err != "" {
				count++
			}
		}
		return count
	}
	for met() < len(n.Others()) && clock.Sleep(ctx, n.o.Clock, greetWait/100) {
	}
}

// fit keeps this node on the ring while it fits into one cluster with the others, and off it while it does not.
func (n *Nodes) fit() {
	n.turning.Lock()
	defer n.turning.Unlock()
	state, why := n.o.Table.Self().State, n.misfit()
	switch {
	case state == members.Draining:
	case why != nil:
		if was := n.setUnready(why); !slices.Equal(was, []string{why.Error()}) {
			n.o.Log.Error("this node takes no part in the cluster", "why", why)
		}
		n.o.Table.SetState(members.Joining)
	case state == members.Joining:
		n.setUnready(nil)
		n.o.Table.SetState(members.Active)
		n.activated.Do(n.o.Activated)
	}
}

// misfit is why this node cannot be in one cluster with the nodes that were there before it. Of two nodes that do not fit together
// the newer process gives way, unless it has a link to another node.
func (n *Nodes) misfit() (why error) {
	for _, l := range n.o.Links.States() {
		switch {
		case l.Up:
			return nil
		case l.Unfit && l.Boot < n.o.Boot:
			why = errors.New(l.Err)
		}
	}
	return why
}

// alone reports whether this node may well be the only one: it was not told whom to join, or the store lists no other that lives. If
// it may not, Unready says why.
func (n *Nodes) alone(ctx context.Context, joining error) bool {
	join := strings.Join(n.o.Join, ", ")
	if join == "" {
		return true
	}
	ctx, cancel := clock.WithTimeout(ctx, n.o.Clock, n.o.Gather)
	defer cancel()
	boots, err := n.o.Store.Boots(ctx)
	if err != nil {
		n.setUnready(fmt.Errorf("the node has reached no other at %s, and the store does not say whether there is any: %w", join, err))
		return false
	}
	var others []string
	for _, b := range boots {
		if b.Node != n.o.Name && b.Silent < n.o.Fresh {
			others = append(others, fmt.Sprintf("%s on %s (boot %s)", b.Node, b.Host, b.ID))
		}
	}
	if len(others) == 0 {
		return true
	}
	slices.Sort(others)
	why := n.o.Table.Stats().JoinErr
	if why == "" && joining != nil {
		why = joining.Error()
	}
	why = strings.ReplaceAll(cmp.Or(why, "nobody answers"), "\n", "; ")
	n.setUnready(fmt.Errorf("the node was told to join %s and reaches no other (%s), but the store lists %s as alive: check the addresses, the firewall, and that label and secret are the cluster's",
		join, why, strings.Join(others, ", ")))
	return false
}

// setUnready returns what was said before.
func (n *Nodes) setUnready(why error) (was []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	was, n.unready = n.unready, nil
	if why != nil {
		n.unready = []string{why.Error()}
	}
	return was
}

// Unready says why this node should get no traffic yet: it has not been started; or it was told to join, reaches nobody, and the store
// lists others; or it does not fit into one cluster with them.
func (n *Nodes) Unready() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.unready)
}

// TellLoad gossips how loaded this node is, until ctx ends.
func (n *Nodes) TellLoad(ctx context.Context) {
	for clock.Sleep(ctx, n.o.Clock, loadEvery) {
		n.o.Table.SetLoad(n.o.Load())
	}
}
