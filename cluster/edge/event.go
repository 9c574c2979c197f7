package edge

import (
	"errors"
	"time"

	"github.com/roomring/roomring/room/record"
)

// State is where a session is.
type State uint8

// The states of a session.
const (
	Looking   State = iota + 1 // for the node that has the room
	Attaching                  // at a node that may have it; the welcome has not come yet
	Live                       // the room has welcomed the client
	Leaving                    // the room was told that the client gives up its seat
	Over
)

// Happening is the kind of an Event.
type Happening uint8

// The events of a machine.
const (
	Begin    Happening = iota + 1 // the client wants a session; it comes first and once
	Found                         // Find: Event.Node has the room
	Missed                        // Find: Event.Err says why not; the room may be on its way to Event.Node
	Attached                      // the room has accepted Event.Route
	Refused                       // the room or its node has refused: Event.Err; the room may be at Event.Node
	Welcomed                      // the room has welcomed the client: Event.Epoch, Event.CSeq
	Raised                        // the room has told the client an epoch: Event.Epoch
	Lost                          // the route is lost; the room may go on elsewhere, or is on its way to Event.Node: Event.Err
	Ended                         // the room has ended the session for good: Event.Err, Event.Discard
	Leave                         // the client gives up its seat
	Close                         // this side ends the session: Event.Err, Event.Discard
	GaveUp                        // the caller no longer waits for the first answer
	Stopped                       // this node no longer looks for rooms
	Due                           // the time of the last Alarm has come
)

// Event is the input of a machine. Fields that a Happening does not name are ignored.
type Event struct {
	What    Happening
	Route   uint64 // the route of an event from a room; Close: 0, or Close is ignored unless this is the present route
	Node    string
	Err     error
	Final   bool // Missed, Refused: another try would end the same way
	Discard bool // nobody reads what is queued
	Epoch   record.Epoch
	CSeq    record.CSeq // the last of the client's acts that the room has applied
}

// Action is the kind of an Effect.
type Action uint8

// The actions that a machine asks for.
const (
	Find   Action = iota + 1 // wait, then say which node has the room: Found, at once if Effect.Node is known, or Missed
	Attach                   // attach at Effect.Node by a new route; the outbox takes messages of this route only: Attached or Refused
	Open                     // the client's acts go by the route; if it is not Free, only those that Act admits
	Mute                     // the outbox takes messages of no route; acts go nowhere
	Detach                   // end the session in the room; harmless if the room does not have it
	Depart                   // tell the room that the client gives up its seat
	Forget                   // forget that the room is at Effect.Node
	Alarm                    // send Due at Effect.At; 0: never
	Answer                   // tell the caller that began the session the outcome: Effect.Err
	End                      // end the outbox: Effect.Err, Effect.Discard
)

// Effect asks the shell to do something. The shell executes effects in their order.
type Effect struct {
	Do      Action
	Route   uint64
	Node    string
	Wait    time.Duration // Find: the longest wait; the shell draws it at random, so that many sessions that lose their routes at once do not return at once
	Again   bool          // Find, Attach, Open: the client has been welcomed before
	Coming  bool          // Attach: the room may still be on its way there
	Free    bool          // Open
	At      time.Duration
	Err     error // End: nil if the client's side has ended the session
	Discard bool
}

// ErrStopped ends a session that looks for its room at a node that stops.
var ErrStopped = errors.New("the node looks for rooms no longer")

// NotInTime ends a session whose room was not found in time. Last is the error of the last try, or nil.
type NotInTime struct{ Last error }

func (e *NotInTime) Error() string {
	if e.Last == nil {
		return "the room was not found in time"
	}
	return "the room was not found in time: " + e.Last.Error()
}

func (e *NotInTime) Unwrap() error { return e.Last }
