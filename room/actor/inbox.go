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

// inbox is the one way into a room. Players' messages wait in a bounded mailbox, in order; who finds it
// full waits. Control has a path of its own that is always served: what could pile up there is
// coalesced, and the rest is few: one answer awaited by each caller, one detach a session.
type inbox struct {
	slots chan struct{} // one for each player's message that waits
	wake  chan struct{} // holds one: there is something to take
	gone  chan struct{} // closed when the room has left memory

	mu      sync.Mutex
	mailbox []queued
	control control
	handed  record.Point // the room's epoch, and how far it has handed its log over: commits beyond are refused
}

// queued is a message in the mailbox.
type queued struct {
	message
	slot bool // it gives its slot back when it is taken
}

// control is what the room is told beside player input.
type control struct {
	due      bool         // the timer has fired
	commit   room.Index   // the log is durable up to here; 0: nothing new
	refused  record.Point // a commit that was none of the room's; zero: none
	saved    room.Index   // that snapshot is durable; 0: nothing new
	failed   error        // what was handed over and is not durable will not be
	health   *health      // logs cannot be saved any more, or can be again
	messages []message    // of the operator's, or the directory's
	views    []*session   // whose outboxes have drained and want the whole view
}

type health struct{ err error }

func newInbox(size int) *inbox {
	return &inbox{
		slots: make(chan struct{}, size),
		wake:  make(chan struct{}, 1),
		gone:  make(chan struct{}),
	}
}

// send puts a player's message into the mailbox. It waits while the mailbox is full, until ctx ends or
// the room is gone (ErrEnded).
func (in *inbox) send(ctx context.Context, m message) error {
	select {
	case in.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-in.gone:
		return ErrEnded
	}
	in.post(queued{m, true})
	return nil
}

// post puts a message into the mailbox whether there is room or not.
func (in *inbox) post(q queued) {
	in.mu.Lock()
	in.mailbox = append(in.mailbox, q)
	in.mu.Unlock()
	in.ring()
}

// tell changes what control holds.
func (in *inbox) tell(change func(c *control)) {
	in.mu.Lock()
	change(&in.control)
	in.mu.Unlock()
	in.ring()
}

// command hands over a message on the control path.
func (in *inbox) command(m message) {
	in.tell(func(c *control) { c.messages = append(c.messages, m) })
}

// wants notes that a session wants the whole view.
func (in *inbox) wants(s *session) {
	in.tell(func(c *control) { c.views = append(c.views, s) })
}

func (in *inbox) ring() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// expect says how far the room has handed its log over, and its epoch.
func (in *inbox) expect(p record.Point) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if p.Epoch != in.handed.Epoch {
		in.control.commit = 0 // of another epoch by now
	}
	in.handed = p
}

// Committed implements Progress.
func (in *inbox) Committed(p record.Point) {
	in.mu.Lock()
	if p.Epoch == in.handed.Epoch && p.Seq <= in.handed.Seq {
		in.control.commit = max(in.control.commit, p.Seq)
	} else {
		in.control.refused = p
	}
	in.mu.Unlock()
	in.ring()
}

// Saved implements Progress.
func (in *inbox) Saved(i room.Index) {
	in.tell(func(c *control) { c.saved = max(c.saved, i) })
}

// Failed implements Progress.
func (in *inbox) Failed(err error) {
	in.tell(func(c *control) { c.failed = cmp.Or(c.failed, err) })
}

// take empties control and takes up to n messages into buf. It rings again if messages are left and n was not 0.
func (in *inbox) take(n int, buf []queued) (control, []queued) {
	in.mu.Lock()
	c := in.control
	in.control = control{}
	n = min(n, len(in.mailbox))
	buf = append(buf[:0], in.mailbox[:n]...)
	left := copy(in.mailbox, in.mailbox[n:])
	clear(in.mailbox[left:])
	if in.mailbox = in.mailbox[:left]; left == 0 && cap(in.mailbox) > 32 {
		in.mailbox = nil
	}
	in.mu.Unlock()
	for _, q := range buf {
		if q.slot {
			<-in.slots
		}
	}
	if n > 0 && left > 0 {
		in.ring()
	}
	return c, buf
}

func (in *inbox) waiting() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.mailbox)
}

// call runs f on the room's goroutine by the control path and waits for it, until ctx ends or the room is gone.
func call[T any](ctx context.Context, in *inbox, f func(r *liveRoom) (T, error)) (T, error) {
	type reply struct {
		v   T
		err error
	}
	answered := make(chan reply, 1)
	in.command(function(func(r *liveRoom) {
		v, err := f(r)
		answered <- reply{v, err}
	}))
	var zero T
	select {
	case a := <-answered:
		return a.v, a.err
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-in.gone:
		return zero, ErrNotFound
	}
}

type function func(r *liveRoom)

func (f function) handle(r *liveRoom) { f(r) }
