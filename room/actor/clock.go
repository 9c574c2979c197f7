package actor

import "time"

// Clock is the only time that rooms know. It is injected so that tests can turn it.
type Clock interface {
	// Now is monotonic time since a fixed moment of the clock's own choosing.
	Now() time.Duration
	// AfterFunc calls f on a goroutine of its own when d has passed.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is one pending call of a Clock; *time.Timer is one.
type Timer interface {
	Reset(d time.Duration) bool
	Stop() bool
}

type systemClock struct{ start time.Time }

// SystemClock is the machine's monotonic clock, counted from the call.
func SystemClock() Clock { return systemClock{time.Now()} }

func (c systemClock) Now() time.Duration { return time.Since(c.start) }

func (c systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
