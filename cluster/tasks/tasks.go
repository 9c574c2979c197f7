// Package tasks gives the goroutines of one part of the cluster an owner and an end.
package tasks

import (
	"context"
	"sync"
)

// Group is goroutines that end together. Make it by New. Its methods may be called from any goroutine.
type Group struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // nothing is added once closed
}

// New makes a group without goroutines.
func New() *Group {
	g := new(Group)
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// Context ends with Close.
func (g *Group) Context() context.Context { return g.ctx }

// Go runs f on a goroutine of its own with the group's context. It reports false, and does not run f, after Close.
func (g *Group) Go(f func(ctx context.Context)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.wg.Go(func() { f(g.ctx) })
	}
	return !g.closed
}

// Close ends the context and waits until all goroutines have ended. It may be called again.
func (g *Group) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel()
	g.wg.Wait()
}
