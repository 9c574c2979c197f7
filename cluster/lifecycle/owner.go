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
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Journal keeps the logs of this node's rooms. Its methods block on the disk.
type Journal interface {
	// Create makes a room's header durable, owned at the epoch.
	Create(ctx context.Context, h record.Header, epoch record.Epoch) error
	// Rooms iterates over the rooms it holds, at a start. An error with a Kept that has an ID in its Header concerns that room only.
	// Any other error ends the iteration.
	Rooms(ctx context.Context) iter.Seq2[record.Kept, error]
	// Load reads a room as far as it is durable. record.ErrDamaged means that it can never be read.
	Load(ctx context.Context, id room.ID) (record.Kept, error)
	// Import stores a room from the store and returns when all of it is durable. Logs of that room that were set aside
	// stay. An earlier Import is replaced if nothing was appended to it.
	Import(ctx context.Context, kept record.Kept) error
	// Claimed notes the epoch that a room is claimed at.
	Claimed(ctx context.Context, id room.ID, epoch record.Epoch) error
	// Mark notes the highest epoch that was promised and whether the copy is whole. It does not block; done, if not nil, is called when
	// that is written.
	Mark(id room.ID, epoch record.Epoch, d record.Doubt, done func(error)) error
	// Remove forgets a room. A room that does not exist is no error.
	Remove(ctx context.Context, id room.ID) error
	// SetAside keeps a room's log but never loads it again. Why is for the operator. A room that does not exist is no error.
	SetAside(ctx context.Context, id room.ID, why string) error
}

// Store has the rooms' rows. record.ErrNotFound means that the thing does not exist. Any other error of a call means that the store
// could not be reached, and says nothing about any row. A persist.Store implements it.
type Store interface {
	// CreateRows writes first rows, live under the boot.
	CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) ([]record.RowResult, error)
	// ClaimRows moves rows by compare-and-set to live under the boot.
	ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) ([]record.RowResult, error)
	// ReleaseRow makes a live row of the boot released, with the checkpoint that the next owner needs. record.ErrPermanent means that
	// the store will never accept it.
	ReleaseRow(ctx context.Context, boot record.BootID, release record.Release) (record.RowResult, error)
	// Checkpoint returns the checkpoint of a released row.
	Checkpoint(ctx context.Context, id room.ID) (record.Checkpoint, error)
	// Rows reads rooms' rows, in the order of the ids. The zero Row: there is none.
	Rows(ctx context.Context, ids []room.ID) ([]record.Row, error)
	Row(ctx context.Context, id room.ID) (record.Row, error)
	// Result returns how a room has ended.
	Result(ctx context.Context, id room.ID) (record.StoredResult, error)
}

// Rooms are the rooms in this node's memory. An actor.Directory implements it.
type Rooms interface {
	CanRun(kept record.Kept) (lacks string)
	Suspected(id room.ID) bool
	Revive(kept record.Kept) actor.Revival
	Resume(v actor.Revival, e record.Epoch, handed bool)
	End(kept record.Kept) (record.Final, error)
	Stop(id room.ID, stopped func(actor.Stopped))
	EnterEpoch(id room.ID, e record.Epoch)
	Expel(id room.ID, left func())
	GoesOn(kept record.Kept) error
	NewID(h record.Header) record.Header
	Drain()
	Creating() bool
}

// OwnerOptions make an Owner. Self is needed.
type OwnerOptions struct {
	Self    ownership.Self
	Journal Journal // nil: rooms are kept in memory only
	Store   Store   // nil: there are no rows
	// StoreEnd queues a room's end. It calls done once: with nil when the store has the end, with record.ErrMovedOn if the room is not
	// the writer's (record.Final.By) any more, or with why the store will never accept it.
	// If it returns an error, the end was not queued. It does not block. Nil drops ends.
	StoreEnd func(f record.Final, done func(error)) error
	Black    BlackBox     // nil: no deaths are known
	Clock    clock.Clock  // nil means a new one
	Fail     func(error)  // stops the node; it must not block. Nil does nothing
	Log      *slog.Logger // nil discards

	Timeout     time.Duration // for one try of the store; 0 means 15 s
	Batch       int           // the most rows in one write to the store; 0 means 500
	Restoring   int           // the most rooms restored from the journal at once, at a start; 0 means 1,024
	Releases    int           // the most rooms being given away in a drain at once; 0 means 16
	ReleaseWait time.Duration // a room that takes longer counts towards Releases no more; 0 means 1 s
	Processors  int           // the most rooms being replayed at once; 0 means GOMAXPROCS
}

