package actor

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Events takes what programs outside are told of rooms, but for their ends, which come with the result: see record.Final.Told. Its
// methods are called from rooms' goroutines and must not block.
type Events interface {
	// Happened takes events of one room, in order. Each is committed. After a room has come back it takes those of its whole log again.
	Happened(events []record.Event)
	// Behind reports whether it has taken events of a room that would be lost with this process. The room's log is not cut
	// meanwhile, because they could not be derived again.
	Behind(id room.ID) bool
}

// tell keeps the event that an entry is until it is committed.
func (r *liveRoom) tell(e *core.Entry) {
	if r.o.Events == nil || !e.Kind.Tells() {
		return
	}
	seat := 0
	for _, s := range r.core.Seats() {
		if s.Player == e.Player {
			seat = s.Seat
		}
	}
	r.events = append(r.events, core.EventOf(&r.header, e, seat))
}

// tellAgain keeps the events of a log that was run again: whether they were taken before is not known.
func (r *liveRoom) tellAgain(kept record.Kept) {
	if r.o.Events != nil {
		r.events = core.Events(kept)
	}
}

// tellCommitted hands over the events that are committed.
func (r *liveRoom) tellCommitted() {
	i, n := r.core.Committed(), 0
	if i < r.life.floor {
		return
	}
	for n < len(r.events) && r.events[n].Index <= i {
		n++
	}
	if n == 0 {
		return
	}
	r.o.Events.Happened(r.events[:n:n])
	if r.events = r.events[n:]; len(r.events) == 0 {
		r.events = nil
	}
}

// untold reports whether events of this room would be lost with this process if its log were cut.
func (r *liveRoom) untold() bool {
	return r.o.Events != nil && (len(r.events) > 0 || r.o.Events.Behind(r.id))
}
