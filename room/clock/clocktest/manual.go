// Package clocktest has a clock that tests control.
package clocktest

import (
	"math"
	"sync"
	"time"

	"github.com/roomring/roomring/room/clock"
)

// Manual is a clock that stands still until a test advances it. Its methods may be called from any goroutine.
type Manual struct {
	mu     sync.Mutex
	now    time.Duration
	drawn  uint64
	timers map[*timer]struct{} // those that are set
}

// epoch is the time of day of a new Manual.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// New makes a clock at 0.
func New() *Manual { return &Manual{timers: map[*timer]struct{}{}} }

// Now returns how far the clock was advanced.
func (m *Manual) Now() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Wall returns the time of day. It advances with Now.
func (m *Manual) Wall() time.Time { return epoch.Add(m.Now()) }

// Use does nothing.
func (*Manual) Use(int) {}

// AfterFunc makes Advance or Jump call f when d has passed.
func (m *Manual) AfterFunc(d time.Duration, f func()) clock.Timer {
	t := &timer{clock: m, f: f}
	t.Reset(d)
	return t
}

// Pending returns how many timers are set.
func (m *Manual) Pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.timers)
}

// Next returns the time at which the next timer is due.
func (m *Manual) Next() (at time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.next(math.MaxInt64); t != nil {
		return t.at, true
	}
	return 0, false
}

// Jump advances the clock in one step and then fires the timers that are due, in order, as if the process had been stopped
// for that time. It does not fire timers that are set meanwhile.
func (m *Manual) Jump(d time.Duration) {
	m.mu.Lock()
	m.now += d
	var due []*timer
	for next := m.next(m.now); next != nil; next = m.next(m.now) {
		delete(m.timers, next)
		due = append(due, next)
	}
	m.mu.Unlock()
	for _, t := range due {
		t.f()
	}
}

// Advance advances the clock and fires the timers that come due, each at its time and one after the other.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	end := m.now + d
	for next := m.next(end); next != nil; next = m.next(end) {
		m.now = max(m.now, next.at)
		delete(m.timers, next)
		m.mu.Unlock()
		next.f()
		m.mu.Lock()
	}
	m.now = max(m.now, end)
	m.mu.Unlock()
}

// next returns the timer that is due first, if it is due by end. Of timers due at the same time the one that was set first
// comes first.
func (m *Manual) next(end time.Duration) (first *timer) {
	for t := range m.timers {
		if t.at <= end && (first == nil || t.at < first.at || t.at == first.at && t.number < first.number) {
			first = t
		}
	}
	return first
}

type timer struct {
	clock *Manual
	f     func()

	at     time.Duration
	number uint64
}

func (t *timer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, was := t.clock.timers[t]
	t.clock.drawn++
	t.at, t.number = t.clock.now+d, t.clock.drawn
	t.clock.timers[t] = struct{}{}
	return was
}

func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, was := t.clock.timers[t]
	delete(t.clock.timers, t)
	return was
}
