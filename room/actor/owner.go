package actor

import (
	"context"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Owner knows who has a room. It decides when a room's life on this node begins and ends: it has the directory start and stop
// rooms, and is told what becomes of them. Its methods may be called from any goroutine.
type Owner interface {
	// Make keeps the header of a new room, writes its row unless the store is away, and then calls begin, which runs the
	// room. When it returns nil, begin has been called; otherwise it never will be. It waits for the disk, until ctx ends.
	Make(ctx context.Context, h record.Header, begin func()) error
	// Ended has a room's committed end stored. It calls done once, when the end is stored or never will be. It does not block.
	Ended(f record.Final, done func())
	// Gone says that a room which is over has left memory, so that nothing of it need be kept. It does not block.
	Gone(id room.ID)
	// Lost says that a room can never be saved as it is and has left memory: it goes on at its standby or at the next start. It does not block.
	Lost(id room.ID, why string)
	// Elsewhere says that somebody knows a room at a higher epoch than the one that it has here, so another node may have it. It
	// is called once a second at most for a room. It does not block.
	Elsewhere(id room.ID)
	// Arrived waits while a room is on its way to this node. Coming: the caller knows that it is to come.
	Arrived(ctx context.Context, id room.ID, coming bool) error
	// Next is the node that has a room, or is to have it, as far as this node knows from following it or giving it away; "": it does
	// not know. Heir: this node follows that one, and can take the room. It does not block.
	Next(id room.ID) (node string, heir bool)
	// Absent answers for a room that is not in memory: ErrNotFound, a *HeldError when it is kept and cannot be run,
	// ErrUnreachable while it comes or goes.
	Absent(id room.ID) error
}

// Held is a room that this node keeps but cannot run.
type Held struct {
	ID   room.ID `json:"room"`
	Game string  `json:"game"`
	Why  string  `json:"why"` // the version that is needed, the input that these rules play differently, or what the journal refuses

	// Released says that it is in the store and not in this node's journal: another node may serve it, and this node does not
	// answer for it.
	Released bool `json:"-"`
}

// HeldError is the answer for a held room. It is an ErrUnreachable.
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

// Alone is the Owner of a directory that keeps its rooms in memory alone: nobody else can have them. Programs that embed a
// directory use it.
type Alone struct {
	Store func(f record.Final, done func()) // stores ends; nil: they are not stored
}

// Make lets a room run at once.
func (Alone) Make(_ context.Context, _ record.Header, begin func()) error {
	begin()
	return nil
}

// Ended hands an end to Store.
func (a Alone) Ended(f record.Final, done func()) {
	if a.Store == nil {
		done()
		return
	}
	a.Store(f, done)
}

// Gone has nothing to do.
func (Alone) Gone(room.ID) {}

// Lost has nothing to do.
func (Alone) Lost(room.ID, string) {}

// Elsewhere has nothing to do.
func (Alone) Elsewhere(room.ID) {}

// Arrived waits for nothing.
func (Alone) Arrived(context.Context, room.ID, bool) error { return nil }

// Next knows nobody.
func (Alone) Next(room.ID) (node string, heir bool) { return "", false }

// Absent is ErrNotFound.
func (Alone) Absent(room.ID) error { return ErrNotFound }
