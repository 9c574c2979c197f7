package persist

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue is a bounded first-in first-out queue. Any goroutine may put, one goroutine takes.
type queue[T any] struct {
	mu     sync.Mutex
	items  []T
	bound  int
	closed bool
	wake   chan struct{} // holds one token when something has changed for the taker
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

// putBack appends an item that was taken before. It ignores the bound, and it works after close.
func (q *queue[T]) putBack(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, item)
	q.signal()
}

// close refuses new items. Those in the queue can still be taken.
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

// take waits for an item, then for n items or until linger is over, and takes at most n. It returns
// nothing when the queue is closed and empty, or when ctx has ended.
func (q *queue[T]) take(ctx context.Context, n int, linger time.Duration) []T {
	if !q.await(ctx, 1, nil) {
		return nil
	}
	timer := time.NewTimer(linger)
	defer timer.Stop()
	q.await(ctx, n, timer.C)
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.items))
	taken := slices.Clone(q.items[:n])
	clear(q.items[:n]) // so that what is taken can be freed
	q.items = q.items[n:]
	return taken
}

// await waits until n items are there, no more will come, or over fires. It reports whether any item is there.
func (q *queue[T]) await(ctx context.Context, n int, over <-chan time.Time) bool {
	for {
		q.mu.Lock()
		have, closed := len(q.items), q.closed
		q.mu.Unlock()
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
