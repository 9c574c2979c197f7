package actor

import "time"

// now is room time, in whole microseconds as the ticks are. It never falls, stands still while the room
// cannot step, and leaves out what the clock does: gaps in which the process did not run.
func (r *liveRoom) now() time.Duration {
	t := r.stillAt
	if !r.still {
		t = r.o.Clock.Now() + r.offset
	}
	return max(t.Truncate(time.Microsecond), r.core.Now())
}

// pace stops room time while the journal keeps the room from stepping, and lets it go on from there:
// nobody loses on time because a disk was slow.
func (r *liveRoom) pace() {
	stop := r.failing != nil || r.full()
	if stop == r.still {
		return
	}
	if stop {
		r.stillAt = r.now()
		r.still = true
		r.o.Clock.Use(-1)
		return
	}
	r.o.Clock.Use(1)
	r.offset = r.stillAt - r.o.Clock.Now()
	r.still = false
	r.setClock()
	r.in.ring()
}

// full reports whether as many inputs are stepped and not durable as may be.
func (r *liveRoom) full() bool { return r.uncommitted() >= r.o.Uncommitted }

func (r *liveRoom) uncommitted() int { return int(r.core.Point().Seq - r.core.Committed()) }

// arm sets the room's one timer for what is due next, or none when nothing is.
func (r *liveRoom) arm() {
	at, ok := r.core.Deadline()
	if !ok || r.still || r.gone || r.left || r.stopping {
		if r.armed >= 0 {
			r.timer.Stop()
			r.armed = -1
		}
		return
	}
	if at == r.armed {
		return
	}
	r.armed = at
	wait := max(at-(r.o.Clock.Now()+r.offset), 0)
	if r.timer == nil {
		r.timer = r.o.Clock.AfterFunc(wait, r.alarm)
		return
	}
	r.timer.Reset(wait)
}

func (r *liveRoom) alarm() { r.in.tell(func(c *control) { c.due = true }) }

// setClock lets the journal's time marks tell this room's time.
func (r *liveRoom) setClock() {
	if err := r.logStore.SetClock(-r.offset); err != nil {
		r.log().Error("the journal does not take the room's clock: after a crash its time may jump", "err", err)
	}
}
