package actor

import (
	"time"

	"github.com/roomring/roomring/room/core"
)

// maxDefer bounds how long an answer may wait for its tick.
const maxDefer = 100 * time.Millisecond

// defers reports whether answers wait for the next tick. A write costs more than all the rest of
// an act, and what the act did is not to be seen before that tick anyway.
func (r *liveRoom) defers() bool {
	return r.core.Ticking() && time.Duration(r.core.Rules().Spec().TickRate)*maxDefer >= time.Second
}

func (r *liveRoom) noteTick(e core.Entry) {
	if e.Kind == core.KindTick && r.ticked == 0 {
		r.ticked = e.Index
	}
}

// sendDeferred sends the answers that have waited for a tick, once it is committed or none will come. Most have gone out
// with its turn by then.
func (r *liveRoom) sendDeferred() {
	due := r.ticked > 0 && r.ticked <= r.core.Committed()
	if due {
		r.ticked = 0
	}
	if len(r.deferred) == 0 || !due && r.core.Ticking() {
		return
	}
	for _, s := range r.deferred {
		s.deferred = false
		s.out.Deliver(Flush{})
	}
	clear(r.deferred)
	r.deferred = r.deferred[:0]
}
