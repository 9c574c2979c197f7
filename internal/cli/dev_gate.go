package cli

import (
	"context"
	"sync"
	"time"
)

// gate holds requests back while the nodes are being restarted. It is open at first.
type gate struct {
	mu     sync.Mutex
	opened chan struct{}
}

func newGate() *gate {
	g := &gate{opened: make(chan struct{})}
	close(g.opened)
	return g
}

// close holds back who waits from now on.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

// open lets all pass. It does nothing if the gate is open.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.opened:
	default:
		close(g.opened)
	}
}

// patience is the longest that a request is held back.
const patience = 20 * time.Second

// wait returns when the gate is open, when ctx ends, or after patience.
func (g *gate) wait(ctx context.Context) {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-opened:
	case <-late.C:
	case <-ctx.Done():
	}
}
