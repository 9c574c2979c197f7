package loadtest

import (
	"math"
	"sync"
	"time"
)

// schedule says when acts are due. While players come, the rate of acts rises evenly to its full height.
type schedule struct {
	rate float64       // acts a second
	ramp time.Duration // while players come
}

// at is when act k is due, counted from 0, since the run began.
func (s schedule) at(k int) time.Duration {
	ramp := s.ramp.Seconds()
	rising := s.rate * ramp / 2 // acts that are due while players come
	seconds := ramp + (float64(k)-rising)/s.rate
	if float64(k) < rising {
		seconds = math.Sqrt(2 * ramp * float64(k) / s.rate)
	}
	return time.Duration(seconds * float64(time.Second))
}

// pacer hands out times that are a fixed interval apart, so that players come at a set rate. Any goroutine may use it.
type pacer struct {
	every time.Duration

	mu   sync.Mutex
	next time.Duration
}

// reserve returns the next time that nobody has, which is not before now.
func (p *pacer) reserve(now time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := max(now, p.next)
	p.next = at + p.every
	return at
}

// every is the interval of a rate a second.
func every(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }
