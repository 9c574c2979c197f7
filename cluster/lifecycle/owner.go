package lifecycle

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Journal keeps the logs of this node's rooms. Its methods wait for the disk.
type Journal interface {
	// Create makes a room's header durable, owned at the epoch.
	Create(ctx context.Context, h record.Header, epoch record.Epoch) error
	// Rooms goes through the rooms it holds, at a start. An error beside a Kept with an ID in its Header concerns that room alone.
	// Any other error ends the iteration.
	Rooms(ctx context.Context) iter.Seq2[record.Kept, error]
	// Load reads a room as far as it is durable. An error that is record.ErrDamaged says that this will never be possible.
	Load(ctx context.Context, id room.ID) (record.Kept, error)
	// Import takes in a room from elsewhere and returns when all of it is durable. What the journal has set aside of
	// that room stays. An earlier Import is replaced if nothing was appended to it.
	Import(ctx context.Context, kept record.Kept) error
	// Claimed notes the epoch that a room is claimed at.
	Claimed(ctx context.Context, id room.ID, epoch record.Epoch) error
	// Remove forgets a room. It is no error if there is none.
	Remove(ctx context.Context, id room.ID) error
	// SetAside keeps a room's log but never loads it again; why is for the operator. It is no error if there is none.
	SetAside(ctx context.Context, id room.ID, why string) error
}

// Store has the rooms' rows. An error of a call says that the store is away and nothing about any row; record.ErrNotFound says for
// certain that there is no such thing. A persist.Store is one.
type Store interface {
	// CreateRows writes first rows, live under the boot.
	CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) ([]record.RowResult, error)
	// ClaimRows moves rows by compare-and-set to live under the boot.
	ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) ([]record.RowResult, error)
	// ReleaseRow makes a live row of the boot released, with what is needed to go on. An error that is record.ErrPermanent says that
	// the store never takes that.
	ReleaseRow(ctx context.Context, boot record.BootID, release record.Release) (record.RowResult, error)
	// Checkpoint is what a released row holds.
	Checkpoint(ctx context.Context, id room.ID) (record.Checkpoint, error)
	Row(ctx context.Context, id room.ID) (record.Row, error)
	// Result is how a room has ended.
	Result(ctx context.Context, id room.ID) (record.StoredResult, error)
}

// Rooms are those in this node's memory: an actor.Directory.
type Rooms interface {
	CanRun(kept record.Kept) (lacks string)
	Suspected(id room.ID) bool
	Revive(kept record.Kept) actor.Revival
	Resume(v actor.Revival, e record.Epoch)
	Stop(id room.ID, stopped func(actor.Stopped))
	GoesOn(kept record.Kept) error
	NewID(h record.Header) record.Header
	Drain()
	Creating() bool
}

// OwnerOptions make an Owner. Self is needed.
type OwnerOptions struct {
	Self    ownership.Self
	Journal Journal // nil: rooms are kept in memory alone
	Store   Store   // nil: there are no rows
	// StoreEnd queues a room's end and calls done once, when the store has it or will never take it; refused says why. After an
	// error it was not queued. It does not block. Nil: ends go nowhere.
	StoreEnd func(f record.Final, done func(refused string)) error
	Clock    clock.Clock
	Fail     func(error)  // the node must stop; it must not block. Nil: nothing happens
	Log      *slog.Logger // nil: discarded

	Timeout     time.Duration // of one try of the store; 0 means 15 s
	Batch       int           // rows of one write of the store; 0 means 500
	Restoring   int           // rooms on their way from the journal at a time, at a start; 0 means 1,024
	Releases    int           // rooms on their way out of this node at a time; 0 means 16
	ReleaseWait time.Duration // how long one that does not get out keeps its place among them; 0 means 1 s
	Processors  int           // rooms that are run again at a time; 0 means GOMAXPROCS
}

