// Package clocktest has a clock that a test turns.
package clocktest

import (
	"math"
	"sync"
	"time"

	"github.com/roomring/roomring/room/clock"
)

// Manual is a clock that stands still until a test turns it. Its methods may be called from any goroutine.
type Manual struct {
	mu     sync.Mutex
	now    time.Duration
	drawn  uint64
	timers map[*timer]struct{} // those that are set
}

// epoch is the time of day at which a Manual begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// New makes a clock that stands at 0.
func New() *Manual { return &Manual{timers: map[*timer]struct{}{}} }

// Now is how far it was turned.
func (m *Manual) Now() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Wall is the time of day, which goes as Now does.
func (m *Manual) Wall() time.Time { return epoch.Add(m.Now()) }

// Use does nothing.
func (*Manual) Use(int) {}

// AfterFunc has Advance call f.
func (m *Manual) AfterFunc(d time.Duration, f func()) clock.Timer {
	t := &timer{clock: m, f: f}
	t.Reset(d)
	return t
}

// Pending is how many timers are set.
func (m *Manual) Pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.timers)
}

// Next is when the timer that is due first is due.
func (m *Manual) Next() (at time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.next(math.MaxInt64); t != nil {
		return t.at, true
	}
	return 0, false
}

// Jump turns the clock on at once and then calls whoever is due, in their order: so does time that goes by while a process
// stands still. A timer that is set meanwhile is not called.
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

// Advance turns the clock on and calls whoever is due, each at its time and one after the other.
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

// next is the timer that is due first, until then; of several that which was set first.
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
