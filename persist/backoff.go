package persist

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is exponential with full jitter: before try n it waits between nothing and min(Max, Base·2ⁿ),
// so that many waiters spread out (source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
type Backoff struct {
	Base time.Duration // 0 means 20 ms
	Max  time.Duration // 0 means 2 s
}

// Delay returns how long to wait after failure n, the first being 0.
func (b Backoff) Delay(n int) time.Duration {
	return rand.N(b.ceiling(n)) + 1
}

func (b Backoff) ceiling(n int) time.Duration {
	base, top := orDefault(b.Base, 20*time.Millisecond), orDefault(b.Max, 2*time.Second)
	return min(base<<min(n, 20), top)
}

// Sleep waits for Delay(n), or returns ctx's error early.
func (b Backoff) Sleep(ctx context.Context, n int) error {
	timer := time.NewTimer(b.Delay(n))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
