package persist

import (
	"context"
	"sync"
	"time"
)

// queue is a bounded first-in first-out between many who put and the one goroutine that takes.
type queue[T any] struct {
	mu     sync.Mutex
	items  []T
	bound  int
	closed bool
	wake   chan struct{} // holds one token when there is news for the taker
}

func newQueue[T any](bound int) *queue[T] {
	return &queue[T]{bound: bound, wake: make(chan struct{}, 1)}
}

// put appends an item; it never blocks. The error is ErrFull or ErrClosed.
func (q *queue[T]) put(item T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case len(q.items) >= q.bound:
		return ErrFull
	}
	q.items = append(q.items, item)
	q.signal()
	return nil
}

// putBack appends what was taken before, whatever the bound and also after close.
func (q *queue[T]) putBack(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, item)
	q.signal()
}

// close lets nothing more in; what is there can still be taken.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for an item, then until n are there or linger is over, and takes at most n. It returns
// nothing when the queue is closed and empty, or ctx has ended.
func (q *queue[T]) take(ctx context.Context, n int, linger time.Duration) []T {
	if !q.await(ctx, 1, nil) {
		return nil
	}
	timer := time.NewTimer(linger)
	defer timer.Stop()
	q.await(ctx, n, timer.C)
	return q.pop(n)
}

// await waits until n items are there, or no more will come, or over fires. It reports whether any is there.
func (q *queue[T]) await(ctx context.Context, n int, over <-chan time.Time) bool {
	for {
		have, closed := q.state()
		if have >= n || closed || ctx.Err() != nil {
			return have > 0 && ctx.Err() == nil
		}
		select {
		case <-q.wake:
		case <-over:
			return have > 0
		case <-ctx.Done():
		}
	}
}

func (q *queue[T]) state() (have int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items), q.closed
}

func (q *queue[T]) pop(n int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.items))
	taken := append([]T(nil), q.items[:n]...)
	clear(q.items[:n]) // so that what is taken can be freed
	q.items = q.items[n:]
	return taken
}
