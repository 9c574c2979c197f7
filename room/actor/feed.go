package actor

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Sink takes what a room says to one session: an ordered stream of events. A Feed is the sink of a client at this node; the
// sink of a client elsewhere sends the events over the link to that node.
type Sink interface {
	Encoding() wire.Encoding

	// Deliver takes the next event, and does not block. The room's goroutine calls it, in order; an End comes from any
	// goroutine. Neither side changes what an event points to.
	Deliver(e Event)

	// Credit counts the client's acts.
	Credit() *Credit

	Stats() OutboxStats
}

// Event is what a room tells a Sink: *Bindings first, then *Welcomed, *Say, *View and Flush, *End at last.
type Event interface{ event() }

// Bindings are what a room does for a sink. None of them blocks.
type Bindings struct {
	Session Remote // the session; it may be used once the client is welcomed, also before the attach has returned

	Refill func() // asks for the whole view; any goroutine may call it
	Stuck  func() // ends the session, because the reader has taken nothing for too long; any goroutine may call it

	// Later calls f when the room has said what it has to say at present: a sink that holds what goes to many flushes it
	// then. Only the room's goroutine may call it, from within a call of the sink.
	Later func(f func())
}

// Welcomed starts the stream, or starts it over. The welcome itself and what follows come as Say.
type Welcomed struct {
	Epoch record.Epoch
	From  room.Index  // the index in that epoch from which the client goes on; 0: the whole view follows
	CSeq  record.CSeq // the last of the client's acts that the room has applied
}

// Say is one message. The same one handed to several sessions in a row is one broadcast.
type Say struct {
	Frame  []byte // may be shared with other sessions; empty: an act will have no answer, and Fate is Answer
	Fate   Fate
	Hold   bool         // it may wait for the next message or for Flush
	Epoch  record.Epoch // that a client knows who has read it; 0: unchanged
	Seq    room.Index   // the index that it has reached then; 0: unchanged
	Events int          // of a turn
}

// View is the whole view that Bindings.Refill has asked for. Encode makes the message and is told how many events were dropped
// since the last whole view.
type View struct {
	Epoch  record.Epoch
	Seq    room.Index
	Encode func(lost uint64) []byte
}

// Flush sends the messages that are held.
type Flush struct{}

// End ends the session. Only the first End counts, and what is said after it is dropped.
type End struct {
	Why     *CloseError // nil: the client's side has ended it
	Discard bool        // nobody will read what is queued
}

func (*Bindings) event() {}
func (*Welcomed) event() {}
func (*Say) event()      {}
func (*View) event()     {}
func (Flush) event()     {}
func (*End) event()      {}

// Fate is what becomes of a message when the reader is slow.
type Fate uint8

// The fates.
const (
	Keep   Fate = iota // queued whatever happens
	Answer             // kept, and answers one act when the reader has taken it
	Drop               // a turn or a view: a newer view makes up for it
)

// noAnswer says that an act will have no answer.
var noAnswer = &Say{Fate: Answer}

// Feed is the room's end of an Outbox, and the Sink of a session whose client is at this node. Its methods may be
// called from any goroutine and never block.
//
// A newer feed of the same outbox disconnects the older ones: what they are told is dropped and counts for nothing. So a
// reader can be attached again, to the room on another node too, and nothing that the old room still says gets in between.
type Feed struct {
	b      *Outbox
	credit Credit
}

// NewFeed makes the newest feed of an outbox. The acts without an answer are from then on those whose answers are queued: the
// client sends the others again when it is welcomed.
func NewFeed(b *Outbox) *Feed {
	f := &Feed{b: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.feed != nil {
		b.feed.credit.retire()
	}
	f.credit.open.Store(int32(b.answers()))
	b.feed, b.refill, b.stuck = f, nil, nil
	return f
}

// closed reports that nothing is queued any more. The outbox's lock is held.
func (f *Feed) closed() bool { return f.b.over || f != f.b.feed }

// Encoding is what the messages are encoded in.
func (f *Feed) Encoding() wire.Encoding { return f.b.encoding }

// Credit is that of this feed. Acts counted by a disconnected feed are never too many.
func (f *Feed) Credit() *Credit { return &f.credit }

// Stats are the outbox's.
func (f *Feed) Stats() OutboxStats { return f.b.Stats() }

// Deliver queues what the room says.
func (f *Feed) Deliver(e Event) {
	wake := false
	switch e := e.(type) {
	case *Say:
		wake = f.say(e)
	case Flush:
		wake = f.flush()
	case *View:
		wake = f.view(e)
	case *Bindings:
		f.bind(e)
	case *Welcomed:
		f.welcomed(e)
	case *End:
		wake = f.end(e)
	}
	if wake {
		f.b.wake()
	}
}

func (f *Feed) bind(to *Bindings) {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	if f == f.b.feed {
		f.b.refill, f.b.stuck = to.Refill, to.Stuck
	}
}

// welcomed starts the stream over: what follows is a view of its own, or continues the reader's from a point.
func (f *Feed) welcomed(w *Welcomed) {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.closed() {
		return
	}
	b.at = record.Point{Epoch: w.Epoch, Seq: w.From}
	b.lost, b.behind, b.asked = 0, false, false
}

// say queues a message. A held message wakes nobody: the next one does, or Flush.
func (f *Feed) say(m *Say) (wake bool) {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case f.closed():
		return false
	case len(m.Frame) == 0:
		f.credit.Done()
		return false
	case m.Fate == Drop && !b.fits(len(m.Frame)):
		b.dropped(m.Events)
		return false
	}
	b.reached(m.Epoch, m.Seq)
	wake = b.put(queuedItem{bytes: m.Frame, events: uint32(m.Events), fate: m.Fate})
	if m.Hold {
		b.holding = wake
		return false
	}
	return wake
}

// flush wakes the writer for what is held. A disconnected feed may have queued it.
func (f *Feed) flush() (wake bool) {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	wake = f.b.holding
	f.b.holding = false
	return wake
}

// view queues the view that the room was asked for; turns can follow it again. A view that comes before the reader has caught
// up is dropped: another is requested when it has.
func (f *Feed) view(v *View) (wake bool) {
	b := f.b
	b.mu.Lock()
	if f.closed() || b.behind && !b.asked {
		b.mu.Unlock()
		return false
	}
	lost := b.lost
	b.mu.Unlock()
	frame := v.Encode(lost) // only the room calls, so lost does not change meanwhile

	b.mu.Lock()
	defer b.mu.Unlock()
	if f.closed() {
		return false
	}
	b.lost -= lost
	b.behind, b.asked = false, false
	if b.fits(len(frame)) {
		b.reached(v.Epoch, v.Seq)
		wake = b.put(queuedItem{bytes: frame, events: uint32(lost), fate: Drop, view: true})
	}
	return wake
}

// end ends the session: nothing more is queued. What is queued goes out first, unless nobody will read it.
func (f *Feed) end(e *End) (wake bool) {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.closed() {
		return false
	}
	b.over, b.err = true, e.Why
	if b.timer != nil {
		b.timer.Stop()
	}
	if e.Discard {
		b.queue, b.head, b.bytes, b.droppable = nil, 0, 0, 0
	}
	return true
}
