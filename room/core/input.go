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
	KindEpoch   Kind = iota + 1 // a new ownership opens; sessions of the old one are cleared by detaches that follow
	KindOpen                    // the first input: options and seed are in the header
	KindJoin                    // a player takes a seat
	KindLeave                   // a player gives it up, or loses it (Reason)
	KindAttach                  // a player's client is connected
	KindDetach                  // and is gone
	KindAct                     // a player's action
	KindTick                    // one step, or Count steps of equal length, of a ticking game
	KindTimer                   // a timer of the game (Name) is due
	KindSignal                  // a signal (Name, Data) from outside
	KindUpgrade                 // the room moves to Version of its rules, and to Runtime, from a snapshot in Data
	KindClose                   // the room is ended from outside (Reason)
	KindCut                     // the log may begin here: Data is the state after it, Version that of the rules
)

//go:generate go tool stringer -type=Kind -trimprefix=Kind

// kindNames are made once, because every input is counted by its name.
var kindNames = func() (names [KindCut + 1]string) {
	for k := range names {
		names[k] = strings.ToLower(Kind(k).String())
	}
	return names
}()

// Name is the kind in the words of documents, metrics and answers: act, join, tick.
func (k Kind) Name() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return strings.ToLower(k.String())
}

// Input is one thing that can change a room. Which fields a kind uses is said beside it above.
type Input struct {
	Kind    Kind            `cbor:"1,keyasint"`
	At      time.Duration   `cbor:"2,keyasint,omitempty"` // room time; never falls
	Player  room.PlayerID   `cbor:"3,keyasint,omitempty"`
	Name    string          `cbor:"4,keyasint,omitempty"` // a player's, timer's or signal's
	Client  record.ClientID `cbor:"5,keyasint,omitempty"`
	Attempt uint64          `cbor:"6,keyasint,omitempty"`
	CSeq    record.CSeq     `cbor:"7,keyasint,omitempty"`
	Reason  string          `cbor:"8,keyasint,omitempty"`
	Data    json.RawMessage `cbor:"9,keyasint,omitempty"`
	Epoch   record.Epoch    `cbor:"10,keyasint,omitempty"`
	Count   uint32          `cbor:"11,keyasint,omitempty"` // of a run of ticks; 0 means 1
	Every   time.Duration   `cbor:"13,keyasint,omitempty"` // between the ticks of a run
	Version int             `cbor:"12,keyasint,omitempty"`

	Runtime int `cbor:"15,keyasint,omitempty"` // of an upgrade and of a cut: the room goes on by that runtime; 0: by the one it was made by

	Fault *room.Refusal `cbor:"14,keyasint,omitempty"` // of an act: why it has no data; it is refused with this and no game hears of it

	Resume *record.Point `cbor:"-"` // of an attach: what the client has seen; it changes the answer, not the room
}

// Entry is an input in its place in the log, with what stepping it came to. A run of ticks takes Count places, from Index on.
type Entry struct {
	Index room.Index   `cbor:"20,keyasint"`
	Epoch record.Epoch `cbor:"21,keyasint"`
	Input

	Result  StepResult    `cbor:"22,keyasint,omitempty"`
	Refused *room.Refusal `cbor:"23,keyasint,omitempty"` // of an act: the answer
	Checks  []ViewCheck   `cbor:"24,keyasint,omitempty"` // that went out with its turn, once in Config.CheckEvery indexes
}

// Fingerprint tells inputs apart that would do the same again after a restart: it leaves out the
// place in the log and the time. The runtime uses it to find the input that kills a process.
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
