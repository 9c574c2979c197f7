package actor

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// BlackBox survives the process: it knows which room was doing what when a process died, even by a
// stack overflow or for lack of memory. Begin is called before every step and every other call of the game, and
// Step.Release after it.
type BlackBox interface {
	// Begin notes that a room is about to step the input with this fingerprint.
	Begin(id room.ID, fingerprint uint64) Step
	// BeginOpen notes that a game is about to open a new room, of which the journal knows nothing yet; "" when it
	// is opened only to see what it makes of options.
	BeginOpen(id room.ID, game string) Step
	// BeginReplay notes that a room is about to be brought back.
	BeginReplay(id room.ID) Step
	// BeginRerun notes that a game is about to run a room's log again without bringing the room back: for a replay that
	// is watched, or for a copy that may go on as another room.
	BeginRerun(id room.ID, game string) Step
	// Suspected reports whether a process has died in a room and nothing has cleared it since.
	Suspected(id room.ID) bool
	// Poisoned reports why a room must not be brought back again: processes died at the same place in it.
	Poisoned(id room.ID) (why string, poisoned bool)
	// Fatal reports whether a room's log must not be run at all, because processes died in its replay.
	Fatal(id room.ID) bool
}

// Step is a step under way.
type Step interface{ Release() }

// Metrics are called as things happen, from many goroutines. They must not block; nil ones are left out.
type Metrics struct {
	Rooms       func(game string, delta int)
	Sessions    func(game string, delta int)
	Remote      func(game string, delta int) // of Sessions, those whose socket another node has
	Inputs      func(game string, kind core.Kind)
	Sent        func(game string, messages int)             // handed to outboxes: one turn to 50 sessions is 50
	StepTime    func(game string, d time.Duration)          // of one Step, encoding of views included
	CommitDelay func(kept room.Durability, d time.Duration) // from the first step of a batch to its commit
	LostEvents  func(game string, events uint64)            // told to a reader that had fallen behind, with its whole view
	LateTicks   func(game string, n uint64)                 // left out because the room was late
	Closed      func(game string, code wire.CloseCode)      // sessions ended by the room
	Ended       func(game string, end record.End)
	Panics      func(game string)
	SlowSteps   func(game string)
}
