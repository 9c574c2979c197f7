// Package clock is the only time that rooms and the cluster know. Who waits is given a Clock, so that tests can turn it.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock is what rooms live by, and what patience with players and other nodes is measured by.
type Clock interface {
	// Now is monotonic time since a fixed moment of the clock's own choosing.
	Now() time.Duration
	// Wall is the time of day, for people, and for the age of what changes while this process stands still.
	Wall() time.Time
	// AfterFunc calls f on a goroutine of its own when d has passed by Now.
	AfterFunc(d time.Duration, f func()) Timer
	// Use tells of somebody whose time runs by the clock (1), or no longer does (-1).
	Use(delta int)
}

// Timer is one pending call of a Clock or a Machine; *time.Timer is one.
type Timer interface {
	Reset(d time.Duration) bool
	Stop() bool
}

// Machine is where an Awake has its time from, gaps and all.
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
	longestGap = 250 * time.Millisecond // between two readings of a process that runs, however loaded the machine is
	readFine   = 10 * time.Millisecond  // readings closer than this to the last one are not noted
)

// Awake is a machine's monotonic time without the gaps in which the process did not run, because it was stopped,
// or the machine stood still. While anybody uses it, it is read every 50 ms; of a gap of more than 250 ms between two
// readings all but 50 ms is left out. Whoever comes first after a gap finds it out, so nothing is ever judged by the
// time before that is done. While nobody uses it, it costs nothing and leaves out nothing.
//
// Its methods may be called from any goroutine and do not block.
type Awake struct {
	machine Machine
	last    atomic.Pointer[reading]
	users   atomic.Int64

	mu     sync.Mutex // orders those who come and go
	reader Timer      // nil before the first of them
}

// reading is one look at the machine's time.
type reading struct {
	at   time.Duration // by the machine
	out  time.Duration // what has been left out until then
	gaps uint64        // in so many pieces
}

func (r *reading) now() time.Duration { return r.at - r.out }

// New is a clock that goes by the machine.
func New(m Machine) *Awake {
	c := &Awake{machine: m}
	c.last.Store(&reading{at: m.Now()})
	return c
}

// System is the clock of this process, counted from the call. A process has one.
func System() *Awake { return New(machine{time.Now()}) }

// Now never falls.
func (c *Awake) Now() time.Duration {
	for {
		at := c.machine.Now()
		last := c.last.Load()
		gap := at - last.at
		if gap < readFine { // or negative: others have looked since
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

// Wall is the machine's.
func (c *Awake) Wall() time.Time { return c.machine.Wall() }

// LeftOut is what has been left out so far, and in how many gaps.
func (c *Awake) LeftOut() (gaps uint64, total time.Duration) {
	last := c.last.Load()
	return last.gaps, last.out
}

// Use has the clock read for as long as anybody's time runs.
func (c *Awake) Use(delta int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.users.Load()
	if was == 0 {
		c.Now() // what went by while nobody's time ran was no gap
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

// AfterFunc calls f when d has passed by this clock: a machine's timer that a gap has made ring early is set again.
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
