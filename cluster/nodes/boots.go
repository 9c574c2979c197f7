package nodes

import (
	"context"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room/clock"
)

const (
	bootsAge  = 3 * time.Second        // after which the store is asked again
	bootsWait = 200 * time.Millisecond // how long a caller waits for the store
)

// Boots are what the store last said of the processes that are alive. Every 3 s the first caller has the store asked, in the
// background. No caller waits longer than 200 ms; it gets what is known then.
func (n *Nodes) Boots(ctx context.Context) []Boot {
	n.mu.Lock()
	fresh := n.o.Clock.Wall().Sub(n.asked) < bootsAge
	n.mu.Unlock()
	if !fresh {
		answer := n.asking.DoChan("", func() (any, error) { n.askForBoots(); return nil, nil })
		late, stop := clock.After(n.o.Clock, bootsWait)
		defer stop()
		select {
		case <-answer:
		case <-late:
		case <-ctx.Done():
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.boots
}

func (n *Nodes) askForBoots() {
	done := make(chan struct{})
	if !n.o.Tasks.Go(func(ctx context.Context) {
		defer close(done)
		ctx, cancel := clock.WithTimeout(ctx, n.o.Clock, n.o.Forward)
		defer cancel()
		boots, err := n.o.Store.Boots(ctx)
		n.mu.Lock()
		defer n.mu.Unlock()
		if err == nil {
			n.boots = boots
		} else {
			n.o.Log.Warn("the store does not say which nodes are alive", "err", err)
		}
		n.asked = n.o.Clock.Wall()
	}) {
		return
	}
	<-done
}

// Unheard are the boots that the store holds to be alive and nobody hears. A boot whose node is back under a newer one is not among
// them. It waits for the store as Boots does.
func (n *Nodes) Unheard(ctx context.Context) []Boot {
	heard := append(n.Heard(), n.Self())
	return slices.DeleteFunc(slices.Clone(n.Boots(ctx)), func(b Boot) bool {
		return slices.ContainsFunc(heard, func(p link.Peer) bool { return p.Boot == b.ID || p.Node == b.Node && p.Boot > b.ID })
	})
}
