package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/web/internal/rest"
)

// lane is where work that is dear stands in line. Who asks the least goes first, and whoever asks the most is sent away when the
// line is full: one who asks once is let through a crowd that asks on and on.
type lane struct {
	most, line int // at work at once; waiting

	mu      sync.Mutex
	busy    int
	waiting []*waiter // in the order they came
}

type waiter struct {
	merit float64   // the less its address has asked lately, the higher
	turn  chan bool // false: it is sent away
}

// errBusy says that others have gone before.
var errBusy = rest.RetryLater("busy", "Too many ask for this at once: retry.", 2*time.Second)

// hopeless reports whether somebody would be sent away at once.
func (l *lane) hopeless(merit float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) >= l.line && !slices.ContainsFunc(l.waiting, func(w *waiter) bool { return w.merit < merit })
}

// enter waits for a place. Whoever has got one leaves it.
func (l *lane) enter(ctx context.Context, merit float64) error {
	l.mu.Lock()
	if l.busy < l.most {
		l.busy++
		l.mu.Unlock()
		return nil
	}
	w := &waiter{merit, make(chan bool, 1)}
	l.waiting = append(l.waiting, w)
	if len(l.waiting) > l.line {
		l.pull(func(a, b *waiter) bool { return a.merit <= b.merit }).turn <- false
	}
	l.mu.Unlock()
	select {
	case ok := <-w.turn:
		if !ok {
			return errBusy
		}
		return nil
	case <-ctx.Done():
		l.giveUp(w)
		return errBusy
	}
}

// leave lets the next one in.
func (l *lane) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.busy--
		return
	}
	l.pull(func(a, b *waiter) bool { return a.merit > b.merit }).turn <- true
}

// pull takes the first one out that none goes before.
func (l *lane) pull(before func(a, b *waiter) bool) *waiter {
	at := 0
	for i, w := range l.waiting {
		if before(w, l.waiting[at]) {
			at = i
		}
	}
	w := l.waiting[at]
	l.waiting = append(l.waiting[:at], l.waiting[at+1:]...)
	return w
}

// giveUp has one wait no longer; whoever was let in meanwhile leaves.
func (l *lane) giveUp(w *waiter) {
	l.mu.Lock()
	for i, other := range l.waiting {
		if other == w {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			l.mu.Unlock()
			return
		}
	}
	l.mu.Unlock()
	if <-w.turn {
		l.leave()
	}
}
