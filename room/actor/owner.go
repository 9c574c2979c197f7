package actor

import (
	"context"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Owner knows who has a room. Whatever begins or ends a room's life on this node goes through it: it has the directory
// start and stop rooms, and hears what becomes of them. Its methods may be called from any goroutine.
type Owner interface {
	// Make has the header of a new room kept, and its row written unless the store is away, and then calls begin, which
	// lets the room run. When it returns nil, begin has been called; else it never will be. It waits for the disk, until ctx ends.
	Make(ctx context.Context, h record.Header, begin func()) error
	// Ended has a room's committed end stored, and calls settled once, when it is, or never will be. It does not block.
	Ended(f record.Final, settled func())
	// Gone hears that a room which is over has left memory, so that nothing need be kept of it. It does not block.
	Gone(id room.ID)
	// Lost hears that a room can never be saved as it is and has left memory: it goes on at the next start. It does not block.
	Lost(id room.ID, why string)
	// Arrived waits while a room is on its way to this node.
	Arrived(ctx context.Context, id room.ID) error
	// Absent answers for a room that is not in memory: ErrNotFound, a *HeldError when it is kept and cannot be run,
	// ErrUnreachable while it comes or goes.
	Absent(id room.ID) error
}

// Departure is what is left to know of a room that has stopped, all it has said being safe.
type Departure struct {
	Time time.Duration // its time
	Last room.Index    // committed
	Over bool
}

// Held is a room that this node keeps but cannot run.
type Held struct {
	ID   room.ID `json:"room"`
	Game string  `json:"game"`
	Why  string  `json:"why"` // names the version that is needed, the input that these rules make something else of, or what the journal does not take

	// Released says that it lies in the store, not in this node's journal: another node may serve it, and this one does
	// not answer for it.
	Released bool `json:"-"`
}

// HeldError answers for a held room. It is an ErrUnreachable.
type HeldError struct{ Held }

func (e *HeldError) Error() string { return "the room is kept but cannot be served now: " + e.Why }

// Is makes errors.Is(err, ErrUnreachable) true.
func (e *HeldError) Is(target error) bool { return target == ErrUnreachable }

// Aside is a copy of a room that a node has set aside: it is kept and never served.
type Aside struct {
	Node   string     `json:"node"`
	Key    int64      `json:"key"` // names the copy at its node: a room may be set aside more than once
	Room   room.ID    `json:"room"`
	Reason string     `json:"reason"`
	At     time.Time  `json:"at"`
	Index  room.Index `json:"index"` // the end of its log
	Bytes  int64      `json:"bytes"` // of its log and snapshots
}

// Alone owns the rooms of a directory that keeps them in memory alone, for programs that embed one: nobody else can have
// them.
type Alone struct {
	Store func(f record.Final, settled func()) // takes ends; nil: nobody does
}

// Make lets a room run at once.
func (Alone) Make(_ context.Context, _ record.Header, begin func()) error {
	begin()
	return nil
}

// Ended hands an end to Store.
func (a Alone) Ended(f record.Final, settled func()) {
	if a.Store == nil {
		settled()
		return
	}
	a.Store(f, settled)
}

// Gone has nothing to do.
func (Alone) Gone(room.ID) {}

// Lost has nothing to do.
func (Alone) Lost(room.ID, string) {}

// Arrived waits for nothing.
func (Alone) Arrived(context.Context, room.ID) error { return nil }

// Absent is ErrNotFound.
func (Alone) Absent(room.ID) error { return ErrNotFound }
