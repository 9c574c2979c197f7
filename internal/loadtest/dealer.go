package loadtest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// dealer gives each act that is due to a room in which somebody can act. If there is none because rooms wait for the server's answers, the
// act waits, and its latency counts from when it was due: so a slow server is not asked less. If there is none although no room
// waits, the games could not take so many acts, and the act is dropped.
type dealer struct {
	most    int // acts that may wait; more are dropped
	since   func() time.Duration
	dropped func(due time.Duration)

	mu       sync.Mutex
	rng      *rand.Rand
	ready    []*table // rooms in which somebody can act
	waiting  []waiter // oldest first
	inflight int      // acts without an answer
	blocked  int      // rooms in which nobody can act before an answer is there
	busy     time.Duration
	counted  time.Duration // until when busy is counted
}

// waiter is an act that waits for a room.
type waiter struct{ due, busy time.Duration }

// dealt is an act that a room is to take.
type dealt struct {
	due     time.Duration // since the run began
	excused time.Duration // of its wait, in which no room waited for an answer
	waited  bool
}

// count brings busy up to date, the time in which any room waited for an answer. The caller holds the lock.
func (d *dealer) count() (now time.Duration) {
	now = d.since()
	if d.blocked > 0 {
		d.busy += now - d.counted
	}
	d.counted = now
	return now
}

// due deals an act that is due at a time since the run began.
func (d *dealer) due(at time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count()
	d.deal(at)
}

// giveBack deals an act to another room than the one that was to take it, which is over.
func (d *dealer) giveBack(act dealt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count()
	d.inflight--
	d.blocked--
	d.deal(act.due)
}

// deal gives an act to a room, or has it wait, or drops it. The caller holds the lock.
func (d *dealer) deal(at time.Duration) {
	switch n := len(d.ready); {
	case n > 0:
		i := d.rng.IntN(n)
		t := d.ready[i]
		d.ready[i] = d.ready[n-1]
		d.ready = d.ready[:n-1]
		d.give(t, dealt{due: at})
	case d.blocked+len(d.waiting) > 0 && len(d.waiting) < d.most:
		d.waiting = append(d.waiting, waiter{at, d.busy})
	default:
		d.dropped(at)
	}
}

// give deals an act to a room, which is blocked until it says otherwise. The caller holds the lock.
func (d *dealer) give(t *table, act dealt) {
	d.inflight++
	d.blocked++
	t.dealt <- act // has room for one, and a ready table has none
}

// offer says that somebody can act in a room. It gets the act that has waited longest, or waits for one.
func (d *dealer) offer(t *table) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		d.ready = append(d.ready, t)
		return
	}
	now := d.count()
	w := d.waiting[0]
	d.waiting = d.waiting[1:]
	d.give(t, dealt{due: w.due, excused: max(0, now-w.due-(d.busy-w.busy)), waited: true})
}

// withdraw takes an offer back. It reports false if the room has been dealt an act meanwhile.
func (d *dealer) withdraw(t *table) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.ready, t)
	if i >= 0 {
		d.ready[i] = d.ready[len(d.ready)-1]
		d.ready = d.ready[:len(d.ready)-1]
	}
	return i >= 0
}

// block says that in a room nobody can act before an answer is there, and with a negative number that this is over.
func (d *dealer) block(rooms int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count()
	d.blocked += rooms
}

// answered says that an act that was dealt is outstanding no more.
func (d *dealer) answered() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inflight--
}

// idle reports whether nothing is outstanding and nothing waits.
func (d *dealer) idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inflight == 0 && len(d.waiting) == 0
}

// close drops what waits.
func (d *dealer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.waiting {
		d.dropped(w.due)
	}
	d.waiting = nil
}
