package actor

import (
	"time"

	"github.com/roomring/roomring/room"
)

// maxHush bounds how long an answer may wait for its tick.
const maxHush = 100 * time.Millisecond

// hushes reports whether answers wait for the next tick. A write costs more than all the rest of
// an act, and what the act did is not to be seen before that tick anyway.
func (r *liveRoom) hushes() bool {
	return r.core.Ticking() && time.Duration(r.core.Rules().Spec().TickRate)*maxHush >= time.Second
}

func (r *liveRoom) noteTick(e room.Entry) {
	if e.Kind == room.KindTick && r.ticked == 0 {
		r.ticked = e.Index
	}
}

// rouse sends the answers that have waited for a tick, once it is committed or none will come. Most have gone out
// with its turn by then.
func (r *liveRoom) rouse() {
	due := r.ticked > 0 && r.ticked <= r.core.Committed()
	if due {
		r.ticked = 0
	}
	if len(r.hushed) == 0 || !due && r.core.Ticking() {
		return
	}
	for _, s := range r.hushed {
		s.out.Rouse()
	}
	clear(r.hushed)
	r.hushed = r.hushed[:0]
}
