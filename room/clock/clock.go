// Package clock is the only source of time for rooms and the cluster. All code that waits is given a Clock, so that tests
// can control it.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock measures room time and all timeouts towards players and other nodes.
type Clock interface {
	// Now returns monotonic time since a fixed moment that the clock chooses.
	Now() time.Duration
	// Wall returns the time of day. It is for people, and for the age of things that also change while this process is
	// stopped.
	Wall() time.Time
	// AfterFunc calls f in its own goroutine when d has passed by Now.
	AfterFunc(d time.Duration, f func()) Timer
	// Use adds a user of the clock (1) or removes one (-1).
	Use(delta int)
}

// Timer is one pending call of a Clock or a Machine. *time.Timer implements it.
type Timer interface {
	Reset(d time.Duration) bool
	Stop() bool
}

// Machine is the time source of an Awake. Its time includes the gaps that an Awake leaves out.
type Machine interface {
	Now() time.Duration
	Wall() time.Time
	AfterFunc(d time.Duration, f func()) Timer
}

type machine struct{ start time.Time }

func (m machine) Now() time.Duration { return time.Since(m.start) }

func (machine) Wall() time.Time { return time.Now() }

func (m machine) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

const (
	readEvery  = 50 * time.Millisecond  // how often an Awake is read while it is in use
	longestGap = 250 * time.Millisecond // the longest time between two readings of a running process on a loaded machine
	readFine   = 10 * time.Millisecond  // readings closer than this to the last one are not recorded
)

// Awake is a machine's monotonic time without the gaps in which the process did not run, because it was stopped or the
// machine was suspended. While it has users, it reads the machine's time every 50 ms. When two readings are more than
// 250 ms apart, it leaves out all but 50 ms of the gap. The first call after a gap detects it, so no call ever returns time
// that includes the gap. Without users it costs nothing and leaves out nothing.
//
// Its methods may be called from any goroutine and do not block.
type Awake struct {
	machine Machine
	last    atomic.Pointer[reading]
	users   atomic.Int64

	mu     sync.Mutex // serializes Use
	reader Timer      // nil before the first user
}

// reading is one reading of the machine's time.
type reading struct {
	at   time.Duration // the machine's time
	out  time.Duration // the total left out until then
	gaps uint64        // the number of gaps left out until then
}

func (r *reading) now() time.Duration { return r.at - r.out }

// New makes a clock from a machine's time.
func New(m Machine) *Awake {
	c := &Awake{machine: m}
	c.last.Store(&reading{at: m.Now()})
	return c
}

// System makes the clock of this process. Its time begins with the call. A process should have one.
func System() *Awake { return New(machine{time.Now()}) }

// Now never goes back.
func (c *Awake) Now() time.Duration {
	for {
		at := c.machine.Now()
		last := c.last.Load()
		gap := at - last.at
		if gap < readFine { // it is negative if another goroutine has read the time since
			return last.now() + max(gap, 0)
		}
		next := &reading{at, last.out, last.gaps}
		if gap > longestGap && c.users.Load() > 0 {
			next.out += gap - readEvery
			next.gaps++
		}
		if c.last.CompareAndSwap(last, next) {
			return next.now()
		}
	}
}

// Wall returns the machine's time of day.
func (c *Awake) Wall() time.Time { return c.machine.Wall() }

// LeftOut returns how many gaps have been left out so far, and their total length.
func (c *Awake) LeftOut() (gaps uint64, total time.Duration) {
	last := c.last.Load()
	return last.gaps, last.out
}

// Use makes the clock read the machine's time regularly while it has users.
func (c *Awake) Use(delta int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.users.Load()
	if was == 0 {
		c.Now() // the time without users is not a gap
	}
	switch now := c.users.Add(int64(delta)); {
	case now == 0 && c.reader != nil:
		c.reader.Stop()
	case was > 0:
	case c.reader == nil:
		c.reader = c.machine.AfterFunc(readEvery, c.read)
	default:
		c.reader.Reset(readEvery)
	}
}

func (c *Awake) read() {
	c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users.Load() > 0 {
		c.reader.Reset(readEvery)
	}
}

// AfterFunc calls f when d has passed by this clock. If a gap makes the machine's timer fire early, the timer is set again.
func (c *Awake) AfterFunc(d time.Duration, f func()) Timer {
	a := &alarm{clock: c, f: f, at: c.Now() + d, set: true}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = c.machine.AfterFunc(d, a.ring)
	return a
}

// alarm is a timer of an Awake.
type alarm struct {
	clock *Awake
	f     func()

	mu    sync.Mutex
	timer Timer
	at    time.Duration
	set   bool
}

func (a *alarm) ring() {
	if a.due() {
		a.f()
	}
}

func (a *alarm) due() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.set {
		return false
	}
	if left := a.at - a.clock.Now(); left > 0 {
		a.timer.Reset(left)
		return false
	}
	a.set = false
	return true
}

func (a *alarm) Reset(d time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.set
	a.at, a.set = a.clock.Now()+d, true
	a.timer.Reset(d)
	return was
}

func (a *alarm) Stop() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.set
	a.set = false
	a.timer.Stop()
	return was
}
