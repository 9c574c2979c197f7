package room

import (
	"encoding/json"
	"errors"
	"time"
)

// Header is what never changes about a room. It is secret while the room lives: it holds the seed and the join code.
type Header struct {
	ID         ID              `json:"id"`
	Game       string          `json:"game"`
	Version    int             `json:"version"` // of the rules that opened it
	Runtime    int             `json:"runtime"` // RuntimeVersion of the process that opened it
	Name       string          `json:"name,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Private    bool            `json:"private,omitempty"`
	Code       string          `json:"code,omitempty"`   // asked of joiners when private
	Public     bool            `json:"public,omitempty"` // of a private room: its end is for everybody all the same
	Seed       [32]byte        `json:"seed"`
	Durability Durability      `json:"durability"`
	Created    time.Time       `json:"created"` // wall clock, for people
}

// Closed reports whether the room's result and replay are for its players alone.
func (h *Header) Closed() bool { return h.Private && !h.Public }

// RuntimeVersion changes when this package would replay the same log differently, or writes into logs what an older
// one would not understand. New rooms get it; a room of an older one, down to OldestRuntime, goes on by the older rules. One that
// is older still is moved to the present runtime by an upgrade, from a snapshot at the end of its log.
const (
	RuntimeVersion = 2
	OldestRuntime  = 1
)

// Batch is a part of a room's log on its way to a journal.
type Batch struct {
	Room    ID
	Epoch   Epoch // of the last entry
	First   Index
	Last    Index         // the last place the batch covers (a run of ticks covers many)
	Time    time.Duration // room time of the last entry
	Begins  bool          // it begins with a KindCut: the log before First may be forgotten
	Entries []byte        // EncodeEntries; batches that follow each other may be joined by joining these bytes
}

// Snapshot is a room's whole state after the input at Index.
type Snapshot struct {
	Room  ID
	Epoch Epoch
	Index Index
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

// ErrDamaged says that a journal has lost a part of a room that was durable. Trying again does not help.
var ErrDamaged = errors.New("the journal has lost a part of the room")

// ErrPermanent marks errors that are a room's own and come again however often the same is tried.
var ErrPermanent = errors.New("trying again does not help")

// Permanent makes an error that says what err says and is an ErrPermanent.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() []error { return []error{p.error, ErrPermanent} }

// RowState is where a room's one row in the store stands.
type RowState string

// The states of a row.
const (
	RowLive     RowState = "live"     // served by the boot it names
	RowReleased RowState = "released" // its holder has stopped for good; the checkpoint is in the row
	RowOver     RowState = "over"     // set in the transaction that writes the result
)

// Row is a room's one row in the store.
type Row struct {
	Room    ID
	Game    string
	Epoch   Epoch
	State   RowState
	Boot    BootID // who serves it
	Folder  string // the id of the data folder whose journal holds it
	Code    string // join code of a private room
	Private bool
	Nonce   string // of the last write, so that a writer whose answer was lost can tell
}

// Final is a room's end as the store keeps it, written once however often it is tried.
// It is a function of the log alone, so any owner of the room writes the same.
type Final struct {
	Room     ID
	Game     string
	Version  int
	End      End
	Rated    bool // finished, Spec.Rated, and no bot played
	Result   Result
	Point    Point         // the input that ended it
	Duration time.Duration // room time at the end
	Replay   Parts         // header and whole log, see OpenReplay
	Hash     [32]byte      // SHA-256 over everything above except Replay, see Final.Sum

	// Readers may read the result and the replay, beside operators; nil: everybody may. It is beside the log: two owners
	// may differ in it.
	Readers []PlayerID `cbor:"-" json:"-"`
	// Named are the players whom the replay names, those in the result among them or not. It is beside the log too.
	Named []PlayerID `cbor:"-" json:"-"`

	// Played says how much was played, for whoever decides whether a rated game changes ratings; nil: the room is of the first
	// runtime, which did not count. It is a function of the log, beside the hash, and not kept with the result.
	Played *Played `cbor:"-" json:"-"`
}

// Played is how much was played in a game.
type Played struct {
	Acts int           // that were accepted, of whom of those in the result had fewest
	Time time.Duration // of the room, from the first accepted act to the end
}
