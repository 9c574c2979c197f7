package actor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/roomring/roomring/room"
)

// readers hold back what leaves a room without an index of its own, such as a refusal or a whole view that was asked for, until
// everybody else who has the room's log has said that it is the present one: an owner that was replaced does not know it, and
// would tell what is no longer so. What takes an index waits for its commit, which says the same. Any goroutine may ask.
//
// Many share one question. Who asks while one is under way waits for the next, because that one may be answered for a moment
// before.
type readers struct {
	mu       sync.Mutex // held for moments only
	underway *question
	next     *question

	answers atomic.Int64 // that the room itself may give and has not given yet

	held []func() // what the room gives then, oldest first; only its goroutine uses it
}

// question is one call of LogStore.Current.
type question struct {
	answered chan struct{}
	own      int // how many answers the room itself waits for with it
}

// ask joins the next question, and begins it if none is under way. Own is how many answers of the room itself wait for it.
func (r *liveRoom) ask(own int) *question {
	q := &r.readers
	q.mu.Lock()
	if q.next == nil {
		q.next = &question{answered: make(chan struct{})}
	}
	mine := q.next
	mine.own += own
	begins := q.underway == nil
	if begins {
		q.underway, q.next = mine, nil
	}
	q.mu.Unlock()
	if begins {
		r.log.store.Current(func() { r.answered(mine) })
	}
	return mine
}

// answered ends the question under way and begins the next.
func (r *liveRoom) answered(done *question) {
	q := &r.readers
	q.mu.Lock()
	if q.underway != done {
		q.mu.Unlock()
		return // it was answered before
	}
	again := q.next
	q.underway, q.next = again, nil
	q.mu.Unlock()
	close(done.answered)
	if done.own > 0 {
		q.answers.Add(int64(done.own))
		r.mail.notify()
	}
	if again != nil {
		r.log.store.Current(func() { r.answered(again) })
	}
}

// await waits until the room is known to be the present one. Errors: ErrEnded when the room has left memory, ctx's.
func (r *liveRoom) await(ctx context.Context) error {
	if r.log.store == nil {
		return nil // it is in memory alone, and nobody else can have it
	}
	select {
	case <-r.ask(0).answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.mail.gone:
		return ErrEnded
	}
}

// whenCurrent runs f on the room's goroutine, which calls this, when the room is known to be the present one; never when it leaves
// memory before. What is handed over runs in that order. Callers bound how much they hand over.
func (r *liveRoom) whenCurrent(f func()) {
	if r.log.store == nil {
		f()
		return
	}
	r.readers.held = append(r.readers.held, f)
	r.ask(1)
	r.release() // it may have been answered at once
}

// release does what need not be held back any more.
func (r *liveRoom) release() {
	q := &r.readers
	for range q.answers.Swap(0) {
		f := q.held[0]
		q.held[0] = nil
		if q.held = q.held[1:]; len(q.held) == 0 {
			q.held = nil
		}
		f()
	}
}

// confirmed returns a refusal once the room is known to be the present one. Whatever only asks to come again may be said at any time,
// and so may the result of a room that is over: that is committed.
func (r *liveRoom) confirmed(ctx context.Context, refusal error) error {
	if !isFinal(refusal) {
		return refusal
	}
	if err := r.await(ctx); err != nil {
		return err
	}
	return refusal
}

func isFinal(err error) bool {
	if why, ok := errors.AsType[*CloseError](err); ok {
		return why.Over == nil && !why.Code.Retry()
	}
	return err == ErrNotSeated || isError[*room.Refusal](err)
}

// Read answers as Info does, as the room is while Read runs: Info may tell what was so before another node took the room. It waits
// for the others who have the room's log, until ctx ends. Further errors: ErrUnreachable also when the room leaves
// memory meanwhile; ctx's.
func (d *Directory) Read(ctx context.Context, id room.ID) (Info, error) {
	r, err := d.find(id)
	if err != nil {
		return Info{}, err
	}
	if err := r.await(ctx); err == ErrEnded {
		return Info{}, ErrUnreachable
	} else if err != nil {
		return Info{}, err
	}
	return d.Info(id)
}