// Owner owns a node's rooms: it is the loop of their machines and the real ports. It implements actor.Owner. Close ends it. Its
// methods may be called from any goroutine.
type Owner struct {
	o     OwnerOptions
	loop  *Loop
	rooms Rooms
	tell  func(id room.ID)

	copies Replicas
	reads  batcher[write[room.ID]]
	rows   batcher[write[record.Row]]
	claims batcher[write[record.Claim]]

	replays   sync.RWMutex  // a suspected room is replayed alone
	slots     chan struct{} // one for each replay under way
	starting  chan error    // holds the first failure of a start; nil: no start is under way
	startLock sync.Mutex

	moves moves

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
	if o.Black == nil {
		o.Black = noBlackBox{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Owner{o: o, tell: func(room.ID) {}, copies: alone{}, slots: make(chan struct{}, o.Processors)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.loop = New(Options{Self: o.Self, Ports: w, Fail: o.Fail, Log: o.Log})
	if o.Store != nil {
		w.reads = batcher[write[room.ID]]{most: o.Batch, spawn: w.spawn, work: w.readRows}
		w.rows = batcher[write[record.Row]]{most: o.Batch, spawn: w.spawn, work: rowWriter(w, o.Store.CreateRows)}
		w.claims = batcher[write[record.Claim]]{most: o.Batch, spawn: w.spawn, work: rowWriter(w, o.Store.ClaimRows)}
	}
	return w
}

// Serve sets the directory whose rooms are owned. Call it before any other method.
func (w *Owner) Serve(rooms Rooms) { w.rooms = rooms }

// Replicate sets what copies rooms to other nodes. Call it before any other method but Serve. Without it no room is copied.
func (w *Owner) Replicate(r Replicas) { w.copies = r }

// OnRelease makes the owner call f with every room that was released. Call it before any other method but Serve. F must not block.
func (w *Owner) OnRelease(f func(id room.ID)) { w.tell = f }

// Close cancels what is under way and waits until it has ended. The next start completes what was left open.
func (w *Owner) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	w.wg.Wait()
}

// spawn runs f in a goroutine that Close waits for. After Close it does not run f and returns false.
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

// Elsewhere implements actor.Owner: it has the room's row read.
func (w *Owner) Elsewhere(id room.ID) {
	w.loop.Deliver(id, ownership.Event{Kind: ownership.Look}, nil)
}

// comingWait is how long those wait at most who want a room that another node still has.
const comingWait = time.Second

// Arrived implements actor.Owner.
func (w *Owner) Arrived(ctx context.Context, id room.ID, coming bool) error {
	if w.loop.arrived(id, coming) {
		return nil
	}
	limited, cancel := clock.WithTimeout(ctx, w.o.Clock, comingWait)
	defer cancel()
	if err := w.loop.Arrived(limited, id, coming); err == nil || ctx.Err() != nil {
		return err
	}
	return w.loop.Arrived(ctx, id, false)
}

// Next implements actor.Owner.
func (w *Owner) Next(id room.ID) (node string, heir bool) {
	folder, heir := w.loop.next(id)
	if folder == "" {
		return "", false
	}
	return w.copies.Node(folder), heir
}

// Absent implements actor.Owner.
func (w *Owner) Absent(id room.ID) error {
	state, held := w.loop.State(id)
	switch state {
	case ownership.Absent, ownership.Ending, ownership.Learning, ownership.Following:
		return actor.ErrNotFound
	case ownership.Releasing, ownership.Yielding:
		return actor.ErrLeaving
	case ownership.Held:
		if held.Released {
			return actor.ErrNotFound
		}
		return w.told(id, &held)
	case ownership.Asking, ownership.Seizing:
		if w.loop.tries(id) > 0 {
			return errNobodySays
		}
	}
	return actor.ErrComing
}

// errNobodySays is what players hear while the store is away that must say who may go on with a room.
var errNobodySays error = &actor.UnreachableError{Reason: "the store does not answer, which must say who may serve the room: retry"}

// Held returns the rooms that this node keeps but cannot run.
func (w *Owner) Held() (all []actor.Held) {
	w.loop.Held(func(r *Room, held ownership.HeldError) {
		all = append(all, actor.Held{ID: r.ID, Game: r.Header.Game, Why: held.Why, Released: held.Released})
	})
	return all
}

// RowsWaiting returns how many new rooms have no row in the store yet.
func (w *Owner) RowsWaiting() int { return w.rows.depth() }

// Want adopts a room from the store and blocks until it is here. Concurrent calls share one adoption, which goes on when ctx ends.
// Errors: record.ErrMovedOn when another node was first, record.ErrNotFound, actor.ErrDraining, a *actor.HeldError when this program
// cannot run it, actor.ErrUnreachable, and those of journal and store.
func (w *Owner) Want(ctx context.Context, id room.ID) error {
	if w.o.Journal == nil {
		return &actor.UnreachableError{Reason: "this node keeps rooms in memory only and cannot take one on: give it a data folder"}
	}
	return w.told(id, w.loop.Await(ctx, id, ownership.Event{Kind: ownership.Wanted}, nil))
}

// PutOff makes sweeps leave a room alone for the given time.
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
			w.loop.tidy(r)
		}
	}
}

