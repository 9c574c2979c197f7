package persist

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
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

// untilDone calls do until it succeeds or returns one of the final errors, which it returns; or until ctx
// has ended, whose error it then returns.
func untilDone(ctx context.Context, b Backoff, do func() error, final ...error) error {
	for n := 0; ; n++ {
		err := do()
		if err == nil || isAny(err, final) {
			return err
		}
		if err := b.Sleep(ctx, n); err != nil {
			return err
		}
	}
}

func isAny(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
