package persist

import (
	"context"
	"slices"
	"time"

	"github.com/roomring/roomring/room/record"
)

// Outbox holds the events that programs outside are told, one row for each event and target, until each target has taken them. Which
// targets get which kinds is decided when a row is written, by the Subscribers that the store was opened with: all nodes of a store need
// the same. An event that is written twice is there once. All times are by the store's clock.
type Outbox interface {
	// PutEvents writes events for the targets that want them. WriteResults writes those of a room's end, and Final.Events, with the
	// result.
	PutEvents(ctx context.Context, events []record.Event) error
	// ClaimEvents returns at most n events that are due for a target, the longest due first, and puts them off by lease: until then
	// nobody else gets them. Who claims them tells by SettleEvents what has become of them.
	ClaimEvents(ctx context.Context, target string, n int, lease time.Duration) ([]record.Delivery, error)
	// SettleEvents writes what has become of claimed events. One that somebody has claimed since is left alone.
	SettleEvents(ctx context.Context, settled []Settled) error
	// TrimEvents deletes waiting events beyond the most that may wait: the oldest of PlayerJoined first, then of RoomCreated, and never
	// any of a room's end. It returns how many it deleted of each kind.
	TrimEvents(ctx context.Context, most int) (map[record.EventKind]int, error)
	// PruneEvents deletes events that were delivered or given up longer ago than keep, and those that have waited for longer than waits:
	// no node delivers to their target. It deletes at most PruneBatch, and returns how many. The events of a live room stay, because
	// the room would tell them again.
	PruneEvents(ctx context.Context, keep, waits time.Duration) (int, error)
	// OutboxStats counts the rows of each target.
	OutboxStats(ctx context.Context) ([]record.OutboxStat, error)
	// Deliveries lists rows by number, from the one before a number on downwards.
	Deliveries(ctx context.Context, f record.DeliveryFilter) ([]record.Delivery, error)
	// ReplayEvent has a row delivered again from now on, whatever its state. record.ErrNotFound: there is none of this number.
	ReplayEvent(ctx context.Context, number int64) error
}

// Subscriber is a target and the kinds of events that it wants.
type Subscriber struct {
	Target string
	Kinds  []record.EventKind
}

// Wants reports whether any target wants events of a kind.
func Wants(all []Subscriber, kind record.EventKind) bool {
	return slices.ContainsFunc(all, func(s Subscriber) bool { return slices.Contains(s.Kinds, kind) })
}

// Settled is what has become of a claimed event.
type Settled struct {
	Number int64
	Tries  int                  // as it was claimed
	State  record.DeliveryState // record.EventWaiting: it is tried again after Retry
	Retry  time.Duration
	Error  string // without anything secret
}
