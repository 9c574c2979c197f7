package persist

import (
	"context"
	"time"

	"github.com/roomring/roomring/room"
)

// People are what the store keeps about players beyond their profiles, for the operator to hand out or to take away: see
// Forgetting. A room names a player in its result, or only in its replay's log: one who left before the end.
type People interface {
	// RoomsOf lists the finished rooms that name a player behind a room, by id, at most limit of them.
	RoomsOf(ctx context.Context, player room.PlayerID, after room.ID, limit int) ([]room.ID, error)
	// Unindexed lists rooms with a replay of which is not known whom it names beside the result, as an older program stored
	// them, by id, at most limit of them.
	Unindexed(ctx context.Context, limit int) ([]room.ID, error)
	// Index writes down whom the replay of an unindexed room names. One that is not there any more needs none.
	Index(ctx context.Context, id room.ID, named []room.PlayerID) error
	// Redact writes a finished room anew, without a player. It changes nothing about whether a result offered again is Already or a
	// Mismatch. ErrMovedOn says that it was redacted since it was read: read it and try again.
	Redact(ctx context.Context, r Redacted) error
	// DropRecords deletes a player's records in all games and their name, and the player, unless a result names them still.
	DropRecords(ctx context.Context, player room.PlayerID) error
	// IdleGuests looks at guests behind one, by id, at most limit of them, and returns those whom no result and no replay of the
	// time that has passed since names. Next is the last it looked at, empty when there are no more.
	IdleGuests(ctx context.Context, after room.PlayerID, since time.Duration, limit int) (idle []room.PlayerID, next room.PlayerID, err error)
}

// Redacted is what is kept of a finished room without a player.
type Redacted struct {
	Player room.PlayerID // who is taken out

	// Final has the result, readers and replay that are kept; all else is left as it is, the hash above all. Without a replay none
	// is kept.
	Final room.Final
	// Redactions is StoredResult.Redactions of what Final was made of.
	Redactions int
}
