package actor

import (
	"context"
	"iter"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// What the rooms of a node need from the outside. cmd/roomring joins these to what persist has.

// Journal keeps the logs of the node's rooms whose durability is not memory. All methods may be called
// from any goroutine.
type Journal interface {
	// Create makes a room's header durable, owned at the epoch. It may wait for the disk.
	Create(ctx context.Context, h room.Header, epoch room.Epoch) error
	// Append hands over the next batch of a room's log, and sometimes a snapshot at or before its end;
	// a batch whose Last is 0 only brings the snapshot. It does not block. When it returns an error nothing was
	// taken and done is never called; else done is called once, from any goroutine, and must be quick:
	// with nil when all of it is durable. A room has several under way, in order, and they are answered in order: what comes
	// behind one that has failed, and goes on where that ends, is refused or fails too. After an error the room hands in the
	// same again when Failing is nil, unless the error is a room.ErrPermanent: then the room is held until the next start.
	Append(b room.Batch, snap *room.Snapshot, done func(error)) error
	// SetClock says that the room's time is Options.Clock minus offset from now on, so that the
	// journal's marks of that clock tell every room's time. It does not block.
	SetClock(id room.ID, offset time.Duration) error
	// Rooms goes through the rooms it holds, at a start. An error beside a Kept with an ID in its Header is
	// that room's alone; one without ends the iteration.
	Rooms(ctx context.Context) iter.Seq2[room.Kept, error]
	// Load reads one of those rooms as far as it is durable. An error that is room.ErrDamaged says that this will
	// never be possible.
	Load(ctx context.Context, id room.ID) (room.Kept, error)
	// Import takes in a room from elsewhere and returns when all of it is durable. What the journal has set aside of
	// that room stays; an earlier Import to which nothing was appended is replaced.
	Import(ctx context.Context, kept room.Kept) error
	// Claimed notes the epoch that a room was claimed at.
	Claimed(ctx context.Context, id room.ID, epoch room.Epoch) error
	// Remove forgets a room whose result is stored, or that lives elsewhere.
	Remove(ctx context.Context, id room.ID) error
	// SetAside keeps a room's log but never loads it again; why is for the operator.
	SetAside(ctx context.Context, id room.ID, why string) error
	// Failing is nil while the journal works, else why it does not: a full disk, an I/O error.
	Failing() error
}

// BlackBox survives the process: it knows which room was doing what when a process died, even by a
// stack overflow or for lack of memory. Begin is called before every step, and whenever else the game is called,
// Release after it.
type BlackBox interface {
	// Begin notes that a room is about to step the input with this fingerprint.
	Begin(id room.ID, fingerprint uint64) Step
	// BeginOpen notes that a game is about to open a new room, of which the journal knows nothing yet; "" when it
	// is opened only to see what it makes of options.
	BeginOpen(id room.ID, game string) Step
	// BeginReplay notes that a room is about to be brought back.
	BeginReplay(id room.ID) Step
	// BeginRerun notes that a game is about to run the log of a room again that is not to be brought back by it: one that is
	// watched as a replay, or a copy that may go on as another room.
	BeginRerun(id room.ID, game string) Step
	// Suspected reports whether a process has died in a room and nothing has cleared it since.
	Suspected(id room.ID) bool
	// Poisoned reports why a room must not be brought back again: processes died at the same place in it.
	Poisoned(id room.ID) (why string, poisoned bool)
}

// Step is a step under way.
type Step interface{ Release() }

// Rows are the rooms' rows in the store.
type Rows interface {
	// Create writes a new room's row. An error means that the store is away; the directory tries again.
	Create(ctx context.Context, row room.Row) error
	// Claim moves rows to new epochs. The answers are in the order of the claims. An error means that the
	// store is away and says nothing about any of them. A claim is granted when the row stands at
	// Claim.From in this journal's folder; also when an earlier boot of this very journal was granted a later
	// epoch and died before it wrote an entry; also when the row was never written.
	Claim(ctx context.Context, claims []Claim) ([]Claimed, error)
}

// Claim asks for a room's row. Row.Epoch is the epoch wished for, From the one that the journal ends at.
type Claim struct {
	Row  room.Row
	From room.Epoch
}

// Claimed answers a Claim.
type Claimed struct {
	Outcome ClaimOutcome
	Epoch   room.Epoch // granted; at least the one wished for
}

// ClaimOutcome says whose a room is.
type ClaimOutcome uint8

// The outcomes of a Claim.
const (
	ClaimGranted ClaimOutcome = iota // ours, at Claimed.Epoch
	ClaimMoved                       // somebody else has taken the room on: it is never served from this journal
	ClaimOver                        // its result is stored
)

// Results takes the ends of rooms to the store.
type Results interface {
	// Add queues a room's end and calls stored when the store has it, however long that takes. It does not
	// block. Adding the same end again is harmless.
	Add(f room.Final, stored func())
}

// Metrics are called as things happen, from many goroutines. They must not block; nil ones are left out.
type Metrics struct {
	Rooms       func(game string, delta int)
	Sessions    func(game string, delta int)
	Remote      func(game string, delta int) // of Sessions, those whose socket another node has
	Inputs      func(game string, kind room.Kind)
	Sent        func(game string, messages int)        // handed to outboxes: one turn to 50 sessions is 50
	StepTime    func(game string, d time.Duration)     // of one Step, encoding of views included
	CommitDelay func(d time.Duration)                  // from the first step of a batch to its commit
	LostEvents  func(game string, events uint64)       // told to a reader that had fallen behind, with its whole view
	LateTicks   func(game string, n uint64)            // left out because the room was late
	Closed      func(game string, code wire.CloseCode) // sessions ended by the room
	Ended       func(game string, end room.End)
	Panics      func(game string)
	SlowSteps   func(game string)
}
