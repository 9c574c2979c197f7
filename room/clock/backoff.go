package clock

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before the next try. It is exponential with full jitter, so that clients that failed at the same time
// do not retry at the same time (source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
//
// A Backoff belongs to one goroutine. Copy a configured one for each operation that is retried.
type Backoff struct {
	Min time.Duration // the longest wait after the first failure; it doubles with each failure; 0 means 20 ms
	Max time.Duration // the longest wait ever; 0 means 2 s

	failures int
}

// Next returns the wait after one more failure: more than 0, at most Ceiling.
func (b *Backoff) Next() time.Duration {
	wait := rand.N(b.Ceiling(b.failures)) + 1
	b.failures++
	return wait
}

// Reset forgets all failures. Call it after a success.
func (b *Backoff) Reset() { b.failures = 0 }

// Ceiling returns the wait without jitter after that many earlier failures: min(Max, Min·2ⁿ).
func (b Backoff) Ceiling(failures int) time.Duration {
	least, most := b.Min, b.Max
	if least <= 0 {
		least = 20 * time.Millisecond
	}
	if most <= 0 {
		most = 2 * time.Second
	}
	for ; failures > 0; failures-- {
		if least > most/2 {
			return most
		}
		least *= 2
	}
	return min(least, most)
}
