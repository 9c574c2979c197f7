package actor

import (
	"cmp"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// OutboxOptions make an Outbox.
type OutboxOptions struct {
	Encoding wire.Encoding

	// MaxBytes bounds the turns and views queued for a reader that falls behind; 0 means 64 KiB. What is
	// never dropped (answers, the frames of a welcome, over) comes on top: at most MaxUnanswered
	// answers and one view or resume buffer. A single frame larger than this still passes an empty queue.
	MaxBytes int

	// StuckAfter is how long a reader that has fallen behind may take nothing before its session ends
	// with 4101; 0 means 10 s.
	StuckAfter time.Duration

	// Wake is called when there is something to Take or the End has come. It is called from any
	// goroutine, outside all locks, and must not block.
	Wake func()

	Clock clock.Clock // nil means clock.System
}

// MaxUnanswered is how many acts of one session may have no answer that the reader has taken. The
// room keeps so many answers for each client, so no more can be resent safely.
const MaxUnanswered = core.KeptAnswers

// Outbox is the bounded queue of encoded messages between a room and the writer of one socket. The room
// pushes and never waits; the edge calls Take.
//
// A reader that falls behind loses patches, never answers. When the queue is full, its turns are dropped and their
// events counted, and no patch is queued for a view that the reader does not have. When the writer finds the queue
// empty, the outbox asks the room for the whole view. That goes out with the count of lost events, and turns follow it.
type Outbox struct {
	encoding   wire.Encoding
	maxBytes   int
	stuckAfter time.Duration
	wake       func()
	clock      clock.Clock

	mu        sync.Mutex
	feed      *Feed        // the newest; older ones are disconnected
	refill    func()       // asks the room for the whole view
	stuck     func()       // tells the room that the reader is stuck
	at        record.Point // what a reader has reached who has taken all that is queued; Seq 0: it has no view to go on from
	sent      uint64       // bytes queued so far
	queue     []queuedItem // from head on
	head      int
	bytes     int    // of all that is queued
	droppable int    // bytes of queued turns and views
	takes     uint64 // times that the writer has taken something
	lost      uint64 // events dropped since the last whole view
	lostEver  uint64
	behind    bool // turns are dropped until a whole view comes
	asked     bool // and the writer has drained the queue since
	holding   bool // what is queued has not woken the writer: the next message does, or Flush
	timer     clock.Timer
	over      bool
	err       *CloseError
}

// queuedItem is one message. Its bytes are shared with other outboxes.
type queuedItem struct {
	bytes  []byte
	events uint32 // of a turn; of a view those lost that it tells of
	fate   Fate
	view   bool
}

// NewOutbox makes an empty outbox for one reader. A Feed says things to it; when the reader is attached again, another does.
func NewOutbox(o OutboxOptions) *Outbox {
	b := &Outbox{
		encoding: o.Encoding, wake: o.Wake, clock: o.Clock,
		maxBytes:   cmp.Or(o.MaxBytes, 64<<10),
		stuckAfter: cmp.Or(o.StuckAfter, 10*time.Second),
	}
	if b.clock == nil {
		b.clock = clock.System()
	}
	if b.wake == nil {
		b.wake = func() {}
	}
	return b
}

// Encoding is what the messages are encoded in.
func (b *Outbox) Encoding() wire.Encoding { return b.encoding }

// Take appends queued messages to dst, in order and joined as the protocol says (JSON: a newline between
// two; CBOR: a sequence), up to max bytes but at least one message. It returns the number of messages; 0 means that
// nothing is queued. The writer calls it until it returns 0: only then does the outbox know that the
// reader has caught up.
func (b *Outbox) Take(dst []byte, max int) ([]byte, int) {
	b.mu.Lock()
	if b.head == len(b.queue) {
		ask := b.behind && !b.asked && !b.over && b.refill != nil // nil: a newer feed is about to start over with a view
		b.asked = b.asked || ask
		refill := b.refill
		b.mu.Unlock()
		if ask {
			refill()
		}
		return dst, 0
	}
	b.takes++
	b.holding = false
	n, size := 0, 0
	for b.head < len(b.queue) {
		it := &b.queue[b.head]
		if size += len(it.bytes) + 1; n > 0 && size > max {
			break
		}
		if n > 0 && b.encoding == wire.JSON {
			dst = append(dst, '\n')
		}
		dst = append(dst, it.bytes...)
		b.removeHead(it)
		n++
	}
	b.tidy()
	b.mu.Unlock()
	return dst, n
}

// End tells why the session is over, once everything queued has been taken: close the socket with it.
func (b *Outbox) End() (*CloseError, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over || b.head < len(b.queue) {
		return nil, false
	}
	return b.err, true
}

// Resume is the point from which a new attach of the same reader can go on, so that what it is sent follows what is queued.
// Nil: the reader needs the whole view.
func (b *Outbox) Resume() *record.Point {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.behind || b.at.Seq == 0 {
		return nil
	}
	return new(b.at)
}

// reached notes what a reader knows who has taken all that is queued. Zeros change nothing.
func (b *Outbox) reached(e record.Epoch, i room.Index) {
	b.at.Epoch, b.at.Seq = cmp.Or(e, b.at.Epoch), cmp.Or(i, b.at.Seq)
}

// removeHead accounts for the item at the head and frees its bytes.
func (b *Outbox) removeHead(it *queuedItem) {
	b.bytes -= len(it.bytes)
	switch it.fate {
	case Drop:
		b.droppable -= len(it.bytes)
	case Answer:
		b.feed.credit.Done()
	}
	*it = queuedItem{}
	b.head++
}

// tidy starts the queue over when it is empty, and frees an array that a burst has made large.
func (b *Outbox) tidy() {
	if b.head < len(b.queue) {
		return
	}
	if b.queue, b.head = b.queue[:0], 0; cap(b.queue) > 64 {
		b.queue = nil
	}
}

// fits reports whether a turn or view may be queued; when the queue is full it drops all of them.
func (b *Outbox) fits(size int) bool {
	if b.behind {
		return false
	}
	if b.droppable == 0 || b.droppable+size <= b.maxBytes {
		return true
	}
	b.fallBehind()
	return false
}

// fallBehind drops every queued turn and view and starts watching whether the reader moves at all.
func (b *Outbox) fallBehind() {
	kept := b.queue[:0]
	for _, it := range b.queue[b.head:] {
		switch {
		case it.fate != Drop:
			kept = append(kept, it)
			continue
		case it.view:
			b.lost += uint64(it.events) // the next one tells of them
		default:
			b.dropped(int(it.events))
		}
		b.bytes -= len(it.bytes)
	}
	clear(b.queue[len(kept):])
	b.queue, b.head, b.droppable = kept, 0, 0
	b.behind, b.asked = true, false
	b.watchReader(b.takes)
}

// answers counts the answers that are queued.
func (b *Outbox) answers() int {
	n := 0
	for _, it := range b.queue[b.head:] {
		if it.fate == Answer {
			n++
		}
	}
	return n
}

func (b *Outbox) dropped(events int) {
	b.lost += uint64(events)
	b.lostEver += uint64(events)
}

// watchReader looks again after stuckAfter and ends the session if the writer has not come back since.
func (b *Outbox) watchReader(takes uint64) {
	if b.timer != nil {
		b.timer.Stop() // it counts from an earlier fall
	}
	b.timer = b.clock.AfterFunc(b.stuckAfter, func() {
		b.mu.Lock()
		moved := b.over || !b.behind || b.asked
		if !moved && b.takes != takes {
			b.watchReader(b.takes)
			moved = true
		}
		stuck := b.stuck
		b.mu.Unlock()
		if !moved && stuck != nil {
			stuck()
		}
	})
}

// put queues a message and reports whether the writer must be woken for it.
func (b *Outbox) put(it queuedItem) (wake bool) {
	wake = b.holding || b.head == len(b.queue)
	b.holding = false
	if b.head > len(b.queue)/2 && len(b.queue) == cap(b.queue) {
		n := copy(b.queue, b.queue[b.head:])
		clear(b.queue[n:])
		b.queue, b.head = b.queue[:n], 0
	}
	b.queue = append(b.queue, it)
	b.bytes += len(it.bytes)
	b.sent += uint64(len(it.bytes))
	if it.fate == Drop {
		b.droppable += len(it.bytes)
	}
	return wake
}

// OutboxStats is what the operator may know of a session's queue. The queue of a client whose socket another node has is
// at that node: here only Unanswered and Sent are known.
type OutboxStats struct {
	Messages   int    `json:"messages"`   // that wait for the writer
	Bytes      int    `json:"bytes"`      // of these
	Behind     bool   `json:"behind"`     // its turns are dropped until it has drained the queue and the whole view comes
	Lost       uint64 `json:"lost"`       // events dropped since its socket came, told to the reader or not yet
	Unanswered int    `json:"unanswered"` // acts whose answers the writer has not taken
	Sent       uint64 `json:"-"`          // bytes queued since its socket came, those dropped later included
}

// Stats are what waits now. Any goroutine may ask.
func (b *Outbox) Stats() OutboxStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	unanswered := 0
	if b.feed != nil {
		unanswered = b.feed.credit.Open()
	}
	return OutboxStats{len(b.queue) - b.head, b.bytes, b.behind, b.lostEver, unanswered, b.sent}
}
