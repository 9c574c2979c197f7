package actor

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// Sink is what a room says one session's messages to. The room's goroutine calls it, in the order of what is said;
// Begin, Settle, End and Ended come from any goroutine. Nothing in it may block. A Feed is the sink of a client at this
// node; that of a client elsewhere puts what it is told on the link to that node.
type Sink interface {
	Encoding() wire.Encoding

	// Bind comes first and says what the room does for the sink.
	Bind(to Bindings)

	// Welcomed starts the stream, or starts it over; the welcome itself and what follows it are pushed. From is the
	// point that the client goes on from, in that epoch; 0: the whole view follows. CSeq is the last of the
	// client's acts that the room has applied.
	Welcomed(epoch room.Epoch, from room.Index, cseq room.CSeq)

	// Push hands over a message. Its bytes may be shared with other sessions: the same slice handed to several in a
	// row is one broadcast. Seq is the point that a client has reached who has read it, 0: it moves nothing. Events
	// are those of a turn.
	Push(frame []byte, fate Fate, seq room.Index, events int)

	// View hands over the whole view that Bindings.Refill has asked for. Encode makes the message and is told how
	// many events the reader was not sent since the last one.
	View(seq room.Index, encode func(lost uint64) []byte)

	// Hush hands over an answer that may wait for the next message or for Rouse. It reports whether Rouse is
	// needed, should nothing else come.
	Hush(frame []byte) bool
	Rouse()

	// Begin counts an act that is handed to the room; false means that too many have no answer yet. Settle takes one
	// back that will have none.
	Begin() bool
	Settle()

	// End ends the session: the first one counts, and what is said after it goes nowhere. Discard: nobody will read
	// what is queued. Why is nil when the client's side has ended it.
	End(why *CloseError, discard bool)
	Ended() bool

	Stats() OutboxStats
}

// Bindings are what a room does for a sink. None of them blocks.
type Bindings struct {
	Refill func() // asks for the whole view; from any goroutine
	Stuck  func() // the reader takes nothing for too long: ends the session; from any goroutine

	// Later has f called when the room has said what it has to say at present. Only for the room's goroutine, from
	// within a call of the sink: a sink that gathers what goes to many sends it then.
	Later func(f func())
}

// Fate is what becomes of a message when the reader is slow.
type Fate uint8

// The fates.
const (
	Keep   Fate = iota // queued whatever happens
	Answer             // kept, and settles one unanswered act when taken
	Drop               // a turn or a view: a newer view makes up for it
)
