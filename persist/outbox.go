package persist

import (
	"context"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
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
	ClaimEvents(ctx context.Context, target string, n int, lease time.Duration) ([]Delivery, error)
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
	OutboxStats(ctx context.Context) ([]OutboxStat, error)
	// Deliveries lists rows by number, from the one before a number on downwards.
	Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error)
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

// DeliveryState says what has become of an event for a target.
type DeliveryState string

// The states.
const (
	EventWaiting   DeliveryState = "waiting"
	EventDelivered DeliveryState = "delivered"
	EventFailed    DeliveryState = "failed" // given up; an operator may replay it
)

// Delivery is one event for one target.
type Delivery struct {
	Number  int64 // of the row
	Target  string
	Event   record.Event
	State   DeliveryState
	Tries   int           // begun
	Waited  time.Duration // since it was written or replayed last
	Due     time.Time     // of one that waits: the next try
	Settled time.Time     // of one that does not: since when
	Error   string        // of the last try
}

// Settled is what has become of a claimed event.
type Settled struct {
	Number int64
	Tries  int           // as it was claimed
	State  DeliveryState // EventWaiting: it is tried again after Retry
	Retry  time.Duration
	Error  string // without anything secret
}

// OutboxStat counts the rows of one target in one state.
type OutboxStat struct {
	Target string
	State  DeliveryState
	Count  int
	Oldest time.Duration // how long the oldest of them has been there
}

// DeliveryFilter selects rows. Empty fields select all.
type DeliveryFilter struct {
	State  DeliveryState
	Target string
	Room   room.ID
	Before int64 // only rows of smaller numbers; 0 means all
	Limit  int   // 1 to MaxDeliveries; 0 means MaxDeliveries
}

// MaxDeliveries is the most rows that one list has.
const MaxDeliveries = 200

// Max is the limit within its bounds.
func (f DeliveryFilter) Max() int {
	if f.Limit <= 0 {
		return MaxDeliveries
	}
	return min(f.Limit, MaxDeliveries)
}
