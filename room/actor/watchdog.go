package actor

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// stepping is what a room is stepping now, for the watchdog to read.
type stepping struct {
	since atomic.Int64 // nanoseconds of the clock, plus one; 0: nothing
	kind  atomic.Uint32
	index atomic.Uint64
	named atomic.Bool // the watchdog has said so
}

func (s *stepping) begin(now time.Duration, k core.Kind, i room.Index) {
	s.kind.Store(uint32(k))
	s.index.Store(uint64(i))
	s.named.Store(false)
	s.since.Store(int64(now) + 1)
}

func (s *stepping) end() { s.since.Store(0) }

// running is how long the present step has run; 0: none does.
func (s *stepping) running(now time.Duration) time.Duration {
	since := s.since.Load()
	if since == 0 {
		return 0
	}
	return now - time.Duration(since-1)
}

// watch is the directory's one goroutine that looks after the rooms: it names steps that do not return,
// and tells the rooms when the journal fails and when it works again.
func (d *Directory) watch(ctx context.Context) {
	wake := make(chan struct{}, 1)
	timer := d.o.Clock.AfterFunc(d.o.Watch, func() { wake <- struct{}{} })
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		d.nameSlowSteps(d.o.Clock.Now())
		d.checkJournal()
		timer.Reset(d.o.Watch)
	}
}

// nameSlowSteps names steps that have run for too long. That the whole process stood still no game can be blamed for:
// the clock leaves it out.
func (d *Directory) nameSlowSteps(now time.Duration) {
	for r := range d.all() {
		s := &r.stepping
		took := s.running(now)
		if took < d.o.SlowStep || s.named.Swap(true) {
			continue
		}
		d.o.Metrics.SlowSteps(r.game)
		r.log().Error("a step of this room has not returned: the game may be in an endless loop",
			"for", took, "kind", core.Kind(s.kind.Load()).Name(), "index", s.index.Load())
	}
}

// checkJournal spreads the news of a journal that has begun to fail, and lets the rooms that stand still
// try again once it works.
func (d *Directory) checkJournal() {
	if d.o.Journal == nil {
		return
	}
	if err := d.o.Journal.Failing(); err != nil {
		if d.unwell {
			return
		}
		d.unwell = true
		for r := range d.all() {
			if r.durable {
				r.in.tell(func(c *control) { c.health = &health{err} })
			}
		}
		return
	}
	d.unwell = false
	d.mu.Lock()
	sick := d.sickRooms
	d.sickRooms = nil
	d.mu.Unlock()
	for r := range sick {
		r.in.tell(func(c *control) { c.health = &health{} })
	}
}

// sick remembers a room that stands still until the journal works again.
func (d *Directory) sick(r *liveRoom) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sickRooms == nil {
		d.sickRooms = map[*liveRoom]struct{}{}
	}
	d.sickRooms[r] = struct{}{}
}
