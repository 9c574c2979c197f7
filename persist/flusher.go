package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// ResultWriter is the part of Results that a Flusher needs.
type ResultWriter interface {
	WriteResults(ctx context.Context, finals []record.Final) ([]Verdict, error)
}

// FlusherOptions configure a Flusher. The zero value is fit for use.
type FlusherOptions struct {
	// Batch is the most games in one transaction. 0 means 100.
	Batch int
	// BatchBytes is about the most bytes of replays and results in one transaction, so that it ends well within
	// Timeout. A larger game is written alone. 0 means 4 MiB.
	BatchBytes int
	// Linger is how long a batch that is not full waits for more games. 0 means 5 ms.
	Linger time.Duration
	// Memory is the most bytes of replays and results held in memory. For a final that does not fit, only the room's id is
	// kept, and Reload makes the final again from the journal when its turn comes. 0 means 64 MiB.
	Memory int
	// Reload makes a room's final again from the journal. record.ErrNotFound means that it never can.
	// After any other error the room is tried again later. It is called on the Flusher's goroutine. If it is nil, a final that
	// does not fit is refused with ErrFull.
	Reload func(ctx context.Context, id room.ID) (record.Final, error)
	// Queue is the most rooms that wait, with their final in memory or not. 0 means 65,536.
	Queue int
	// Timeout bounds one try to write a batch. 0 means 15 s.
	Timeout time.Duration
	// Retry is the wait between tries. Its zero value is 20 ms doubling up to 2 s, with full jitter.
	Retry clock.Backoff
	// Log gets refusals as errors, and an absent store as warnings. Nil discards.
	Log *slog.Logger
}

// Flusher is the outbox of results. A final is added when its game ends, and is in the store some milliseconds later,
// or as soon as the store is back. A Flusher holds finals in memory only. So a room's journal must keep the log until
// done is called, and what a Flusher has not written when the process ends is offered again at the next start.
//
// One goroutine does all writing and all calls of done. NewFlusher starts it and Close ends it.
type Flusher struct {
	store ResultWriter
	o     FlusherOptions
	queue *queue[*waiting]
	stop  context.CancelFunc // gives up writing
	ended chan struct{}      // closed when the goroutine has ended

	mu      sync.Mutex
	pending map[room.ID]*waiting
	memory  int // bytes of the finals in pending

	failing int           // failed tries in a row; only the goroutine uses it
	reloads clock.Backoff // the wait while no final can be reloaded; only the goroutine uses it

	retries atomic.Uint64
	counts  [Moved + 1]atomic.Uint64 // by Outcome
}

// waiting is a final that is not yet written.
type waiting struct {
	room  room.ID
	hash  [32]byte
	by    record.Writer
	final *record.Final // nil: to be reloaded
	size  int           // bytes counted in memory
	done  func(Verdict)
	since time.Time
	tries int // failed reloads; only the goroutine uses it
}

// FlusherStats are for metrics.
type FlusherStats struct {
	Waiting int           // rooms that are not done
	Memory  int           // bytes of their finals in memory
	Oldest  time.Duration // how long the oldest of them has waited
	Retries uint64        // failed tries so far
	// Rooms that are done, by outcome.
	Written, Already, Mismatched, Unwritable, Moved uint64
}

