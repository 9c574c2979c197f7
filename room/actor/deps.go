package actor

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// What the rooms of a node need from the outside. cmd/roomring joins these to what persist has.

// Journal takes the logs of the node's rooms whose durability is not memory. All methods may be called
// from any goroutine.
type Journal interface {
	// Append hands over the next batch of a room's log, and sometimes a snapshot at or before its end;
	// a batch whose Last is 0 only brings the snapshot. It does not block. When it returns an error nothing was
	// taken and done is never called; else done is called once, from any goroutine, and must be quick:
	// with nil when all of it is durable. A room has several under way, in order, and they are answered in order: what comes
	// behind one that has failed, and goes on where that ends, is refused or fails too. After an error the room hands in the
	// same again when Failing is nil, unless the error is a room.ErrPermanent: then the room is held until the next start.
	Append(b record.Batch, snap *record.Snapshot, done func(error)) error
	// SetClock says that the room's time is Options.Clock minus offset from now on, so that the
	// journal's marks of that clock tell every room's time. It does not block.
	SetClock(id room.ID, offset time.Duration) error
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

// Metrics are called as things happen, from many goroutines. They must not block; nil ones are left out.
type Metrics struct {
	Rooms       func(game string, delta int)
	Sessions    func(game string, delta int)
	Remote      func(game string, delta int) // of Sessions, those whose socket another node has
	Inputs      func(game string, kind core.Kind)
	Sent        func(game string, messages int)        // handed to outboxes: one turn to 50 sessions is 50
	StepTime    func(game string, d time.Duration)     // of one Step, encoding of views included
	CommitDelay func(d time.Duration)                  // from the first step of a batch to its commit
	LostEvents  func(game string, events uint64)       // told to a reader that had fallen behind, with its whole view
	LateTicks   func(game string, n uint64)            // left out because the room was late
	Closed      func(game string, code wire.CloseCode) // sessions ended by the room
	Ended       func(game string, end record.End)
	Panics      func(game string)
	SlowSteps   func(game string)
}