// Owner is the owner of a node's rooms: the loop of their machines, and its real ports. It is an actor.Owner. Close ends
// it. Its methods may be called from any goroutine.
type Owner struct {
	o     OwnerOptions
	loop  *Loop
	rooms Rooms
	tell  func(id room.ID)

	rows   batcher[write[record.Row]]
	claims batcher[write[record.Claim]]

	replays   sync.RWMutex  // a suspected room is run alone
	slots     chan struct{} // one for each that runs
	starting  chan error    // holds the first failure of a start; nil: no start is under way
	startLock sync.Mutex

	claimed, released atomic.Uint64

	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// NewOwner makes an owner without rooms. Serve gives it the directory whose rooms it owns.
func NewOwner(o OwnerOptions) *Owner {
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	o.Batch = cmp.Or(o.Batch, 500)
	o.Restoring = cmp.Or(o.Restoring, 1024)
	o.Releases = cmp.Or(o.Releases, 16)
	o.ReleaseWait = cmp.Or(o.ReleaseWait, time.Second)
	o.Processors = processors(o.Processors)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Owner{o: o, tell: func(room.ID) {}, slots: make(chan struct{}, o.Processors)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.loop = New(Options{Self: o.Self, Ports: w, Fail: o.Fail, Log: o.Log})
	if o.Store != nil {
		w.rows = batcher[write[record.Row]]{most: o.Batch, spawn: w.spawn, work: rowWriter(w, o.Store.CreateRows)}
		w.claims = batcher[write[record.Claim]]{most: o.Batch, spawn: w.spawn, work: rowWriter(w, o.Store.ClaimRows)}
	}
	return w
}

// Serve says whose rooms are owned. Call it before everything else.
func (w *Owner) Serve(rooms Rooms) { w.rooms = rooms }

// OnRelease has f called with every room that was released. Call it before everything else. F must not block.
func (w *Owner) OnRelease(f func(id room.ID)) { w.tell = f }

// Close ends what is under way and waits for it. The next start settles what it leaves open.
func (w *Owner) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	w.wg.Wait()
}

// spawn runs f beside everything else; false after Close.
func (w *Owner) spawn(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.wg.Go(f)
	}
	return !w.closed
}

// Make implements actor.Owner.
func (w *Owner) Make(ctx context.Context, h record.Header, begin func()) error {
	memory := h.Durability == room.Memory
	err := w.loop.await(context.Background(), h.ID, ownership.Event{Kind: ownership.Made, Memory: memory}, func(r *Room) {
		r.Header, r.ctx, r.begin = h, ctx, begin
	})
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case errors.Is(err, ErrDraining):
		return actor.ErrDraining
	}
	w.o.Log.Error("a new room could not be saved", "room", h.ID, "err", err)
	return actor.ErrUnreachable
}

// Ended implements actor.Owner.
func (w *Owner) Ended(f record.Final, settled func()) {
	w.loop.Deliver(f.Room, ownership.Event{Kind: ownership.Ended}, func(r *Room) { r.Final, r.settled = &f, settled })
}

// Gone implements actor.Owner.
func (w *Owner) Gone(id room.ID) { w.loop.Deliver(id, ownership.Event{Kind: ownership.Gone}, nil) }

// Lost implements actor.Owner.
func (w *Owner) Lost(id room.ID, why string) {
	w.loop.Deliver(id, ownership.Event{Kind: ownership.Lost, Why: why}, nil)
}

// Arrived implements actor.Owner.
func (w *Owner) Arrived(ctx context.Context, id room.ID) error { return w.loop.Arrived(ctx, id) }

// Absent implements actor.Owner.
func (w *Owner) Absent(id room.ID) error {
	state, held := w.loop.State(id)
	switch state {
	case ownership.Absent, ownership.Ending:
		return actor.ErrNotFound
	case ownership.Releasing:
		return actor.ErrLeaving
	case ownership.Held:
		if held.Released {
			return actor.ErrNotFound
		}
		return w.told(id, &held)
	}
	return actor.ErrComing
}

// Held are the rooms that this node keeps and cannot run.
func (w *Owner) Held() (all []actor.Held) {
	w.loop.Held(func(r *Room, held ownership.HeldError) {
		all = append(all, actor.Held{ID: r.ID, Game: r.Header.Game, Why: held.Why, Released: held.Released})
	})
	return all
}

// RowsWaiting is how many new rooms have no row in the store yet.
func (w *Owner) RowsWaiting() int { return w.rows.depth() }

// Want takes on a room that lies in the store. Concurrent calls share one adoption, which goes on when ctx ends. Errors:
// record.ErrMovedOn when another node was first, record.ErrNotFound, actor.ErrDraining, a *actor.HeldError when this program
// cannot run it, actor.ErrUnreachable, and those of journal and store.
func (w *Owner) Want(ctx context.Context, id room.ID) error {
	if w.o.Journal == nil {
		return &actor.UnreachableError{Reason: "this node keeps rooms in memory only and cannot take one on: give it a data folder"}
	}
	return w.told(id, w.loop.Await(ctx, id, ownership.Event{Kind: ownership.Wanted}, nil))
}

// PutOff has sweeps leave a room alone for a while.
func (w *Owner) PutOff(id room.ID, wait time.Duration) {
	w.loop.mu.Lock()
	defer w.loop.mu.Unlock()
	w.loop.room(id).again = w.o.Clock.Now() + wait
}

// Due reports whether a sweep may want a room now.
func (w *Owner) Due(id room.ID) bool {
	w.loop.mu.Lock()
	defer w.loop.mu.Unlock()
	r := w.loop.rooms[id]
	if r == nil {
		return !w.loop.draining
	}
	return !w.loop.draining && w.o.Clock.Now() >= r.again
}

// AllDue lets sweeps want all rooms again.
func (w *Owner) AllDue() {
	w.loop.mu.Lock()
	defer w.loop.mu.Unlock()
	for _, r := range w.loop.rooms {
		if r.again != 0 {
			r.again = 0
			w.loop.rest(r)
		}
	}
}

