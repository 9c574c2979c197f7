package record

import (
	"errors"

	"github.com/roomring/roomring/room"
)

// Errors of stores and journals. They are certain: trying again brings the same.
var (
	// ErrNotFound means that what was asked for is not there.
	ErrNotFound = errors.New("not in the store")
	// ErrMovedOn means that somebody else has changed it since it was read.
	ErrMovedOn = errors.New("the room's row has moved on: another owner may serve the room")
)

// RowState is the state of a room's row in the store.
type RowState string

// The states of a row.
const (
	RowLive     RowState = "live"     // the boot that the row names serves the room
	RowReleased RowState = "released" // its last boot has given the room away; the checkpoint is in the row
	RowOver     RowState = "over"     // the result is stored, in the same transaction
)

// Row is a room's one row in the store.
type Row struct {
	Room    room.ID
	Game    string
	Epoch   Epoch
	State   RowState
	Boot    BootID // the process that serves it
	Folder  string // id of the data folder whose journal has it
	Code    string // join code of a private room
	Private bool
	Nonce   string // of the last write: a writer whose answer was lost finds its own if it won
}

// Claim moves a room's row by compare-and-set.
type Claim struct {
	Room room.ID
	// What the row must be, all three.
	FromEpoch  Epoch
	FromFolder string // compared only if FromState is live: a released room is in no folder
	FromState  RowState
	// What it becomes: live under the claiming boot.
	Epoch  Epoch // greater than FromEpoch
	Folder string
	Nonce  string
}

// Release gives a room away: its boot never serves it again.
type Release struct {
	Room       room.ID
	Epoch      Epoch // the row's
	Nonce      string
	Checkpoint Checkpoint
}

// Checkpoint is enough to restore a room without its journal.
type Checkpoint struct {
	Point Point  // of the last input in it
	Data  []byte // opaque to the store
}

// RowResult is the outcome of the write of one row.
type RowResult struct {
	Row Row   // as it is now, the zero Row if there is none
	Err error // nil: the write won; ErrMovedOn or ErrNotFound
}
