package clock

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before one more try: exponential with full jitter, so that those who lost the same thing together do
// not come back together (source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
//
// A Backoff belongs to one goroutine. A configured one is copied for each call that is tried again.
type Backoff struct {
	Min time.Duration // the longest wait after the first failure; it doubles with each; 0 means 20 ms
	Max time.Duration // the longest wait ever; 0 means 2 s

	failures int
}

// Next is the wait after one more failure: more than nothing, at most Ceiling.
func (b *Backoff) Next() time.Duration {
	wait := rand.N(b.Ceiling(b.failures)) + 1
	b.failures++
	return wait
}

// Reset makes the next wait one after a first failure. Call it after a success.
func (b *Backoff) Reset() { b.failures = 0 }

// Ceiling is the longest wait after so many earlier failures, min(Max, Min·2ⁿ): the wait without its jitter.
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
