package persist

import (
	"context"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Rows are the rows of rooms, which say who serves a room. Every write but the one that ends a room requires that the
// writer's boot is alive (otherwise the whole call returns ErrBootDead and writes nothing), and carries a nonce drawn at
// random for that write. The answer to a write is the row read back: the write won if the row has its nonce.
// So if the answer to a write is lost, repeating the write tells whether it won.
type Rows interface {
	// CreateRows writes the first rows of rooms in one transaction, as live under the boot, whatever their State and Boot say.
	// If another write has made a room's row, the result's Err is record.ErrMovedOn. That row is over if the room's result came first.
	CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) ([]record.RowResult, error)
	// ClaimRows moves rows to a new epoch and to the boot, in one transaction. A start or a takeover may claim hundreds at once.
	// A strike that a claim does not name stays, as it does in ReleaseRow.
	// Err is record.ErrMovedOn if the row is no longer as the claim says, and record.ErrNotFound if there is none.
	ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) ([]record.RowResult, error)
	// ReleaseRow makes a live row of the boot released, with a checkpoint for whoever claims it. A checkpoint
	// never replaces a later one. Err is as of ClaimRows.
	ReleaseRow(ctx context.Context, boot record.BootID, release record.Release) (record.RowResult, error)
	// Row returns a room's row, or record.ErrNotFound: then there is no such room. What it shows may be lost if the store fails over, as
	// may that of RowByCode and ListRows: they tell where to ask and whom to show. Who changes, drops or follows a room by its row asks Rows.
	Row(ctx context.Context, id room.ID) (record.Row, error)
	// RowByCode returns the row of a private room that is not over, the newest if codes collide, or record.ErrNotFound.
	RowByCode(ctx context.Context, code string) (record.Row, error)
	// Rows returns the rows of rooms, in the order of ids. It is the zero Row for a room that has none. What it returns is as lasting
	// as a write that has succeeded: no failover of the store undoes it.
	Rows(ctx context.Context, ids []room.ID) ([]record.Row, error)
	// RowsNaming returns, as lasting, the live rows whose owner or standby is one of the data folders, by room id: the first limit of those
	// after a room. A limit of 0 means 1000. The cost depends on what it returns, however many other rooms there are.
	RowsNaming(ctx context.Context, folders []string, after room.ID, limit int) ([]record.Row, error)
	// ListRows returns rows by room id.
	ListRows(ctx context.Context, filter RowFilter) ([]record.Row, error)
	// Checkpoint returns the last checkpoint of a room that is not over, or record.ErrNotFound.
	Checkpoint(ctx context.Context, id room.ID) (record.Checkpoint, error)
}

// RowFilter narrows a list of rows. Zero values do not narrow.
type RowFilter struct {
	State  record.RowState
	Folder string
	After  room.ID // only ids after this one, for the next page
	Limit  int     // 0 means 1000
}

// StateTerm is the SQL condition for State, whose value is the parameter of that name. For every state but over an index
// answers it without a search through all rooms there ever were, because nodes ask every few seconds.
func (f RowFilter) StateTerm(parameter string) string {
	switch f.State {
	case "":
		return parameter + " = ''"
	case record.RowOver:
		return "state = " + parameter
	}
	return "state <> 'over' AND state = " + parameter
}

// Max is the number of rows to return.
func (f RowFilter) Max() int { return MaxRows(f.Limit) }

// MaxRows is the number of rows that a limit allows.
func MaxRows(limit int) int {
	if limit <= 0 {
		return 1000
	}
	return limit
}
