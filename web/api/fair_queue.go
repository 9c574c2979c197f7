package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/web/internal/rest"
)

// fairQueue is a semaphore whose waiters are served by priority. When too many wait, the one of the lowest priority is rejected. So
// a request of somebody who asks once gets through a crowd that asks on and on.
type fairQueue struct {
	places, line int // how many hold it at once, and how many may wait

	mu      sync.Mutex
	held    int
	waiting []*waiter // in the order they came
}

type waiter struct {
	priority float64
	admitted chan bool // false: it is rejected
}

// errBusy says that others have gone before.
var errBusy = rest.RetryLater("busy", "Too many ask for this at once: retry.", 2*time.Second)

// wouldReject reports whether a waiter of this priority would be rejected at once.
func (q *fairQueue) wouldReject(priority float64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) >= q.line && !slices.ContainsFunc(q.waiting, func(w *waiter) bool { return w.priority < priority })
}

// acquire waits for a place, until ctx ends. The error is errBusy.
func (q *fairQueue) acquire(ctx context.Context, priority float64) error {
	q.mu.Lock()
	if q.held < q.places {
		q.held++
		q.mu.Unlock()
		return nil
	}
	w := &waiter{priority, make(chan bool, 1)}
	q.waiting = append(q.waiting, w)
	if len(q.waiting) > q.line {
		q.remove(func(a, b *waiter) bool { return a.priority <= b.priority }).admitted <- false
	}
	q.mu.Unlock()
	select {
	case ok := <-w.admitted:
		if !ok {
			return errBusy
		}
		return nil
	case <-ctx.Done():
		q.cancel(w)
		return errBusy
	}
}

// release gives a place back, to the next waiter.
func (q *fairQueue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.held--
		return
	}
	q.remove(func(a, b *waiter) bool { return a.priority > b.priority }).admitted <- true
}

// remove takes out the first waiter that none goes before. The caller holds mu.
func (q *fairQueue) remove(before func(a, b *waiter) bool) *waiter {
	at := 0
	for i, w := range q.waiting {
		if before(w, q.waiting[at]) {
			at = i
		}
	}
	w := q.waiting[at]
	q.waiting = slices.Delete(q.waiting, at, at+1)
	return w
}

// cancel takes a waiter out, or gives back the place that it has got meanwhile.
func (q *fairQueue) cancel(w *waiter) {
	q.mu.Lock()
	at := slices.Index(q.waiting, w)
	if at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	}
	q.mu.Unlock()
	if at < 0 && <-w.admitted {
		q.release()
	}
}