// Moves are how many rooms this node has taken from the store, and how many it has given to it.
func (w *Owner) Moves() (claimed, released uint64) { return w.claimed.Load(), w.released.Load() }

// Reopen lets a log that was set aside go on here, from where it ends, as a room of another id. What the store holds of the old room
// stays as it is. The log is run again first. If that does not come to a live room, no room is made. Errors: a *room.Refusal that says why it cannot go on, and those of Want.
func (w *Owner) Reopen(ctx context.Context, kept record.Kept) (room.ID, error) {
	if err := w.given(ctx, kept.Header.ID); err != nil {
		return "", err
	}
	if err := w.rooms.GoesOn(kept); err != nil {
		return "", err
	}
	kept = renamed(kept, w.rooms.NewID(kept.Header))
	id := kept.Header.ID
	err := w.loop.Await(ctx, id, ownership.Event{Kind: ownership.Copied, Log: logOf(kept)}, func(r *Room) {
		r.Header, r.Kept = kept.Header, &kept
	})
	return id, w.told(id, err)
}

// given refuses a copy of a room that lives elsewhere, or has come to its end.
func (w *Owner) given(ctx context.Context, id room.ID) error {
	if w.o.Store == nil {
		return nil
	}
	row, err := w.o.Store.Row(ctx, id)
	state, _ := w.loop.State(id)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return nil
	case err != nil:
		return &actor.UnreachableError{Reason: "the store does not say what has become of it"}
	case row.State == record.RowLive && row.Folder == w.o.Self.Folder && state == ownership.Absent:
		return nil // the store did not take its end
	case row.State != record.RowOver:
		return room.Refuse("lives", "the room lives on: this copy is an older one")
	}
	result, err := w.o.Store.Result(ctx, id)
	switch {
	case errors.Is(err, record.ErrNotFound): // it was given up with its node
		return nil
	case err != nil:
		return &actor.UnreachableError{Reason: "the store does not say how it has ended"}
	case result.End != record.Aborted:
		return room.Refuse("over", fmt.Sprintf("the room is over (%s), and its result is stored", result.End))
	}
	return nil
}

// renamed is a kept room under another header.
func renamed(kept record.Kept, h record.Header) record.Kept {
	out := kept
	out.Header, out.Batches, out.Snapshots = h, nil, nil
	for _, b := range kept.Batches {
		b.Room = h.ID
		out.Batches = append(out.Batches, b)
	}
	for _, s := range kept.Snapshots {
		s.Room = h.ID
		out.Snapshots = append(out.Snapshots, s)
	}
	return out
}

// told turns a machine's error into one of those that callers of an Owner know.
func (w *Owner) told(id room.ID, err error) error {
	if held, ok := errors.AsType[*ownership.HeldError](err); ok {
		return &actor.HeldError{Held: actor.Held{ID: id, Game: w.game(id), Why: held.Why, Released: held.Released}}
	}
	switch {
	case errors.Is(err, ErrDraining):
		return actor.ErrDraining
	case errors.Is(err, record.ErrMovedOn), errors.Is(err, ownership.ErrOver):
		return record.ErrMovedOn
	case errors.Is(err, ownership.ErrLeaving):
		return actor.ErrLeaving
	case errors.Is(err, ownership.ErrDead):
		return &actor.UnreachableError{Reason: err.Error()}
	}
	return err
}

func (w *Owner) game(id room.ID) string {
	w.loop.mu.Lock()
	defer w.loop.mu.Unlock()
	if r := w.loop.rooms[id]; r != nil {
		return r.Header.Game
	}
	return ""
}

// ForgetReleased forgets the rooms in Held that lie in the store, except those for which still reports true.
func (w *Owner) ForgetReleased(still func(room.ID) bool) {
	var gone []room.ID
	w.loop.Held(func(r *Room, held ownership.HeldError) {
		if held.Released && !still(r.ID) {
			gone = append(gone, r.ID)
		}
	})
	for _, id := range gone {
		w.loop.Deliver(id, ownership.Event{Kind: ownership.Forgot}, nil)
	}
}

// row is a room's row, served by this boot.
func (w *Owner) row(r *Room, e record.Epoch) record.Row {
	h := r.Header
	return record.Row{
		Room: h.ID, Game: h.Game, Epoch: e, State: record.RowLive, Boot: w.o.Self.Boot, Folder: w.o.Self.Folder,
		Code: h.Code, Private: h.Private, Nonce: rand.Text(),
	}
}

func logOf(kept record.Kept) ownership.Log {
	return ownership.Log{
		Epoch: kept.Epoch, Last: kept.Last(), Cut: kept.Cut,
		Unborn: len(kept.Batches) == 0 && len(kept.Snapshots) == 0 && kept.Cut == "",
	}
}
