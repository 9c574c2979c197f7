package record

import (
	"errors"

	"github.com/roomring/roomring/room"
)

// Errors of stores and journals. They are definite: a retry gives the same error.
var (
	// ErrNotFound means that the store has no such thing.
	ErrNotFound = errors.New("not in the store")
	// ErrMovedOn means that somebody else has changed the row since it was read.
	ErrMovedOn = errors.New("the room's row has moved on: another owner may serve the room")
)

// RowState is the state of a room's row in the store.
type RowState string

// The states of a row.
const (
	RowLive     RowState = "live"     // the boot that the row names serves the room
	RowReleased RowState = "released" // the last boot has released the room; the row holds the checkpoint
	RowOver     RowState = "over"     // the room is over; the result is stored in the same transaction
)

// Row is the row of a room in the store. Each room has one. Owner and standby are the room's members, named by their data
// folders. Every change takes a higher epoch, so that an epoch and a state name one version of the row.
type Row struct {
	Room    room.ID
	Game    string
	Epoch   Epoch
	State   RowState
	Boot    BootID // the process that wrote the row last; of a live room it is the owner's
	Folder  string // id of the owner's data folder, whose journal has the room; "" when the room is released
	Standby string // id of the standby's data folder, whose journal has the room too; "" if there is none, or the room is not live
	Code    string // join code of a private room
	Private bool
	Nonce   string // nonce of the last write: a writer that lost the answer recognises its own write by it
	Strike  Strike // what may kill whoever goes on with the room
}

// Strike is a step of a room in which processes have died. A room is ended, and nothing of it is stepped, when there were too many.
type Strike struct {
	Fingerprint uint64 // of the input, see core.Input
	Deaths      int    // 0: none is known of
}

// Claim moves a room's row by compare-and-set to live under the writer's boot. Its members say which change it is: the owner
// dismisses, recruits, resumes or raises the epoch, its standby seizes or takes the room, anybody claims a released one.
type Claim struct {
	Room room.ID
	// The row must match all three, or the error is ErrMovedOn.
	FromEpoch  Epoch
	FromFolder string // the owner's; compared only if FromState is RowLive, because a released room is in no folder
	FromState  RowState
	// The row then becomes RowLive with these values.
	Epoch   Epoch   // greater than FromEpoch
	Folder  string  // the writer's own
	Standby string  // "" means none
	Strike  *Strike // nil: it stays
	Nonce   string
}

// Release gives a live room of the writer's boot into the store, without an owner and a standby.
type Release struct {
	Room      room.ID
	FromEpoch Epoch // the row's
	// Epoch is the row's afterwards. It should be greater than FromEpoch, and must not be smaller: owners that give up a
	// room at its own epoch are still accepted.
	Epoch      Epoch
	Strike     *Strike // the row's afterwards; nil: it stays
	Nonce      string
	Checkpoint Checkpoint
}

// Checkpoint is enough to restore a room without its journal.
type Checkpoint struct {
	Point Point  // the last input that the checkpoint includes
	Data  []byte // opaque to the store
}

// RowResult is the outcome of writing one row.
type RowResult struct {
	Row Row   // the row as it is now; the zero Row if there is none
	Err error // nil if the write succeeded, else ErrMovedOn or ErrNotFound
}
