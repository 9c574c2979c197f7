package core

import (
	"encoding/json"
	"hash/fnv"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Kind says what an input is.
type Kind uint8

// The inputs: everything that can change a room.
const (
	KindEpoch   Kind = iota + 1 // a new ownership begins; the detaches that follow end the sessions of the old one
	KindOpen                    // the first input; options and seed are in the header
	KindJoin                    // a player takes a seat
	KindLeave                   // a player gives up the seat or loses it (Reason)
	KindAttach                  // a player's client connects
	KindDetach                  // a player's client disconnects
	KindAct                     // a player's action; without Client and CSeq the operator's, on behalf of the player
	KindTick                    // one step, or Count steps of equal length, of a ticking game
	KindTimer                   // a timer of the game (Name) is due
	KindSignal                  // a signal (Name, Data) from outside
	KindUpgrade                 // the room moves to Version of its rules and to Runtime, from the snapshot in Data
	KindClose                   // somebody outside ends the room (Reason)
	KindCut                     // the log may begin here: Data is the state after this input, Version that of the rules
	KindReserve                 // a seat is kept for a player who has none yet (For)
)

//go:generate go tool stringer -type=Kind -trimprefix=Kind

// kindNames are computed once, because metrics use the name of every input.
var kindNames = func() (names [KindReserve + 1]string) {
	for k := range names {
		names[k] = strings.ToLower(Kind(k).String())
	}
	return names
}()

// Name returns the kind's name in documents, metrics and answers, such as act, join or tick.
func (k Kind) Name() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return strings.ToLower(k.String())
}

// Input is one thing that can change a room. The comment of each Kind names the fields that it uses.
type Input struct {
	Kind    Kind            `cbor:"1,keyasint"`
	At      time.Duration   `cbor:"2,keyasint,omitempty"` // room time; never falls
	Player  room.PlayerID   `cbor:"3,keyasint,omitempty"`
	Name    string          `cbor:"4,keyasint,omitempty"` // name of a player, timer or signal
	Client  record.ClientID `cbor:"5,keyasint,omitempty"`
	Attempt uint64          `cbor:"6,keyasint,omitempty"`
	CSeq    record.CSeq     `cbor:"7,keyasint,omitempty"`
	Reason  string          `cbor:"8,keyasint,omitempty"`
	Data    json.RawMessage `cbor:"9,keyasint,omitempty"`
	Epoch   record.Epoch    `cbor:"10,keyasint,omitempty"`
	Count   uint32          `cbor:"11,keyasint,omitempty"` // number of ticks in a run; 0 means 1
	Every   time.Duration   `cbor:"13,keyasint,omitempty"` // time between the ticks of a run
	Version int             `cbor:"12,keyasint,omitempty"`

	Runtime int `cbor:"15,keyasint,omitempty"` // for KindUpgrade and KindCut: the runtime from now on; 0: the one that opened the room

	For time.Duration `cbor:"16,keyasint,omitempty"` // for KindReserve: how long

	Fault *room.Refusal `cbor:"14,keyasint,omitempty"` // for KindAct: why it has no data; the act is refused with this and never reaches the game

	Resume *record.Point `cbor:"-"` // for KindAttach: what the client has seen; it changes the answer, not the room
}

// Entry is an input with its index in the log and the result of its step. A run of ticks takes Count indexes, from Index on.
type Entry struct {
	Index room.Index   `cbor:"20,keyasint"`
	Epoch record.Epoch `cbor:"21,keyasint"`
	Input

	Result  StepResult    `cbor:"22,keyasint,omitempty"`
	Refused *room.Refusal `cbor:"23,keyasint,omitempty"` // for KindAct: the refusal; nil: it was accepted
	Checks  []ViewCheck   `cbor:"24,keyasint,omitempty"` // checksums sent with its turn, once every Config.CheckEvery indexes
}

// Fingerprint is a hash of the input without its index and time, so the same input has the same fingerprint after a restart.
// The runtime uses it to find an input that crashes the process.
func (in Input) Fingerprint() uint64 {
	h := fnv.New64a()
	for _, s := range []string{string(rune(in.Kind)), string(in.Player), in.Name, string(in.Client)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	var n [8]byte
	for i := range n {
		n[i] = byte(in.CSeq >> (8 * i))
	}
	h.Write(n[:])
	h.Write(in.Data)
	return h.Sum64()
}
