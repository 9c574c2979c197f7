package actor

import (
	"cmp"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// OutboxOptions make an Outbox.
type OutboxOptions struct {
	Encoding wire.Encoding

	// MaxBytes bounds the turns and views queued for a reader that falls behind; 0 means 64 KiB. What is
	// kept whatever happens (answers, the frames of a welcome, over) comes on top: at most MaxUnanswered
	// answers and one view or resume buffer. A single frame larger than this still passes an empty queue.
	MaxBytes int

	// StuckAfter is how long a reader that has fallen behind may take nothing before its session ends
	// with 4101; 0 means 10 s.
	StuckAfter time.Duration

	// Wake is called when there is something to Take or the End has come. It is called from any
	// goroutine, outside all locks, and must not block.
	Wake func()

	Clock Clock // nil means SystemClock
}

// MaxUnanswered is how many acts of one session may be without an answer the reader has taken. The
// room keeps so many answers for each client, so no more can be resent safely.
const MaxUnanswered = room.KeptAnswers

// Outbox is the bounded queue of encoded messages between a room and the writer of one socket. The room
// pushes and never waits; the edge takes.
//
// A reader that falls behind loses patches, never answers: when the queue is full, its turns are dropped
// and their events counted, and nothing that would patch a view the reader does not have is queued any
// more. When the writer finds the queue empty, the outbox asks the room for the whole view, which goes
// out with the count of lost events, and turns follow it again.
type Outbox struct {
	encoding   wire.Encoding
	maxBytes   int
	stuckAfter time.Duration
	wake       func()
	clock      Clock

	mu         sync.Mutex
	refill     func()       // asks the room for the whole view; set by attach
	stuck      func()       // tells the room that the reader is stuck; set by attach
	queue      []queuedItem // from head on
	head       int
	bytes      int // of all that is queued
	droppable  int // bytes of queued turns and views
	unanswered int // acts handed over whose answers nobody has taken
	takes      uint64
	lost       uint64 // events dropped since the last whole view
	lostEver   uint64
	behind     bool // turns are dropped until a whole view comes
	asked      bool // and the writer has drained the queue since
	hushed     bool // what is queued has not woken the writer: see hush
	timer      Timer
	over       bool
	err        *CloseError
}

// queuedItem is one message. Its bytes are shared with other outboxes.
type queuedItem struct {
	bytes  []byte
	events uint32
	fate   fate
}

// fate is what becomes of a message when the reader is slow.
type fate uint8

const (
	keep   fate = iota // queued whatever happens
	answer             // kept, and settles one unanswered act when taken
	drop               // a turn or a view: a newer view makes up for it
)

// NewOutbox makes an empty outbox for one Attach.
func NewOutbox(o OutboxOptions) *Outbox {
	b := &Outbox{
		encoding: o.Encoding, wake: o.Wake, clock: o.Clock,
		maxBytes:   cmp.Or(o.MaxBytes, 64<<10),
		stuckAfter: cmp.Or(o.StuckAfter, 10*time.Second),
	}
	if b.clock == nil {
		b.clock = SystemClock()
	}
	if b.wake == nil {
		b.wake = func() {}
	}
	return b
}

// Encoding is what the messages are encoded in.
func (b *Outbox) Encoding() wire.Encoding { return b.encoding }

// Take appends queued messages to dst, in order and joined as the protocol says (JSON: a newline between
// two; CBOR: a sequence), up to max bytes but at least one message. It returns how many; 0 means that
// nothing is queued. A writer calls it until it returns 0: only then does the outbox know that the
// reader has caught up.
func (b *Outbox) Take(dst []byte, max int) ([]byte, int) {
	b.mu.Lock()
	if b.head == len(b.queue) {
		ask := b.behind && !b.asked && !b.over
		b.asked = b.asked || ask
		refill := b.refill
		b.mu.Unlock()
		if ask {
			refill()
		}
		return dst, 0
	}
	b.takes++
	b.hushed = false
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
		b.taken(it)
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

// taken accounts for the item at the head and lets go of its bytes.
func (b *Outbox) taken(it *queuedItem) {
	b.bytes -= len(it.bytes)
	switch it.fate {
	case drop:
		b.droppable -= len(it.bytes)
	case answer:
		b.unanswered = max(b.unanswered-1, 0) // a resent act's first answer may come here too
	}
	*it = queuedItem{}
	b.head++
}

// tidy starts the queue over when it is empty, without the array that a burst has made large.
func (b *Outbox) tidy() {
	if b.head < len(b.queue) {
		return
	}
	if b.queue, b.head = b.queue[:0], 0; cap(b.queue) > 64 {
		b.queue = nil
	}
}

// push queues a message and never blocks. Events are those of a turn.
func (b *Outbox) push(frame []byte, f fate, events int) {
	b.mu.Lock()
	if b.over {
		b.mu.Unlock()
		return
	}
	if f == drop && !b.fits(len(frame)) {
		b.dropped(events)
		b.mu.Unlock()
		return
	}
	wake := b.put(frame, f, events)
	b.mu.Unlock()
	if wake {
		b.wake()
	}
}

// whole queues the view that the room was asked for; from here on turns make sense again. Encode is told the
// number of events lost since the last view. A view that comes before the reader has caught up is
// dropped: another is asked for when it has.
func (b *Outbox) whole(encode func(lost uint64) []byte) {
	b.mu.Lock()
	if b.over || b.behind && !b.asked {
		b.mu.Unlock()
		return
	}
	lost := b.lost
	b.mu.Unlock()
	frame := encode(lost) // only the room's goroutine pushes, so lost stands still meanwhile

	b.mu.Lock()
	b.lost -= lost
	b.behind, b.asked = false, false
	wake := !b.over && b.fits(len(frame)) && b.put(frame, drop, 0)
	b.mu.Unlock()
	if wake {
		b.wake()
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
		if it.fate == drop {
			b.bytes -= len(it.bytes)
			b.dropped(int(it.events))
			continue
		}
		kept = append(kept, it)
	}
	clear(b.queue[len(kept):])
	b.queue, b.head, b.droppable = kept, 0, 0
	b.behind, b.asked = true, false
	b.watch(b.takes)
}

func (b *Outbox) dropped(events int) {
	b.lost += uint64(events)
	b.lostEver += uint64(events)
}

// watch looks again after stuckAfter and ends a session whose writer has not come back since.
func (b *Outbox) watch(takes uint64) {
	b.timer = b.clock.AfterFunc(b.stuckAfter, func() {
		b.mu.Lock()
		moved := b.over || !b.behind || b.asked
		if !moved && b.takes != takes {
			b.watch(b.takes)
			moved = true
		}
		stuck := b.stuck
		b.mu.Unlock()
		if !moved && stuck != nil {
			stuck()
		}
	})
}

// hush queues an answer that may wait for the next message: it wakes nobody, that message or rouse does.
// It reports whether rouse is needed, should none come.
func (b *Outbox) hush(frame []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return false
	}
	b.hushed = b.put(frame, answer, 0)
	return b.hushed
}

// rouse has the writer take what hush has queued, if it is still there.
func (b *Outbox) rouse() {
	b.mu.Lock()
	wake := b.hushed
	b.hushed = false
	b.mu.Unlock()
	if wake {
		b.wake()
	}
}

// put queues a message and reports whether the writer must be woken for it.
func (b *Outbox) put(frame []byte, f fate, events int) (wake bool) {
	wake = b.hushed || b.head == len(b.queue)
	b.hushed = false
	if b.head > len(b.queue)/2 && len(b.queue) == cap(b.queue) {
		n := copy(b.queue, b.queue[b.head:])
		clear(b.queue[n:])
		b.queue, b.head = b.queue[:n], 0
	}
	b.queue = append(b.queue, queuedItem{frame, uint32(events), f})
	b.bytes += len(frame)
	if f == drop {
		b.droppable += len(frame)
	}
	return wake
}

// welcome starts the stream over: what follows is a view of its own or continues the reader's.
func (b *Outbox) welcome() {
	b.mu.Lock()
	b.behind, b.asked = false, false
	b.mu.Unlock()
}

// end ends the session: nothing is queued any more. What is queued goes out first, unless discard says
// that nobody will read it. The first end counts.
func (b *Outbox) end(err *CloseError, discard bool) {
	b.mu.Lock()
	if b.over {
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

// begin counts an act that will have an answer; false means that too many have none yet.
func (b *Outbox) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unanswered++
	return b.unanswered <= MaxUnanswered
}

// settle takes back the count of an act that will have no answer here.
func (b *Outbox) settle() {
	b.mu.Lock()
	b.unanswered = max(b.unanswered-1, 0)
	b.mu.Unlock()
}

func (b *Outbox) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// OutboxStats are what the operator may know of a session's queue.
type OutboxStats struct {
	Messages   int    `json:"messages"`
	Bytes      int    `json:"bytes"`
	Behind     bool   `json:"behind"` // its turns are dropped until it has drained the queue
	Lost       uint64 `json:"lost"`   // events dropped since it attached
	Unanswered int    `json:"unanswered"`
}

func (b *Outbox) stats() OutboxStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return OutboxStats{len(b.queue) - b.head, b.bytes, b.behind, b.lostEver, b.unanswered}
}
