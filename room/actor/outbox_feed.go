package actor

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// Feed is the room's end of an Outbox, and the Sink of a session whose client is at this node. Its methods may be
// called from any goroutine and never block.
//
// A newer feed of the same outbox makes older ones deaf: what they are told goes nowhere, and counts for nothing. So a
// reader can be attached again, to another room object or another node, and nothing that the old one still says gets in
// between.
type Feed struct {
	b *Outbox
	n uint32
}

// NewFeed takes the room's end of an outbox from whoever has had it before. Acts without an answer are from then on those
// whose answers are queued: the client sends the others again when it is welcomed.
func NewFeed(b *Outbox) *Feed {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.feeds++
	b.refill, b.stuck = nil, nil
	b.unanswered = b.answers()
	return &Feed{b, b.feeds}
}

// deaf reports that nothing is to be queued any more. The lock is held.
func (f *Feed) deaf() bool { return f.b.over || f.n != f.b.feeds }

// Encoding is what the messages are encoded in.
func (f *Feed) Encoding() wire.Encoding { return f.b.encoding }

// Bind says what to do when the reader has caught up after losing turns and needs the whole view, and when it takes
// nothing for too long. Both are called outside all locks and must not block.
func (f *Feed) Bind(to Bindings) {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	if f.n == f.b.feeds {
		f.b.refill, f.b.stuck = to.Refill, to.Stuck
	}
}

// Welcomed starts the stream over: what follows is a view of its own, or continues the reader's from a point.
func (f *Feed) Welcomed(epoch room.Epoch, from room.Index, _ room.CSeq) {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.deaf() {
		return
	}
	b.at = room.Point{Epoch: epoch, Seq: from}
	b.lost, b.behind, b.asked = 0, false, false
}

// Push queues a message and never blocks. Events are those of a turn.
func (f *Feed) Push(frame []byte, fate Fate, seq room.Index, events int) {
	b := f.b
	b.mu.Lock()
	if f.deaf() {
		b.mu.Unlock()
		return
	}
	if fate == Drop && !b.fits(len(frame)) {
		b.dropped(events)
		b.mu.Unlock()
		return
	}
	if seq > 0 {
		b.at.Seq = seq
	}
	wake := b.put(queuedItem{bytes: frame, events: uint32(events), fate: fate})
	b.mu.Unlock()
	if wake {
		b.wake()
	}
}

// View queues the view that the room was asked for; from here on turns make sense again. Encode is told the
// number of events lost since the last view. A view that comes before the reader has caught up is
// dropped: another is asked for when it has.
func (f *Feed) View(seq room.Index, encode func(lost uint64) []byte) {
	b := f.b
	b.mu.Lock()
	if f.deaf() || b.behind && !b.asked {
		b.mu.Unlock()
		return
	}
	lost := b.lost
	b.mu.Unlock()
	frame := encode(lost) // only the feed's owner pushes, so lost stands still meanwhile

	b.mu.Lock()
	if f.deaf() {
		b.mu.Unlock()
		return
	}
	b.lost -= lost
	b.behind, b.asked = false, false
	wake := false
	if b.fits(len(frame)) {
		b.at.Seq = seq
		wake = b.put(queuedItem{bytes: frame, events: uint32(lost), fate: Drop, view: true})
	}
	b.mu.Unlock()
	if wake {
		b.wake()
	}
}

// Hush queues an answer that may wait for the next message: it wakes nobody, that message or Rouse does.
// It reports whether Rouse is needed, should none come.
func (f *Feed) Hush(frame []byte) bool {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.deaf() {
		return false
	}
	b.hushed = b.put(queuedItem{bytes: frame, fate: Answer})
	return b.hushed
}

// Rouse has the writer take what Hush has queued, if it is still there. A deaf feed may have queued it.
func (f *Feed) Rouse() {
	b := f.b
	b.mu.Lock()
	wake := b.hushed
	b.hushed = false
	b.mu.Unlock()
	if wake {
		b.wake()
	}
}

// End ends the session: nothing is queued any more. What is queued goes out first, unless discard says
// that nobody will read it. The first end counts.
func (f *Feed) End(err *CloseError, discard bool) {
	b := f.b
	b.mu.Lock()
	if f.deaf() {
		b.mu.Unlock()
		return
	}
	b.over, b.err = true, err
	if b.timer != nil {
		b.timer.Stop()
	}
	if discard {
		b.queue, b.head, b.bytes, b.droppable = nil, 0, 0, 0
	}
	b.mu.Unlock()
	b.wake()
}

// Begin counts an act that will have an answer; false means that too many have none yet, which a deaf feed never says.
func (f *Feed) Begin() bool {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.deaf() {
		return true
	}
	b.unanswered++
	return b.unanswered <= MaxUnanswered
}

// Settle takes back the count of an act that will have no answer here.
func (f *Feed) Settle() {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if !f.deaf() {
		b.unanswered = max(b.unanswered-1, 0)
	}
}

// Ended reports whether nothing said here is heard any more.
func (f *Feed) Ended() bool {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	return f.deaf()
}

// Stats are the outbox's.
func (f *Feed) Stats() OutboxStats { return f.b.Stats() }
