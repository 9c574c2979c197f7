package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
)

// RowCreator is the part of Rows that a Registrar needs.
type RowCreator interface {
	CreateRows(ctx context.Context, boot room.BootID, rows []room.Row) ([]RowResult, error)
}

// RegistrarOptions are the named bounds of a Registrar. The zero value is fit for use.
type RegistrarOptions struct {
	// Patience is how long Create waits for the store before it leaves the row to the background. 0 means 500 ms.
	Patience time.Duration
	// Batch is the most rows in one transaction. 0 means 200.
	Batch int
	// Queue is the most rows that wait; at the bound Create refuses with ErrFull, so that no
	// more rooms are made that nobody else may know of. 0 means 16,384.
	Queue int
	// Timeout bounds one try to write a batch. 0 means 5 s.
	Timeout time.Duration
	// Retry is the wait between tries. Its zero value is 20 ms doubling up to 2 s, fully jittered.
	Retry Backoff
	// Log hears of an absent store as warnings. Nil discards.
	Log *slog.Logger
	// Refused hears of a row left to the background that can never be written: ErrMovedOn with the row present
	// (another has the room) or ErrBootDead (this process is fenced). The room must be set aside. It
	// is called by the Registrar's goroutine.
	Refused func(row room.Row, result RowResult)
}

// Registrar writes the first row of each new room: at once when the store answers, else in order as soon as it is
// back. Until then Waiting is true of the room, and it is neither released nor claimed.
//
// One goroutine, started by NewRegistrar and ended by Close, does all writing.
type Registrar struct {
	store RowCreator
	boot  room.BootID
	o     RegistrarOptions
	queue *queue[*newRow]
	end   context.CancelFunc
	done  chan struct{}

	mu      sync.Mutex
	waiting map[room.ID]bool
}

// newRow is a row on its way.
type newRow struct {
	row  room.Row
	fate chan error // holds the result, unless left
	left bool       // Create no longer waits; under Registrar.mu
}

// NewRegistrar starts a registrar for the rooms of a boot. Close ends it.
func NewRegistrar(store RowCreator, boot room.BootID, o RegistrarOptions) *Registrar {
	o.Patience = orDefault(o.Patience, 500*time.Millisecond)
	o.Batch = orDefault(o.Batch, 200)
	o.Queue = orDefault(o.Queue, 1<<14)
	o.Timeout = orDefault(o.Timeout, 5*time.Second)
	o.Log = orDiscard(o.Log)
	ctx, cancel := context.WithCancel(context.Background())
	r := &Registrar{store: store, boot: boot, o: o, queue: newQueue[*newRow](o.Queue), end: cancel,
		done: make(chan struct{}), waiting: map[room.ID]bool{}}
	go r.run(ctx)
	return r
}

// Create writes a row, its Nonce drawn by the caller. It waits for the store for at most Patience or until ctx ends:
// written is true if the row is there, false if the background goes on trying. With an error the row will not be
// written: ErrFull, ErrClosed, ErrBootDead, ErrMovedOn.
func (r *Registrar) Create(ctx context.Context, row room.Row) (written bool, err error) {
	n := &newRow{row: row, fate: make(chan error, 1)}
	if err := r.enter(n); err != nil {
		return false, err
	}
	patience := time.NewTimer(r.o.Patience)
	defer patience.Stop()
	select {
	case err := <-n.fate:
		return err == nil, err
	case <-patience.C:
	case <-ctx.Done():
	}
	return r.leave(n)
}

// leave leaves a row to the background, unless its fate has just come.
func (r *Registrar) leave(n *newRow) (written bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case err := <-n.fate:
		return err == nil, err
	default:
		n.left = true
		return false, nil
	}
}

// enter queues a row. Waiting is true of it before the goroutine can see it.
func (r *Registrar) enter(n *newRow) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.queue.put(n); err != nil {
		return err
	}
	r.waiting[n.row.Room] = true
	return nil
}

// Waiting reports whether a room's first row is not yet in the store.
func (r *Registrar) Waiting(id room.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting[id]
}

// Depth is how many rows wait.
func (r *Registrar) Depth() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// Close takes nothing more, writes what waits, and ends. When ctx ends first it gives up; the error then
// says how many rooms have no row, which the next start must create from their journals.
func (r *Registrar) Close(ctx context.Context) error {
	r.queue.close()
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	r.end()
	<-r.done
	if n := r.Depth(); n > 0 {
		return fmt.Errorf("%d rooms have no row in the store yet; the next start writes them", n)
	}
	return nil
}

func (r *Registrar) run(ctx context.Context) {
	defer close(r.done)
	defer r.end()
	for {
		batch := r.queue.take(ctx, r.o.Batch, 0)
		if len(batch) == 0 {
			return
		}
		r.write(ctx, batch)
	}
}

func (r *Registrar) write(ctx context.Context, batch []*newRow) {
	rows := make([]room.Row, len(batch))
	for i, n := range batch {
		rows[i] = n.row
	}
	var results []RowResult
	failures := 0
	err := untilDone(ctx, r.o.Retry, func() (err error) {
		limited, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		results, err = r.store.CreateRows(limited, r.boot, rows)
		if err != nil && !errors.Is(err, ErrBootDead) {
			if failures++; powerOfTwo(failures) {
				r.o.Log.Warn("new rooms wait for their row in the store", "rooms", r.Depth(), "failures", failures, "error", err)
			}
		}
		return err
	}, ErrBootDead)
	for i, n := range batch {
		switch {
		case err == nil:
			r.finish(n, results[i])
		case errors.Is(err, ErrBootDead):
			r.finish(n, RowResult{Err: ErrBootDead})
		}
	}
}

// finish tells whoever waits for a row, or Refused. A row that is over is as it should be: the
// room ended, and its result came, before its first row did.
func (r *Registrar) finish(n *newRow, result RowResult) {
	if result.Row.State == room.RowOver {
		result.Err = nil
	}
	if left := r.settle(n, result.Err); left && result.Err != nil {
		r.refuse(n, result)
	}
}

func (r *Registrar) settle(n *newRow, fate error) (left bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, n.row.Room)
	if !n.left {
		n.fate <- fate
	}
	return n.left
}

func (r *Registrar) refuse(n *newRow, result RowResult) {
	r.o.Log.Error("a room's row was refused by the store", "room", n.row.Room, "error", result.Err)
	if r.o.Refused != nil {
		r.o.Refused(n.row, result)
	}
}
