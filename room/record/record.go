package record

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
)

// Header holds what never changes about a room. It is secret while the room lives, because it holds the seed and the join code.
type Header struct {
	ID         room.ID         `json:"id"`
	Game       string          `json:"game"`
	Version    int             `json:"version"` // version of the rules that opened the room
	Runtime    int             `json:"runtime"` // core.RuntimeVersion of the process that opened the room
	Name       string          `json:"name,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Private    bool            `json:"private,omitempty"`
	Code       string          `json:"code,omitempty"`   // join code of a private room
	Public     bool            `json:"public,omitempty"` // everybody may read the end of this private room
	Seed       [32]byte        `json:"seed"`
	Durability room.Durability `json:"durability"`
	Created    time.Time       `json:"created"`           // wall clock, for display only
	ForkOf     room.ID         `json:"fork_of,omitempty"` // the operator made it of that room's log: it is never rated
}

// Closed reports whether only the room's players may read its result and replay.
func (h *Header) Closed() bool { return h.Private && !h.Public }

// Batch is a run of consecutive log entries of one room, as journals store them.
type Batch struct {
	Room    room.ID
	Epoch   Epoch // of the last entry
	First   room.Index
	Last    room.Index    // the last index that the batch covers; a run of ticks covers many
	Time    time.Duration // room time of the last entry
	Begins  bool          // the first entry is a core.KindCut: the journal may drop the log before First
	Entries []byte        // made by core.EncodeEntries; consecutive batches may be joined by joining these bytes
}

// Snapshot is a room's whole state after the input at Index.
type Snapshot struct {
	Room  room.ID
	Epoch Epoch
	Index room.Index
	Data  []byte
}

// ErrDamaged means that a journal has lost a durable part of a room. Retrying does not help.
var ErrDamaged = errors.New("the journal has lost a part of the room")

// ErrPermanent marks errors that lie in the room itself: every retry fails in the same way. Permanent makes them.
var ErrPermanent = errors.New("trying again does not help")

// Permanent returns an error with the text of err that wraps both err and ErrPermanent.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() []error { return []error{p.error, ErrPermanent} }
