package clock_test

import (
	"math"
	"testing"
	"time"

	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/clock/clocktest"
)

func TestBackoffDoublesUpToItsMax(t *testing.T) {
	const s = time.Second
	b := clock.Backoff{Min: s, Max: 10 * s}
	for failures, want := range []time.Duration{s, 2 * s, 4 * s, 8 * s, 10 * s, 10 * s} {
		if got := b.Ceiling(failures); got != want {
			t.Errorf("after %d failures it waits up to %v, want %v", failures, got, want)
		}
	}
	for _, failures := range []int{100, math.MaxInt} {
		if got := b.Ceiling(failures); got != b.Max {
			t.Errorf("after %d failures it waits up to %v, want %v", failures, got, b.Max)
		}
	}
	if b := (clock.Backoff{Min: s, Max: time.Minute / 120}); b.Ceiling(0) != b.Max {
		t.Errorf("with a Min beyond its Max it waits up to %v, want %v", b.Ceiling(0), b.Max)
	}
	if b := (clock.Backoff{}); b.Ceiling(0) != 20*time.Millisecond || b.Ceiling(50) != 2*s {
		t.Errorf("by default it waits up to %v, and %v in the end", b.Ceiling(0), b.Ceiling(50))
	}
	if b := (clock.Backoff{Max: math.MaxInt64}); b.Ceiling(math.MaxInt) != math.MaxInt64 {
		t.Errorf("it waits up to %v after all failures there can be", b.Ceiling(math.MaxInt))
	}
}

// The waits spread over the whole range up to the ceiling, and Reset begins again.
func TestBackoffHasFullJitter(t *testing.T) {
	const tries = 200
	c := clocktest.New()
	b := clock.Backoff{Min: time.Hour, Max: time.Hour}
	var early, late int
	for range tries {
		before := c.Now()
		c.AfterFunc(b.Next(), func() {})
		for c.Pending() > 0 {
			c.Advance(time.Minute)
		}
		switch waited := c.Now() - before; {
		case waited <= 0 || waited > time.Hour:
			t.Fatalf("it waited %v, with a ceiling of an hour", waited)
		case waited <= 20*time.Minute:
			early++
		case waited > 40*time.Minute:
			late++
		}
	}
	if early < tries/8 || late < tries/8 {
		t.Errorf("of %d waits of an hour at most %d took less than a third of it and %d more than two", tries, early, late)
	}
	b = clock.Backoff{Min: time.Nanosecond, Max: 1 << 40}
	if first := b.Next(); first != time.Nanosecond {
		t.Errorf("the first wait is %v, want a nanosecond", first)
	}
	for range 40 {
		b.Next()
	}
	var most time.Duration
	for range 20 {
		most = max(most, b.Next())
	}
	if most < time.Second {
		t.Errorf("after 60 failures it waits %v at most", most)
	}
	if b.Reset(); b.Next() != time.Nanosecond {
		t.Error("it waits longer than at first after a reset")
	}
}
