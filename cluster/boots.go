package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room/clock"
)

const (
	bootsAge  = 3 * time.Second        // after which the store is asked again
	bootsWait = 200 * time.Millisecond // how long an answer may wait for the store
)

// bootList is what the store last said of the processes that are alive. It is asked when somebody wants to know, at
// most every bootsAge, and holds up nobody for longer than bootsWait.
type bootList struct {
	mu     sync.Mutex
	boots  []Boot
	at     time.Time
	coming chan struct{} // closed when the store has answered; nil: it is not being asked
}

func (l *bootList) get(ctx context.Context, c *Cluster) []Boot {
	wait := l.refresh(c)
	if wait != nil {
		late, stop := clock.After(c.o.Clock, bootsWait)
		defer stop()
		select {
		case <-wait:
		case <-late:
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.boots
}

// refresh has the store asked if it is time to. It returns nil if it is not.
func (l *bootList) refresh(c *Cluster) (wait <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.coming != nil || c.o.Clock.Wall().Sub(l.at) < bootsAge {
		return l.coming
	}
	coming := make(chan struct{})
	if !c.spawn(func(ctx context.Context) { l.ask(ctx, c, coming) }) {
		return nil
	}
	l.coming = coming
	return coming
}

func (l *bootList) ask(ctx context.Context, c *Cluster, coming chan struct{}) {
	ctx, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Forward)
	defer cancel()
	boots, err := c.o.Store.Boots(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.boots = boots
	} else {
		c.log.Warn("the store does not say which nodes are alive", "err", err)
	}
	l.at, l.coming = c.o.Clock.Wall(), nil
	close(coming)
}

// unheard are the boots of processes that are not heard of. One whose node is back under a newer boot is not among them.
func (c *Cluster) unheard(boots []Boot) []Boot {
	heard := append(c.heard(), c.me())
	return slices.DeleteFunc(slices.Clone(boots), func(b Boot) bool {
		return slices.ContainsFunc(heard, func(p link.Peer) bool { return p.Boot == b.ID || p.Node == b.Node && p.Boot > b.ID })
	})
}
