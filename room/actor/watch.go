package actor

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// RoomEvent is one thing that happens in a room, as an operator who watches it is told. It travels as JSON.
// Like an Inspection it looks ahead: an input is told when it is stepped, not when it is committed.
type RoomEvent struct {
	Type   EventType     `json:"type"`
	Epoch  record.Epoch  `json:"epoch,omitempty"`
	Index  room.Index    `json:"index,omitempty"` // of the input; with other types, of the last input
	Commit room.Index    `json:"commit,omitempty"`
	Kind   string        `json:"kind,omitempty"` // of the input
	At     time.Duration `json:"at,omitempty"`   // room time
	Player room.PlayerID `json:"player,omitempty"`
	CSeq   record.CSeq   `json:"cseq,omitempty"`
	Bytes  int           `json:"bytes,omitempty"` // of the input's data
	// Data is the JSON of an act or a signal, cut to Options.WatchData bytes. It may hold hidden state, as an Inspection may.
	Data   string     `json:"data,omitempty"`
	Code   string     `json:"code,omitempty"`   // of an act that was refused
	Missed uint64     `json:"missed,omitempty"` // events, with EventMissed
	End    record.End `json:"end,omitempty"`    // with EventOver
}

// EventType says what a RoomEvent tells.
type EventType string

// The types of events.
const (
	EventWatching EventType = "watching" // the first: where the room is now
	EventInput    EventType = "input"
	EventMissed   EventType = "missed" // the watcher was too slow: events are left out here, see RoomEvent.Missed
	EventOver     EventType = "over"   // the last: the room has ended
	EventMoved    EventType = "moved"  // the last: the room has left this node's memory and goes on elsewhere, or here later
)

// roomWatch is one watcher's bounded queue. The room's goroutine fills it and never waits.
type roomWatch struct {
	most int
	wake chan struct{} // holds one

	mu     sync.Mutex
	queue  []RoomEvent
	missed uint64 // events that found the queue full; they follow what is in it
	last   *RoomEvent
}

func (w *roomWatch) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// tell queues an event or, when the queue is full, counts it.
func (w *roomWatch) tell(e RoomEvent) {
	w.mu.Lock()
	if len(w.queue) < w.most && w.missed == 0 {
		w.queue = append(w.queue, e)
	} else {
		w.missed++
	}
	w.mu.Unlock()
	w.notify()
}

// finish queues the last event, even if the queue is full.
func (w *roomWatch) finish(e RoomEvent) {
	w.mu.Lock()
	if w.last == nil {
		w.last = &e
	}
	w.mu.Unlock()
	w.notify()
}

// drain empties the queue; over reports that nothing follows.
func (w *roomWatch) drain() (events []RoomEvent, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events = w.queue
	if w.missed > 0 {
		events = append(events, RoomEvent{Type: EventMissed, Missed: w.missed})
	}
	if w.last != nil {
		events = append(events, *w.last)
	}
	w.queue, w.missed = nil, 0
	return events, w.last != nil
}

// Watch calls each with what happens in a room, one event at a time and in order, until the room ends or moves (nil),
// ctx ends, or each returns an error. The first event is EventWatching, the last EventOver or EventMoved. The room
// never waits for each: while Options.WatchQueue events wait, further events are left out, and an EventMissed says how
// many. Errors: those of Info, ctx's, and each's.
func (d *Directory) Watch(ctx context.Context, id room.ID, each func(RoomEvent) error) error {
	r, err := d.find(id)
	if err != nil {
		return err
	}
	w := &roomWatch{most: d.o.WatchQueue, wake: make(chan struct{}, 1)}
	defer r.mail.command(function(func(r *liveRoom) { delete(r.watches, w) }))
	if _, err := call(ctx, r.mail, func(r *liveRoom) (struct{}, error) { r.watched(w); return struct{}{}, nil }); err != nil {
		return err
	}
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		events, over := w.drain()
		for _, e := range events {
			if err := each(e); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
	}
}

// watched begins to tell w what happens.
func (r *liveRoom) watched(w *roomWatch) {
	at := r.core.Point()
	w.tell(RoomEvent{Type: EventWatching, Epoch: at.Epoch, Index: at.Seq, Commit: r.core.Committed(), At: r.now()})
	if r.life.sealed {
		w.finish(r.lastEvent())
		return
	}
	if r.watches == nil {
		r.watches = map[*roomWatch]struct{}{}
	}
	r.watches[w] = struct{}{}
}

// tellWatches tells of an input and its data: the entry of a refused act has none.
func (r *liveRoom) tellWatches(e core.Entry, data []byte) {
	event := RoomEvent{
		Type: EventInput, Epoch: r.core.Point().Epoch, Index: e.Index, Commit: r.core.Committed(),
		Kind: e.Kind.Name(), At: e.At, Player: e.Player, CSeq: e.CSeq, Bytes: len(data),
	}
	if e.Kind == core.KindAct || e.Kind == core.KindSignal {
		event.Data = strings.ToValidUTF8(string(data[:min(len(data), r.o.WatchData)]), "")
	}
	if e.Refused != nil {
		event.Code = e.Refused.Code
	}
	for w := range r.watches {
		w.tell(event)
	}
}

// endWatches tells every watch its last event.
func (r *liveRoom) endWatches() {
	for w := range r.watches {
		w.finish(r.lastEvent())
	}
	r.watches = nil
}

func (r *liveRoom) lastEvent() RoomEvent {
	at := r.core.Point()
	e := RoomEvent{Type: EventMoved, Epoch: at.Epoch, Index: at.Seq, Commit: r.core.Committed()}
	if f := r.core.Final(); f != nil && r.life.sealed {
		e.Type, e.End = EventOver, f.End
	}
	return e
}
