package persist

import (
	"context"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// People is what the store keeps about players beyond their profiles, so that the operator can hand it out or delete it: see
// Forgetting. A room names a player in its result, or in its replay's log alone if the player left before the end.
type People interface {
	// RoomsOf lists the finished rooms that name a player, by id, from the one after a room on, at most limit.
	RoomsOf(ctx context.Context, player room.PlayerID, after room.ID, limit int) ([]room.ID, error)
	// Unindexed lists rooms, by id, at most limit, whose replay may name players that the result does not, and whose names are not
	// listed yet. Older programs stored rooms so.
	Unindexed(ctx context.Context, limit int) ([]room.ID, error)
	// Index stores which players the replay of an unindexed room names. It does nothing for a room that is not there any more.
	Index(ctx context.Context, id room.ID, named []room.PlayerID) error
	// Redact replaces a finished room by one without a player. Whether a result that is offered again is Already or a Mismatch
	// stays as it was. record.ErrMovedOn means that the room was redacted after it was read: read it and try again.
	Redact(ctx context.Context, r Redacted) error
	// DropRecords deletes a player's name and records in all games, and also the player unless a result still names the player.
	DropRecords(ctx context.Context, player room.PlayerID) error
	// IdleGuests looks at guests by id, from the one after a player on, at most limit, and returns those whom no result and no replay
	// of the last since names. Next is the last guest that it looked at, and empty when there are no more.
	IdleGuests(ctx context.Context, after room.PlayerID, since time.Duration, limit int) (idle []room.PlayerID, next room.PlayerID, err error)
}

// Redacted is a finished room without one of its players.
type Redacted struct {
	Player room.PlayerID // whom it leaves out

	// Final has the new result, readers and replay. Everything else stays as it is, above all the hash. Without a replay the stored
	// one is deleted.
	Final record.Final
	// Redactions is StoredResult.Redactions of the result that Final was made from.
	Redactions int
}
