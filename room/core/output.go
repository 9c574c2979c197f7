package core

import (
	"encoding/json"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// WatcherID names a spectator's session. The caller draws it. It is not part of the log.
type WatcherID uint64

// ClassID names a group of viewers in one room who see the same view. An id is never reused.
type ClassID uint64

// Recipient is the session that an output is for: a player's or a spectator's. Exactly one field is set.
type Recipient struct {
	Player  room.PlayerID
	Watcher WatcherID
}

// Output is something that a room sends. Outputs reach sockets in the order in which the core made them, each only after the
// commit of the index that At returns.
type Output interface{ At() room.Index }

// Stamp holds the index at which an output was computed.
type Stamp struct{ Index room.Index }

// At is the index whose commit releases the output.
func (s Stamp) At() room.Index { return s.Index }

// The outputs.
type (
	// Welcome opens a session. Frames holds the missed turns or the whole view. From now on the recipient gets the turns of
	// Class.
	Welcome struct {
		Stamp
		To        Recipient
		Client    record.ClientID
		Attempt   uint64
		Seat      int
		Point     record.Point
		CSeq      record.CSeq // the last act of this client that the room has applied
		Recovered bool        // true: Frames holds the missed turns; false: it holds the whole view
		Class     ClassID
		Frames    []*Frame
	}

	// ClassChanged moves a viewer to another class. State is the whole view of that class.
	ClassChanged struct {
		Stamp
		To    Recipient
		Class ClassID
		State *Frame
	}

	// Turned is a turn for all viewers of a class. A player in Private gets that frame instead.
	Turned struct {
		Stamp
		Class   ClassID
		Frame   *Frame // nil: only the players in Private get something
		Private map[room.PlayerID]*Frame
	}

	// Answered is the ack or reject of one act.
	Answered struct {
		Stamp
		Player room.PlayerID
		Client record.ClientID
		CSeq   record.CSeq
		Frame  *Frame
	}

	// Resynced answers a client's resync with the whole view.
	Resynced struct {
		Stamp
		To    Recipient
		State *Frame
	}

	// Replaced ends the session of a client, because a newer client of the same player has attached.
	Replaced struct {
		Stamp
		Player room.PlayerID
		Client record.ClientID
	}

	// SeatLost ends the session of a player who no longer has a seat.
	SeatLost struct {
		Stamp
		Player room.PlayerID
		Reason room.LeaveReason
	}

	// Ended tells all viewers that the room is over.
	Ended struct {
		Stamp
		Frame *Frame
	}

	// RematchAgreed asks the caller to create a room with these options and with seats kept for these players. The caller
	// answers with the signal RematchSignal and the data {"room": id}.
	RematchAgreed struct {
		Stamp
		Options json.RawMessage
		Players []room.Player
	}
)

// FrameKind decides what happens to a queued frame when its reader is slow.
type FrameKind uint8

// The kinds of frames.
const (
	FrameTurn   FrameKind = iota // may be dropped; a later whole view makes up for it
	FrameState                   // a whole view; replaces all queued turns
	FrameAnswer                  // an ack or reject; never dropped
	FrameOver                    // the room's end; never dropped
)

// Frame is one protocol message. It is encoded at most once for each encoding, however many recipients it has. Only one
// goroutine may use it at a time. The bytes may be shared and must not be changed.
type Frame struct {
	Kind   FrameKind
	Epoch  record.Epoch // that it tells; 0: none
	Seq    room.Index
	Events int // number of events in it, which are lost if it is dropped
	encode func(e wire.Encoding) []byte
	bytes  [2][]byte
}

// Bytes returns the encoded message. The first call for an encoding encodes it.
func (f *Frame) Bytes(e wire.Encoding) []byte {
	if f.bytes[e] == nil {
		f.bytes[e] = f.encode(e)
	}
	return f.bytes[e]
}

func (c *Core) queue(o Output) { c.outputs = append(c.outputs, o) }

func (c *Core) stamp() Stamp { return Stamp{c.s.Index} }