// Reopen lets a log that was set aside go on here from its end, as a room with a new id. The old room stays as it is in the store. The
// log is replayed first, and if the room is not live at its end, no room is made. Errors: a *room.Refusal that says why the room
// cannot go on, and those of Want.
func (w *Owner) Reopen(ctx context.Context, kept record.Kept) (room.ID, error) {
	if err := w.given(ctx, kept.Header.ID); err != nil {
		return "", err
	}
	if err := w.rooms.GoesOn(kept); err != nil {
		return "", err
	}
	kept = renamed(kept, w.rooms.NewID(kept.Header))
	return kept.Header.ID, w.begin(ctx, kept)
}

// Fork lets a log go on here as a room of its own, which no room has been before. The log is replayed first, and if the room is not live at its
// end, no room is made. Errors are those of Reopen.
func (w *Owner) Fork(ctx context.Context, kept record.Kept) error {
	if err := w.rooms.GoesOn(kept); err != nil {
		return err
	}
	return w.begin(ctx, kept)
}

// begin has a log go on here under a new id.
func (w *Owner) begin(ctx context.Context, kept record.Kept) error {
	id := kept.Header.ID
	err := w.loop.Await(ctx, id, ownership.Event{Kind: ownership.Copied, Log: logOf(kept)}, func(r *Room) {
		r.Header, r.Kept = kept.Header, &kept
	})
	return w.told(id, err)
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
	case errors.Is(err, record.ErrMovedOn), errors.Is(err, ownership.ErrOver), errors.Is(err, ownership.ErrFollowed):
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

// ForgetReleased forgets the rooms in Held that are in the store, except those for which still returns true.
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

// row makes a room's first row, live under this boot.
func (w *Owner) row(r *Room, e record.Epoch) record.Row {
	h := r.Header
	return record.Row{
		Room: h.ID, Game: h.Game, Epoch: e, State: record.RowLive, Boot: w.o.Self.Boot, Folder: w.o.Self.Folder,
		Code: h.Code, Private: h.Private, Nonce: rand.Text(),
	}
}

func logOf(kept record.Kept) ownership.Log {
	return ownership.Log{
		Epoch: kept.Epoch, Last: kept.Last(), Cut: kept.Cut, Doubt: kept.Doubt,
		Unborn: len(kept.Batches) == 0 && len(kept.Snapshots) == 0 && kept.Cut == "",
		Copied: kept.Header.Durability == room.Standby,
	}
}
