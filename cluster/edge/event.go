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
	Attaching                  // at a node that may have it; its welcome is to come
	Live                       // the room has welcomed the client
	Leaving                    // and was told that the client gives up its seat
	Over
)

// Happening says what an Event tells.
type Happening uint8

// The events of a machine.
const (
	Begin    Happening = iota + 1 // the client wants a session; it comes first and once
	Found                         // Find: Event.Node has the room
	Missed                        // Find: Event.Err says why not
	Attached                      // the room has said yes to Event.Route
	Refused                       // it, or its node, has said no: Event.Err
	Welcomed                      // the room has welcomed the client: Event.Epoch, Event.CSeq
	Lost                          // the route is lost, the room may go on elsewhere: Event.Err
	Ended                         // the room has ended the session for good: Event.Err, Event.Discard
	Leave                         // the client gives up its seat
	Close                         // this side ends the session: Event.Err, Event.Discard
	GaveUp                        // the caller no longer waits for the first answer
	Stopped                       // this node no longer looks for rooms
	Due                           // the alarm
)

// Event is the input of a machine. Fields that a Happening does not name are ignored.
type Event struct {
	What    Happening
	Route   uint64 // of what comes from a room; of Close: 0, or nothing happens unless it is the present one
	Node    string
	Err     error
	Final   bool // Missed, Refused: no other try would end otherwise
	NotHere bool // Refused: that node has no such room
	Discard bool // nobody reads what is queued
	Epoch   record.Epoch
	CSeq    record.CSeq // the last of the client's acts that the room has applied
}

// Action says what an Effect asks for.
type Action uint8

// What is to be done.
const (
	Find   Action = iota + 1 // wait, then say which node has the room: Found or Missed
	Attach                   // attach at Effect.Node by a new route, which alone the outbox hears from now on: Attached or Refused
	Open                     // the client's acts go by the route; those of one that is not Free as Act admits them
	Mute                     // the outbox hears no route, acts go nowhere
	Detach                   // take the session back from the room; harmless if that knows nothing of it
	Depart                   // tell the room that the client gives up its seat
	Forget                   // the room was not at Effect.Node after all
	Alarm                    // say Due at Effect.At; 0: never
	Answer                   // tell who began the session how it went: Effect.Err
	End                      // end the outbox: Effect.Err, Effect.Discard
)

// Effect is something that the shell is to do, in the order in which effects come.
type Effect struct {
	Do      Action
	Route   uint64
	Node    string
	Wait    time.Duration // Find: the longest; how long is drawn at random, so that many who lose their routes at once do not come at once
	Again   bool          // Find, Attach, Open: the client has been welcomed before
	Free    bool          // Open
	At      time.Duration
	Err     error // nil in End: the client's side has ended it
	Discard bool
}

// ErrStopped ends a session that looks for its room at a node that stops.
var ErrStopped = errors.New("the node looks for rooms no longer")

// NotInTime ends a session whose room was not found in time. Last is why not, as far as is known, or nil.
type NotInTime struct{ Last error }

func (e *NotInTime) Error() string {
	if e.Last == nil {
		return "the room was not found in time"
	}
	return "the room was not found in time: " + e.Last.Error()
}

func (e *NotInTime) Unwrap() error { return e.Last }
