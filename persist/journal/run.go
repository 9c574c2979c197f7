package journal

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room/clock"
)

// purgeEvery is how often a node looks for rooms that were set aside too long ago.
const purgeEvery = time.Hour

// loop is the goroutine that writes: it takes groups from the queue and has the writer apply them. Its fields belong to that
// goroutine once it runs, but for those that are atomic.
type loop struct {
	options Options
	queue   *queue
	writer  *writer
	budget  *budget
	health  health
	commits atomic.Uint64
	pruned  bool  // the lives that no room's clock refers to are deleted from the marks
	lost    error // why Close gave up; nil: it did not
	changes []change
	of      []int // with changes what plan has made, to be used again

	closing chan struct{}   // closed by Close: write what waits and end
	trying  context.Context // ends when Close gives up: stop trying
	giveUp  context.CancelFunc
	ended   chan struct{} // closed when the goroutine has ended
}

// run is the goroutine. Open starts it and Close ends it.
func (l *loop) run() {
	defer close(l.ended)
	marks := time.NewTicker(l.options.MarkEvery)
	defer marks.Stop()
	purges := time.NewTicker(purgeEvery)
	defer purges.Stop()
	for {
		select {
		case <-l.queue.wake:
			l.drain()
		case <-marks.C:
			l.mark()
			l.budget.watch()
		case <-purges.C:
			l.write([]command{{change: l.options.purge()}})
		case <-l.closing:
			l.drain()
			l.mark()
			return
		}
	}
}

// drain writes until the queue is empty.
func (l *loop) drain() {
	for {
		group := l.queue.take(l.options.MaxGroup, l.options.MaxGroupBytes)
		if len(group) == 0 {
			return
		}
		l.write(group)
	}
}

// mark writes the marks if anything depends on them.
func (l *loop) mark() {
	needed := l.queue.rooms() > 0 || l.writer.marks.dirty
	if !l.pruned {
		if used, known := l.queue.lives(); known {
			l.writer.marks.prune(used)
			l.writer.marks.pending = false
			l.pruned = true
		}
	}
	if needed {
		l.write([]command{{change: mark{}}})
	}
}

// write commits a group, however many tries it takes, and then calls the done functions of its commands.
func (l *loop) write(group []command) {
	changes, of := plan(group, l.options.MaxRow, l.changes[:0], l.of[:0])
	defer func() {
		clear(changes)
		l.changes, l.of = changes, of
	}()
	done, err := l.commit(changes)
	l.queue.written(group)
	for i, c := range group {
		switch {
		case c.done == nil:
		case of[i] < done:
			c.done(refusal(changes[of[i]]))
		default:
			c.done(err)
		}
	}
}

// commit tries until the changes are written or Close gives up. Then it returns how many are written.
func (l *loop) commit(changes []change) (done int, err error) {
	if l.lost != nil {
		return 0, l.lost // nothing may be written after a gap, even if the disk works again
	}
	for retry := (clock.Backoff{Min: l.options.RetryMin, Max: l.options.RetryMax}); ; {
		n, err := l.writer.commit(changes[done:])
		done += n
		if err == nil {
			l.health.recovered()
			l.commits.Add(1)
			return done, nil
		}
		l.health.failed(err)
		if !clock.Sleep(l.trying, nil, retry.Next()) {
			l.lost = fmt.Errorf("%w and this was not written: %w", ErrClosed, err)
			if l.options.Sync {
				return 0, l.lost // it may be written, but it did not reach the disk
			}
			return done, l.lost
		}
	}
}

// health tells whether the disk takes what is written.
type health struct {
	path    string
	log     *slog.Logger
	tell    func(error) // Options.Health
	failing atomic.Pointer[FailingError]
}

func (h *health) failed(err error) {
	if old := h.failing.Load(); old != nil {
		h.failing.Store(&FailingError{Path: h.path, Since: old.Since, Err: err})
		return
	}
	e := &FailingError{Path: h.path, Since: time.Now(), Err: err}
	h.failing.Store(e)
	h.log.Error("the journal cannot be written: nothing is acknowledged until it can", "err", e)
	h.tell(e)
}

func (h *health) recovered() {
	old := h.failing.Swap(nil)
	if old == nil {
		return
	}
	h.log.Info("the journal is written again", "failed_for", time.Since(old.Since).Round(time.Millisecond))
	h.tell(nil)
}
