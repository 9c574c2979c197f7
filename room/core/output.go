package core

import (
	"encoding/json"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// WatcherID names a spectator's session to the core; the caller draws it, and it is not part of the log.
type WatcherID uint64

// ClassID names a group of viewers who may see the same, in one room, and is never used again.
type ClassID uint64

// Recipient is whom an output is for: a player's session or a spectator's. Exactly one is set.
type Recipient struct {
	Player  room.PlayerID
	Watcher WatcherID
}

// Output is something a room says. Outputs reach sockets in the order they were made, each only after
// the commit of the index it was computed at.
type Output interface{ At() room.Index }

// Stamp is the index an output was computed at.
type Stamp struct{ Index room.Index }

// At is the index whose commit releases the output.
func (s Stamp) At() room.Index { return s.Index }

// The outputs.
type (
	// Welcome opens a session: the missed turns or the whole view follow in Frames, and from now on the
	// recipient hears the turns of Class.
	Welcome struct {
		Stamp
		To        Recipient
		Client    record.ClientID
		Attempt   uint64
		Seat      int
		Point     record.Point
		CSeq      record.CSeq // the last act of this client that the room has applied
		Recovered bool
		Class     ClassID
		Frames    []*Frame
	}

	// ClassChanged puts a viewer into another class, with the whole view of it.
	ClassChanged struct {
		Stamp
		To    Recipient
		Class ClassID
		State *Frame
	}

	// Turned is a turn for all of a class. Players in Private get their own frame in place of it.
	Turned struct {
		Stamp
		Class   ClassID
		Frame   *Frame // nil: only the players in Private hear something
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

	// Resynced answers Resync.
	Resynced struct {
		Stamp
		To    Recipient
		State *Frame
	}

	// Replaced ends the session of a player's older client.
	Replaced struct {
		Stamp
		Player room.PlayerID
		Client record.ClientID
	}

	// SeatLost ends the session of a player who has no seat any more.
	SeatLost struct {
		Stamp
		Player room.PlayerID
		Reason room.LeaveReason
	}

	// Ended tells everybody that the room is over.
	Ended struct {
		Stamp
		Frame *Frame
	}

	// RematchAgreed asks the caller for a new room with these options and seats kept for these players,
	// and for a signal RematchSignal with {"room": its id} in return.
	RematchAgreed struct {
		Stamp
		Options json.RawMessage
		Players []room.Player
	}
)

// FrameKind tells the fate of a frame at a slow reader.
type FrameKind uint8

// The kinds of frames.
const (
	FrameTurn   FrameKind = iota // may be dropped: a whole view makes up for it
	FrameState                   // replaces every queued turn
	FrameAnswer                  // is kept
	FrameOver                    // is kept
)

// Frame is one protocol message, encoded at most once for each encoding, whoever gets it.
// It may be used by one goroutine; the bytes may be shared and must not be changed.
type Frame struct {
	Kind   FrameKind
	Seq    room.Index
	Events int // how many events are lost with it
	encode func(e wire.Encoding) []byte
	bytes  [2][]byte
}

// Bytes is the message in the encoding.
func (f *Frame) Bytes(e wire.Encoding) []byte {
	if f.bytes[e] == nil {
		f.bytes[e] = f.encode(e)
	}
	return f.bytes[e]
}

func (c *Core) queue(o Output) { c.outputs = append(c.outputs, o) }

func (c *Core) stamp() Stamp { return Stamp{c.s.Index} }
