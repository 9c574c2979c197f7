package actor

import (
	"errors"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Stopped is what is left to know of a room that has stopped. All that it has said is durable.
type Stopped struct {
	Time time.Duration // its time
	Last room.Index    // committed
	Over bool
}

// Stop ends a room's time at this node: it takes no more input, saves a snapshot, waits for what it has stepped to be durable,
// sends what waited for that, ends its sessions with 4100, and leaves memory. Then stopped is called. A room that is not in
// memory, or leaves it by itself, calls nothing.
func (d *Directory) Stop(id room.ID, stopped func(Stopped)) {
	if r := d.rooms.lookup(id); r != nil {
		r.mail.command(stopMessage{stopped})
	}
}

// stopMessage ends the room's time at this node.
type stopMessage struct{ stopped func(Stopped) } // stopped: nil when nobody waits for it

func (m stopMessage) handle(r *liveRoom) {
	if m.stopped != nil {
		r.life.stopped = m.stopped
	}
	r.life.stopping, r.log.snapshotDue = true, r.durable
}

// end brings the room's life forward: its end to the store, its sessions to their close, itself out of memory.
func (r *liveRoom) end() {
	r.seal()
	switch {
	case r.life.stopping:
		r.stop()
	case errors.Is(r.log.failing, record.ErrPermanent):
		r.hold()
	case r.life.gone && r.life.sealed: // else what tells of the end may still wait for its commit
		for s := range r.sessions.all() {
			s.close(closeOver(), false)
		}
		r.life.left = r.life.stored
	}
}

// seal hands the room's committed end to the store, once.
func (r *liveRoom) seal() {
	f := r.core.Final()
	if r.life.sealed || f == nil || r.core.Committed() < max(f.Point.Seq, r.life.floor) {
		return
	}
	r.life.sealed = true
	r.o.Metrics.Ended(r.game, f.End)
	r.endWatches()
	final, err := r.core.Seal()
	if err != nil {
		r.logger().Error("the room's replay cannot be made: its result is stored without", "err", err)
	}
	r.o.Owner.Ended(final, func() {
		r.mail.command(function(func(r *liveRoom) { r.life.stored = true }))
	})
}

// stop ends a room's time in this process as soon as everything it has said is safe. A room that cannot be saved does not
// wait: what is not durable was not acknowledged.
func (r *liveRoom) stop() {
	if r.log.failing == nil && (!r.log.empty() || r.core.PendingOutputs() > 0) {
		return
	}
	for s := range r.sessions.all() {
		if r.life.stored {
			s.close(closeOver(), false)
		}
		s.close(closeMoved(), false)
	}
	r.life.left = true
}

// hold takes a room that can never be saved as it is out of memory. What is durable stays in the journal. Its standby or the next start
// goes on from there: nothing that came after was acknowledged.
func (r *liveRoom) hold() {
	held := &HeldError{Held{ID: r.id, Game: r.game, Why: fmt.Sprintf(
		"it cannot be saved here: %v: it goes on from index %d at its standby, or when this node starts again", r.log.failing, r.core.Committed())}}
	r.o.Owner.Lost(r.id, held.Why)
	for s := range r.sessions.all() {
		s.close(closing(wire.CloseUnreachable, held.Error()), false)
	}
	r.life.left = true
}

// depart is the last thing that the room's goroutine does.
func (r *liveRoom) depart() {
	last := Stopped{Time: r.now(), Last: r.core.Committed(), Over: r.core.Final() != nil}
	r.time.end()
	r.traceLost()
	for s := range r.sessions.all() {
		s.close(closeMoved(), false)
		r.count(s, -1)
	}
	r.endWatches()
	if r.log.store != nil {
		r.log.store.Close()
	}
	r.dir.remove(r)
	close(r.mail.gone)
	switch {
	case r.life.expelled != nil:
		r.life.expelled()
	case r.life.stopped != nil:
		r.life.stopped(last)
	case r.life.gone && r.life.stored:
		r.o.Owner.Gone(r.id)
	}
}

// Expel ends a room's time at this node at once, because another node has it: what is not committed is dropped, and its
// sessions end with 4100. Then left is called; at once if the room is not in memory. A room that leaves by itself meanwhile
// calls the Owner instead.
func (d *Directory) Expel(id room.ID, left func()) {
	r := d.rooms.lookup(id)
	if r == nil {
		left()
		return
	}
	r.mail.command(expelMessage{left})
}

// expelMessage ends the room's time at this node at once.
type expelMessage struct{ left func() }

func (m expelMessage) handle(r *liveRoom) {
	r.life.expelled, r.life.left = m.left, true
}
