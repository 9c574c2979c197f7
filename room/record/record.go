package record

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
)

// Header is what never changes about a room. It is secret while the room lives: it holds the seed and the join code.
type Header struct {
	ID         room.ID         `json:"id"`
	Game       string          `json:"game"`
	Version    int             `json:"version"` // of the rules that opened it
	Runtime    int             `json:"runtime"` // RuntimeVersion of the process that opened it
	Name       string          `json:"name,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Private    bool            `json:"private,omitempty"`
	Code       string          `json:"code,omitempty"`   // asked of joiners when private
	Public     bool            `json:"public,omitempty"` // of a private room: its end is for everybody all the same
	Seed       [32]byte        `json:"seed"`
	Durability room.Durability `json:"durability"`
	Created    time.Time       `json:"created"` // wall clock, for people
}

// Closed reports whether the room's result and replay are for its players alone.
func (h *Header) Closed() bool { return h.Private && !h.Public }

// Batch is a part of a room's log on its way to a journal.
type Batch struct {
	Room    room.ID
	Epoch   Epoch // of the last entry
	First   room.Index
	Last    room.Index    // the last place the batch covers (a run of ticks covers many)
	Time    time.Duration // room time of the last entry
	Begins  bool          // it begins with a KindCut: the log before First may be forgotten
	Entries []byte        // EncodeEntries; batches that follow each other may be joined by joining these bytes
}

// Snapshot is a room's whole state after the input at Index.
type Snapshot struct {
	Room  room.ID
	Epoch Epoch
	Index room.Index
	Data  []byte
}

// Kept is what a journal holds of one room: enough to bring it back.
type Kept struct {
	Header    Header
	Epoch     Epoch         // of the last entry, or of the last claim
	Snapshots []Snapshot    // at most two, older first; may be empty
	Batches   []Batch       // the log from index 1 or from a KindCut on, in order, none missing
	Time      time.Duration // room time to go on from: the last mark or the last input, whichever is later
	Cut       string        // not empty: why the log's tail was cut at the last whole batch
}

// Last is the last index of the log; 0 when there is none.
func (k *Kept) Last() room.Index {
	if len(k.Batches) == 0 {
		return 0
	}
	return k.Batches[len(k.Batches)-1].Last
}

// ErrDamaged says that a journal has lost a part of a room that was durable. Trying again does not help.
var ErrDamaged = errors.New("the journal has lost a part of the room")

// ErrPermanent marks errors that are a room's own and come again however often the same is tried.
var ErrPermanent = errors.New("trying again does not help")

// Permanent makes an error that says what err says and is an ErrPermanent.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() []error { return []error{p.error, ErrPermanent} }
