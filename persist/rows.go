package persist

import (
	"context"

	"github.com/roomring/roomring/room"
)

// Rows are the rooms' rows: who serves a room. Every write but the one that ends a room requires the
// writer's boot alive (else ErrBootDead for the whole call, nothing written) and carries a nonce drawn at
// random for that write. The answer to a write is the row read back: the write won if the nonce is its own,
// so a write whose answer was lost is settled by trying the same again.
type Rows interface {
	// CreateRows writes the first rows of rooms, live under the boot whatever their State and Boot say, in one
	// transaction. Where the room has a row
	// by another write, the result's Err is ErrMovedOn; that row is over if the room's result came first.
	CreateRows(ctx context.Context, boot room.BootID, rows []room.Row) ([]RowResult, error)
	// ClaimRows moves rows to a new epoch and to the boot, in one transaction: hundreds at a start.
	// Err is ErrMovedOn where the row is no longer as the claim says, ErrNotFound where there is none.
	ClaimRows(ctx context.Context, boot room.BootID, claims []Claim) ([]RowResult, error)
	// ReleaseRow makes a live row of the boot released, with a checkpoint for whoever claims it. A checkpoint
	// never falls behind one already in the row. Err is as of ClaimRows.
	ReleaseRow(ctx context.Context, boot room.BootID, release Release) (RowResult, error)
	// Row returns a room's row, ErrNotFound if there is none: then there is no such room.
	Row(ctx context.Context, id room.ID) (room.Row, error)
	// RowByCode returns the row of a private room that is not over, the newest if codes collide; else ErrNotFound.
	RowByCode(ctx context.Context, code string) (room.Row, error)
	// ListRows returns rows by room id.
	ListRows(ctx context.Context, filter RowFilter) ([]room.Row, error)
	// Checkpoint returns the last checkpoint of a room that is not over, ErrNotFound if there is none.
	Checkpoint(ctx context.Context, id room.ID) (Checkpoint, error)
}

// RowResult is what became of one row's write.
type RowResult struct {
	Row room.Row // as it now stands, the zero Row if there is none
	Err error    // nil: the write won; ErrMovedOn or ErrNotFound
}

// Claim moves a room's row by compare-and-set.
type Claim struct {
	Room room.ID
	// What the row must be, all three.
	FromEpoch  room.Epoch
	FromFolder string // compared only if FromState is live: a released room is in no folder
	FromState  room.RowState
	// What it becomes: live under the claiming boot.
	Epoch  room.Epoch // greater than FromEpoch
	Folder string
	Nonce  string
}

// Release ends a boot's hold of a room for good.
type Release struct {
	Room       room.ID
	Epoch      room.Epoch // the row's
	Nonce      string
	Checkpoint Checkpoint
}

// Checkpoint is enough to bring a room back without its journal.
type Checkpoint struct {
	Point room.Point // of the last input it holds
	Data  []byte     // opaque to the store
}

// RowFilter narrows a list of rows. Zero values do not narrow.
type RowFilter struct {
	State  room.RowState
	Folder string
	After  room.ID // page: ids after this one
	Limit  int     // 0 means 1000
}

// StateTerm is the SQL that narrows to State, given as the parameter of that name. Of the states before over it is one
// that an index answers without going through all rooms that ever were: nodes ask every few seconds.
func (f RowFilter) StateTerm(parameter string) string {
	switch f.State {
	case "":
		return parameter + " = ''"
	case room.RowOver:
		return "state = " + parameter
	}
	return "state <> 'over' AND state = " + parameter
}

// Max is the number of rows to return.
func (f RowFilter) Max() int {
	if f.Limit <= 0 {
		return 1000
	}
	return f.Limit
}
