package actor

import (
	"cmp"
	"context"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// message is one thing for a room's goroutine to do.
type message interface{ handle(r *liveRoom) }

// mailbox is the only way into a room. Players' messages wait in a bounded queue, in order, and a sender waits while the
// queue is full. Control has a path of its own and never waits: what could pile up there is coalesced, and the rest is
// bounded by the callers, who wait for their answers, and by the sessions, which detach once.
type mailbox struct {
	slots chan struct{} // holds one for each queued message that came by send
	wake  chan struct{} // holds one: there is something to receive
	gone  chan struct{} // closed when the room has left memory

	mu      sync.Mutex
	queue   []queued
	control control
	handed  record.Point // the room's epoch, and the end of what it has handed to its log store: commits beyond are refused
}

// queued is a message in the queue.
type queued struct {
	message
	slot bool // it has one of mailbox.slots
}

// control is what the room is told beside players' messages.
type control struct {
	due         bool         // the timer has fired
	commit      room.Index   // the log is durable up to here; 0: nothing new
	refused     record.Point // the last commit that was refused; zero: none
	saved       room.Index   // the snapshot of that index is durable; 0: nothing new
	failed      error        // what was handed over will not be durable
	unavailable error        // nothing can be saved at present
	available   bool         // logs can be saved again
	messages    []message    // of the operator or the directory
	views       []*session   // that want the whole view, because their outboxes have drained
}

func newMailbox(size int) *mailbox {
	return &mailbox{
		slots: make(chan struct{}, size),
		wake:  make(chan struct{}, 1),
		gone:  make(chan struct{}),
	}
}

// send puts a player's message into the queue. It waits while the queue is full, until ctx ends or the room is gone
// (ErrEnded).
func (b *mailbox) send(ctx context.Context, m message) error {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-b.gone:
		return ErrEnded
	}
	b.post(queued{m, true})
	return nil
}

// post puts a message into the queue even if the queue is full.
func (b *mailbox) post(q queued) {
	b.mu.Lock()
	b.queue = append(b.queue, q)
	b.mu.Unlock()
	b.notify()
}

// tell changes control.
func (b *mailbox) tell(change func(c *control)) {
	b.mu.Lock()
	change(&b.control)
	b.mu.Unlock()
	b.notify()
}

// command hands over a message by the control path.
func (b *mailbox) command(m message) {
	b.tell(func(c *control) { c.messages = append(c.messages, m) })
}

func (b *mailbox) notify() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// receive empties control and takes up to n messages into buf. It notifies again if messages are left and n is not 0.
func (b *mailbox) receive(n int, buf []queued) (control, []queued) {
	b.mu.Lock()
	c := b.control
	b.control = control{}
	n = min(n, len(b.queue))
	buf = append(buf[:0], b.queue[:n]...)
	left := copy(b.queue, b.queue[n:])
	clear(b.queue[left:])
	if b.queue = b.queue[:left]; left == 0 && cap(b.queue) > 32 {
		b.queue = nil
	}
	b.mu.Unlock()
	for _, q := range buf {
		if q.slot {
			<-b.slots
		}
	}
	if n > 0 && left > 0 {
		b.notify()
	}
	return c, buf
}

func (b *mailbox) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// expect sets the room's epoch and the end of what it has handed to its log store.
func (b *mailbox) expect(p record.Point) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Epoch != b.handed.Epoch {
		b.control.commit = 0 // it is of another epoch now
	}
	b.handed = p
}

// Committed implements Progress.
func (b *mailbox) Committed(p record.Point) {
	b.mu.Lock()
	switch {
	case p.Epoch < b.handed.Epoch: // it was under way when the epoch changed: the new one is told of it again
	case p.Epoch == b.handed.Epoch && p.Seq <= b.handed.Seq:
		b.control.commit = max(b.control.commit, p.Seq)
	default:
		b.control.refused = p
	}
	b.mu.Unlock()
	b.notify()
}

// Saved implements Progress.
func (b *mailbox) Saved(i room.Index) {
	b.tell(func(c *control) { c.saved = max(c.saved, i) })
}

// Failed implements Progress.
func (b *mailbox) Failed(err error) {
	b.tell(func(c *control) { c.failed = cmp.Or(c.failed, err) })
}

// Unavailable implements Progress.
func (b *mailbox) Unavailable(err error) {
	b.tell(func(c *control) { c.unavailable, c.available = err, false })
}

// Available implements Progress.
func (b *mailbox) Available() {
	b.tell(func(c *control) { c.unavailable, c.available = nil, true })
}

// call runs f on the room's goroutine by the control path and waits for it, until ctx ends or the room is gone.
func call[T any](ctx context.Context, b *mailbox, f func(r *liveRoom) (T, error)) (T, error) {
	type reply struct {
		v   T
		err error
	}
	answered := make(chan reply, 1)
	b.command(function(func(r *liveRoom) {
		v, err := f(r)
		answered <- reply{v, err}
	}))
	var zero T
	select {
	case a := <-answered:
		return a.v, a.err
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-b.gone:
		return zero, ErrNotFound
	}
}

type function func(r *liveRoom)

func (f function) handle(r *liveRoom) { f(r) }