// NewFlusher starts a flusher. Close ends it.
func NewFlusher(store ResultWriter, o FlusherOptions) *Flusher {
	o.Batch = orDefault(o.Batch, 100)
	o.BatchBytes = orDefault(o.BatchBytes, 4<<20)
	o.Linger = orDefault(o.Linger, 5*time.Millisecond)
	o.Memory = orDefault(o.Memory, 64<<20)
	o.Queue = orDefault(o.Queue, 1<<16)
	o.Timeout = orDefault(o.Timeout, 15*time.Second)
	o.Log = orDiscard(o.Log)
	ctx, cancel := context.WithCancel(context.Background())
	f := &Flusher{store: store, o: o, queue: newQueue[*waiting](o.Queue), stop: cancel, reloads: o.Retry,
		ended: make(chan struct{}), pending: map[room.ID]*waiting{}}
	go f.run(ctx)
	return f
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// Add offers a room's final, which must not be changed afterwards. It never blocks. When the result is in the store,
// or never will be by this writer (Mismatch, Unwritable, Moved), done is called once, on the Flusher's goroutine. It must not block for long, and may be nil.
// If the room waits already, what is offered now only replaces who writes it and done: its owner may have come to a later epoch. The error is ErrFull (keep
// the log and offer it again later) or ErrClosed (it will be offered at the next start).
func (f *Flusher) Add(final record.Final, done func(Verdict)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.pending[final.Room]; w != nil {
		w.by, w.done = final.By, done
		return nil
	}
	w := &waiting{room: final.Room, hash: final.Hash, by: final.By, done: done, since: time.Now()}
	switch size := sizeOf(final); {
	case f.memory+size <= f.o.Memory:
		w.final, w.size = &final, size
	case f.o.Reload == nil:
		return ErrFull
	}
	if err := f.queue.put(w); err != nil {
		return err
	}
	f.pending[final.Room] = w
	f.memory += w.size
	return nil
}

func sizeOf(f record.Final) int {
	size := 512 + f.Replay.Len() + len(f.Result.Data) + len(f.Result.Summary) + 256*len(f.Events)
	for _, o := range f.Result.Outcomes {
		size += 64 + len(o.Player) + len(o.Name)
	}
	return size
}

// Pending reports whether a room's final waits: the result is not in the store yet, but will be.
func (f *Flusher) Pending(id room.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pending[id] != nil
}

// Stats returns the figures of now.
func (f *Flusher) Stats() FlusherStats {
	s := FlusherStats{
		Retries: f.retries.Load(), Written: f.counts[Written].Load(), Already: f.counts[Already].Load(),
		Mismatched: f.counts[Mismatch].Load(), Unwritable: f.counts[Unwritable].Load(), Moved: f.counts[Moved].Load(),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Waiting, s.Memory = len(f.pending), f.memory
	now := time.Now()
	for _, w := range f.pending {
		s.Oldest = max(s.Oldest, now.Sub(w.since))
	}
	return s
}

// Close refuses new finals, writes those that wait, and ends the goroutine. When ctx ends first it gives up, and the error
// says how many results are left to the journal.
func (f *Flusher) Close(ctx context.Context) error {
	f.queue.close()
	select {
	case <-f.ended:
	case <-ctx.Done():
	}
	f.stop()
	<-f.ended
	if n := f.Stats().Waiting; n > 0 {
		return fmt.Errorf("%d results are not in the store; the journal keeps them for the next start", n)
	}
	return nil
}

func (f *Flusher) run(ctx context.Context) {
	defer close(f.ended)
	defer f.stop()
	for {
		batch := f.queue.take(ctx, f.o.Batch, f.o.Linger)
		if len(batch) == 0 {
			return
		}
		for len(batch) > 0 && ctx.Err() == nil {
			batch = f.flush(ctx, batch)
		}
	}
}

// flush writes the first of a batch, as many as BatchBytes allows, and returns the rest.
func (f *Flusher) flush(ctx context.Context, batch []*waiting) (rest []*waiting) {
	var loaded []*waiting
	var finals []record.Final
	stuck := false
	for size := 0; len(batch) > 0 && size < f.o.BatchBytes; batch = batch[1:] {
		w := batch[0]
		final, ok := f.load(ctx, w)
		if !ok {
			stuck = stuck || w.tries > 0
			continue
		}
		loaded, finals = append(loaded, w), append(finals, final)
		size += sizeOf(final)
	}
	switch {
	case len(finals) > 0:
		f.reloads.Reset()
	case stuck:
		clock.Sleep(ctx, nil, f.reloads.Next())
		return batch
	default:
		return batch
	}
	for i, v := range f.write(ctx, finals) {
		f.finish(loaded[i], finals[i], v)
	}
	return batch
}

// load returns a final, from the journal if it is not in memory. A final that the journal has lost is refused. One that it
// cannot read now goes to the end of the queue, so that the others need not wait for it.
func (f *Flusher) load(ctx context.Context, w *waiting) (final record.Final, ok bool) {
	if w.final != nil {
		final = *w.final
		final.By = f.writer(w)
		return final, true
	}
	final, err := f.o.Reload(ctx, w.room)
	switch {
	case err == nil && final.Room == w.room:
		final.By = f.writer(w)
		return final, true
	case err == nil || errors.Is(err, record.ErrNotFound):
		f.finish(w, record.Final{Room: w.room, Hash: w.hash}, Verdict{Unwritable, "the journal no longer has the room's log"})
	default:
		w.tries++
		f.retries.Add(1)
		if powerOfTwo(w.tries) {
			f.o.Log.Warn("a result cannot be read from the journal now", "room", w.room, "failures", w.tries, "error", err)
		}
		f.queue.putBack(w)
	}
	return record.Final{}, false
}

// write tries until the store has answered. It returns nil when ctx has ended.
func (f *Flusher) write(ctx context.Context, finals []record.Final) []Verdict {
	for retry := f.o.Retry; ; {
		limited, cancel := context.WithTimeout(ctx, f.o.Timeout)
		verdicts, err := f.store.WriteResults(limited, finals)
		cancel()
		f.tried(err)
		if err == nil {
			return verdicts
		}
		if !clock.Sleep(ctx, nil, retry.Next()) {
			return nil
		}
	}
}

// tried counts and logs the outcome of a try to write.
func (f *Flusher) tried(err error) {
	waiting := f.Stats().Waiting
	if err == nil {
		if f.failing > 0 {
			f.o.Log.Info("the store takes results again", "failures", f.failing, "waiting", waiting)
		}
		f.failing = 0
		return
	}
	f.failing++
	f.retries.Add(1)
	if powerOfTwo(f.failing) {
		f.o.Log.Warn("results wait for the store", "failures", f.failing, "waiting", waiting, "error", err)
	}
}

// powerOfTwo reports whether failure n is logged: the first, second, fourth, eighth and so on, so that a long absence logs little.
func powerOfTwo(n int) bool { return n&(n-1) == 0 }

// finish removes a room. Pending is true until done has returned.
func (f *Flusher) finish(w *waiting, final record.Final, v Verdict) {
	f.counts[v.Outcome].Add(1)
	switch {
	case v.Outcome == Moved:
		f.o.Log.Warn("a result is not written: another node may serve the room and write it", "room", w.room, "game", final.Game, "reason", v.Reason)
	case !v.Outcome.Stored():
		f.o.Log.Error("a result was refused by the store and its log is kept", "outcome", v.Outcome.String(),
			"room", w.room, "game", final.Game, "reason", v.Reason)
	}
	f.mu.Lock()
	done := w.done
	delete(f.pending, w.room)
	f.memory -= w.size
	f.mu.Unlock()
	if done != nil {
		done(v)
	}
}

// writer is the owner that offered a final last.
func (f *Flusher) writer(w *waiting) record.Writer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return w.by
}
