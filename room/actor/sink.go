package actor

import (
	"sync/atomic"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Sink is what a room says one session's messages to: an ordered stream of events. A Feed is the sink of a client at this
// node; that of a client elsewhere puts what it is told on the link to that node.
type Sink interface {
	Encoding() wire.Encoding

	// Deliver takes what comes next, and does not block. The room's goroutine calls it, in the order of what is said; an
	// End comes from any goroutine. What an event points to is not changed any more, by either side.
	Deliver(e Event)

	// Credit counts the client's acts.
	Credit() *Credit

	Stats() OutboxStats
}

// Event is what a room tells a Sink: *Bindings first, then *Welcomed, *Say, *View and Flush, *End at last.
type Event interface{ event() }

// Bindings are what a room does for a sink. None of them blocks.
type Bindings struct {
	Session Remote // for whom acts; it may be used once the client is welcomed, also before the attach has returned

	Refill func() // asks for the whole view; from any goroutine
	Stuck  func() // the reader takes nothing for too long: ends the session; from any goroutine

	// Later has f called when the room has said what it has to say at present. Only for the room's goroutine, from
	// within a call of the sink: a sink that gathers what goes to many sends it then.
	Later func(f func())
}

// Welcomed starts the stream, or starts it over; the welcome itself and what follows it are said.
type Welcomed struct {
	Epoch record.Epoch
	From  room.Index  // the point that the client goes on from, in that epoch; 0: the whole view follows
	CSeq  record.CSeq // the last of the client's acts that the room has applied
}

// Say is one message. The same one handed to several sessions in a row is one broadcast.
type Say struct {
	Frame    []byte // may be shared with other sessions; empty: an act will have no answer, and Fate is Answer
	Fate     Fate
	Deferred bool       // it may wait for the next message or for Flush
	Seq      room.Index // the point that a client has reached who has read it; 0: it moves nothing
	Events   int        // of a turn
}

// View is the whole view that Bindings.Refill has asked for. Encode makes the message and is told how many events the reader
// was not sent since the last one.
type View struct {
	Seq    room.Index
	Encode func(lost uint64) []byte
}

// Flush sends what was deferred.
type Flush struct{}

// End ends the session: the first one counts, and what is said after it goes nowhere.
type End struct {
	Why     *CloseError // nil: the client's side has ended it
	Discard bool        // nobody will read what is queued
}

func (*Bindings) event() {}
func (*Welcomed) event() {}
func (*Say) event()      {}
func (*View) event()     {}
func (Flush) event()     {}
func (*End) event()      {}

// Fate is what becomes of a message when the reader is slow.
type Fate uint8

// The fates.
const (
	Keep   Fate = iota // queued whatever happens
	Answer             // kept, and settles one unanswered act when taken
	Drop               // a turn or a view: a newer view makes up for it
)

// Credit counts a session's acts that have no answer yet: MaxUnanswered may have none. Its methods may be called from any
// goroutine.
type Credit struct{ open atomic.Int32 }

// Begin counts an act that is handed to the room; false means that too many have no answer yet.
func (c *Credit) Begin() bool { return c.open.Add(1) <= MaxUnanswered }

// Settle takes one back that has its answer, or will have none. An act that was sent again may have two answers: there is
// never less than none.
func (c *Credit) Settle() {
	for {
		n := c.open.Load()
		if n <= 0 || c.open.CompareAndSwap(n, n-1) {
			return
		}
	}
}

// Open is how many have no answer.
func (c *Credit) Open() int { return int(max(c.open.Load(), 0)) }

// retire has no act count any more.
func (c *Credit) retire() { c.open.Store(-1 << 30) }

// settled says that an act will have no answer.
var settled = &Say{Fate: Answer}
