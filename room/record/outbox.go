package record

import (
	"time"

	"github.com/roomring/roomring/room"
)

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
	Event   Event
	State   DeliveryState
	Tries   int           // begun
	Waited  time.Duration // since it was written or replayed last
	Due     time.Time     // of one that waits: the next try
	Settled time.Time     // of one that does not: since when
	Error   string        // of the last try
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
