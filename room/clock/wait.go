package clock

import (
	"context"
	"sync"
	"time"
)

// WithTimeout is context.WithTimeout by a clock. Its cause is context.DeadlineExceeded. It has no Deadline, because that would
// be a time of day.
func WithTimeout(ctx context.Context, c Clock, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	t := c.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() {
		t.Stop()
		cancel(context.Canceled)
	}
}

// Sleep blocks until d has passed by c and returns true, or until ctx ends and returns false. It sets no timer when ctx has
// already ended. A nil c means the machine's own time.
func Sleep(ctx context.Context, c Clock, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	over, stop := After(c, d)
	defer stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// After returns a channel that is closed when d has passed, unless stop is called before. Stop may be called more than once. A
// nil c means the machine's own time.
func After(c Clock, d time.Duration) (over <-chan struct{}, stop func()) {
	done := make(chan struct{})
	closeDone := func() { close(done) }
	var t Timer
	if c == nil {
		t = time.AfterFunc(d, closeDone)
	} else {
		t = c.AfterFunc(d, closeDone)
	}
	return done, func() { t.Stop() }
}

// Ticker sends a tick on C after each d. While nobody receives, at most one tick waits.
type Ticker struct {
	C <-chan struct{}

	mu    sync.Mutex
	timer Timer // nil once stopped
}

// NewTicker makes a ticker that runs until Stop.
func NewTicker(c Clock, d time.Duration) *Ticker {
	ticks := make(chan struct{}, 1)
	t := &Ticker{C: ticks}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = c.AfterFunc(d, func() {
		select {
		case ticks <- struct{}{}:
		default:
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.timer != nil {
			t.timer.Reset(d)
		}
	})
	return t
}

// Stop ends the ticks.
func (t *Ticker) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}
