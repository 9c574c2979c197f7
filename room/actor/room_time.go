package actor

import (
	"time"

	"github.com/roomring/roomring/room/clock"
)

// roomTime is a room's time and its one timer. It is the clock plus an offset, and so leaves out the gaps in which the process
// did not run; while it is stopped it stands still and does not use the clock. Only the room's goroutine uses it.
type roomTime struct {
	clock   clock.Clock
	offset  time.Duration
	stopped bool
	at      time.Duration // while stopped

	ring  func() // is called by the timer, on a goroutine of its own
	timer clock.Timer
	armed time.Duration // the deadline that the timer is set for; -1: none
}

// startTime lets the time of a room run on from at.
func startTime(c clock.Clock, at time.Duration, ring func()) roomTime {
	c.Use(1)
	return roomTime{clock: c, offset: at - c.Now(), ring: ring, armed: -1}
}

// sharedTime is a room's time for other goroutines.
type sharedTime struct {
	offset  time.Duration
	stopped bool
	stands  time.Duration // while stopped
}

// at is room time when the clock says now.
func (t sharedTime) at(now time.Duration) time.Duration {
	if t.stopped {
		return t.stands
	}
	return now + t.offset
}

func (t *roomTime) shared() sharedTime { return sharedTime{t.offset, t.stopped, t.at} }

// now is in whole microseconds, as the ticks are.
func (t *roomTime) now() time.Duration {
	at := t.at
	if !t.stopped {
		at = t.clock.Now() + t.offset
	}
	return at.Truncate(time.Microsecond)
}

// stop has the time stand still at a moment.
func (t *roomTime) stop(at time.Duration) {
	t.stopped, t.at = true, at
	t.clock.Use(-1)
}

// resume lets the time run on from where it stands.
func (t *roomTime) resume() {
	t.clock.Use(1)
	t.stopped, t.offset = false, t.at-t.clock.Now()
}

// arm sets the timer for a deadline.
func (t *roomTime) arm(deadline time.Duration) {
	if deadline == t.armed {
		return
	}
	t.armed = deadline
	wait := max(deadline-(t.clock.Now()+t.offset), 0)
	if t.timer == nil {
		t.timer = t.clock.AfterFunc(wait, t.ring)
		return
	}
	t.timer.Reset(wait)
}

// disarm stops the timer, if it is set.
func (t *roomTime) disarm() {
	if t.armed >= 0 {
		t.timer.Stop()
		t.armed = -1
	}
}

// rang notes that the timer has called ring.
func (t *roomTime) rang() { t.armed = -1 }

// end stops the timer and uses the clock no longer.
func (t *roomTime) end() {
	if t.timer != nil {
		t.timer.Stop()
	}
	if !t.stopped {
		t.clock.Use(-1)
	}
}
