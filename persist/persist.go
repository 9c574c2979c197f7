// Package persist is the port to the store: what a node keeps beyond its own disk.
//
// The store holds finished games with their replays and ratings (Results), one row a room that says who
// serves it (Rows), one row a process with the fences that declare it dead (Boots), and Keys. Two backends
// implement the port, persist/sqlite and persist/postgres; one conformance suite, persist/persisttest, holds
// them to the comments below. DESIGN.md beside this file says why it is so.
//
// Every write may be repeated without harm, also when the answer to the first try was lost: results are
// keyed by room and compared by hash, row writes carry a nonce that is read back, boots and fences are
// keyed by boot. So callers retry after any error but the named ones.
//
// All methods are safe for concurrent use, block until the store has answered, and return early when ctx ends.
package persist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Store is the whole port.
type Store interface {
	Results
	People
	Rows
	Boots
	Keys
	Outbox
	// Ping asks whether the store answers now. It does not retry.
	Ping(ctx context.Context) error
	// Timeline names the history that the store is in. It changes when a copy takes the place of the database's server: who owns rooms
	// then asks for their rows again before it acknowledges more.
	Timeline(ctx context.Context) (string, error)
	// Close waits for calls under way and frees the connections.
	Close() error
}

// Results are the finished games.
type Results interface {
	// WriteResults writes finished games in one transaction: result, replay, each player's outcome, name and counts, the ratings
	// (if the row is new, the game is Final.Rated with two or more players, and the store's Ratings allow it), and the room's row
	// set to over at a higher epoch. Final.Replay and Final.Hash must be filled. The verdicts are in the order of finals. A final whose
	// row is no longer that of Final.By is left out of its batch, and one that can never be written is split out of it, so that
	// the others are written. A result that the store has already counts as written, unless an owner after Final.By has ended the
	// room: a writer that has lost the room may not acknowledge more of it, though its end is the stored one. After an error some
	// finals may be written and others not: write them all again.
	WriteResults(ctx context.Context, finals []record.Final) ([]Verdict, error)
	// Result returns a finished room, or record.ErrNotFound. Final.Replay is not filled.
	Result(ctx context.Context, id room.ID) (record.StoredResult, error)
	// Replay returns Final.Replay as it was written, to be read piece by piece until ctx ends, or record.ErrNotFound. A read also
	// returns record.ErrNotFound when the replay has been pruned since.
	Replay(ctx context.Context, id room.ID) (record.StoredReplay, error)
	// Player returns what is known of a player, or record.ErrNotFound for a player who never was in a result. Recent includes rooms
	// whose result not everybody may read only when all is set.
	Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error)
	// Leaderboard returns the players of a game that Ratings lists, best first, from the one after a place on, at most limit.
	// The cost depends on the size of the page alone, however far down the page is.
	Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error)
	// Prune deletes what is older than its retention, oldest first, at most PruneBatch of each kind, and returns
	// how many it deleted: call it again while a number is PruneBatch. Ratings, counts and names are never pruned.
	Prune(ctx context.Context, keep Retention) (Pruned, error)
}

// Keys are random keys that nodes share.
type Keys interface {
	// SharedKey returns the key for a purpose. The first call, by any node, makes the key, and it never changes. Whoever can read the
	// store can read the key. Never log it and never put it into an answer.
	SharedKey(ctx context.Context, purpose string) ([32]byte, error)
}

// PruneBatch is the most rows of a kind that one Prune deletes, so that results never wait for it long.
const PruneBatch = 500

// Retention is how long finished rooms are kept, by the store's clock. Zero means for ever. Results must be kept
// longer than any node is ever away from the store: a result that is written again after its row was pruned counts twice.
type Retention struct {
	Replays time.Duration // the replay alone
	Results time.Duration // the result with all that refers to it, and the room's row
}

// Pruned counts what Prune deleted.
type Pruned struct {
	Replays, Results int
}

// Outcome says what WriteResults did with one final.
type Outcome uint8

// The outcomes.
const (
	Written    Outcome = iota + 1 // the row is new
	Already                       // the row existed with the same hash: as good as written
	Mismatch                      // the row existed with another hash: refused; somebody must look
	Unwritable                    // no store can hold this final, such as one with a NUL in a name
	Moved                         // the room's row is no longer the writer's: its present owner writes the final, or has written it
)

func (o Outcome) String() string {
	switch o {
	case Written:
		return "written"
	case Already:
		return "already"
	case Mismatch:
		return "mismatch"
	case Unwritable:
		return "unwritable"
	case Moved:
		return "moved"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Stored reports whether the store now holds the final.
func (o Outcome) Stored() bool { return o == Written || o == Already }

// Verdict is the outcome of one final, with the reason if it was refused.
type Verdict struct {
	Outcome Outcome
	Reason  string // why a final is Mismatch, Unwritable or Moved, for people; it contains nothing secret
}

// Err is record.ErrMovedOn if the room's row is no longer the writer's, and otherwise nil.
func (v Verdict) Err() error {
	if v.Outcome == Moved {
		return record.ErrMovedOn
	}
	return nil
}

// Errors of the port, beside record.ErrNotFound and record.ErrMovedOn. Any other error means that the store is away or has failed:
// the call may be tried again.
var (
	ErrBootDead = errors.New("this process is fenced in the store: stop serving and restart") // or ended, or never started
	ErrFull     = errors.New("too much waits for the store")                                  // the queue's named bound is reached
	ErrClosed   = errors.New("the queue to the store is closed")
)

// NewerSchemaError means that a newer binary has migrated the store.
type NewerSchemaError struct {
	Store, Binary int64 // schema versions
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the store's schema is version %d, this binary knows %d: use a newer roomring", e.Store, e.Binary)
}

// UnreachableError means that the store did not answer within the time that Open waits.
type UnreachableError struct {
	Store string // without its password
	Wait  time.Duration
	Cause error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the store %s did not answer for %v: %v; check the address and that it runs", e.Store, e.Wait, e.Cause)
}

func (e *UnreachableError) Unwrap() error { return e.Cause }
