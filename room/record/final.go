package record

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// Final is a room's end as the store keeps it. It is stored once, however often the write is retried.
// The log alone determines it, so every owner of the room writes the same bytes.
type Final struct {
	Room     room.ID
	Game     string
	Version  int
	End      End
	Rated    bool // finished, Spec.Rated, and no bot played
	Result   room.Result
	Point    Point         // the input that ended it
	Duration time.Duration // room time at the end
	Replay   Parts         // header and whole log, see core.OpenReplay
	Hash     [32]byte      // SHA-256 over everything above except Replay, see Final.Sum

	// Readers are the players who may read the result and the replay; operators always may. Nil: everybody may.
	// It does not follow from the log, so two owners may differ in it.
	Readers []room.PlayerID `cbor:"-" json:"-"`
	// Named are all players whom the replay names, whether they are in the result or not. It does not follow from the log
	// either.
	Named []room.PlayerID `cbor:"-" json:"-"`

	// Private says that the room was found by its join code alone. Events are those of before the end that the store may not have
	// yet: they are written with the result. Neither is hashed or stored with it.
	Private bool    `cbor:"-" json:"-"`
	Events  []Event `cbor:"-" json:"-"`

	// By is the owner that writes the final. The store writes it only if the room's row is still that owner's. Zero: the
	// writer cannot know, and the store does not ask. It is neither hashed nor stored.
	By Writer `cbor:"-" json:"-"`

	// Played says how much was played. It decides whether a rated game changes ratings. Nil: the room runs on the first
	// runtime, which did not count. The log determines it, but it is neither hashed nor stored with the result.
	Played *Played `cbor:"-" json:"-"`
}

// Writer is an owner of a room, by the row that it had when it wrote.
type Writer struct {
	Epoch Epoch
	Boot  BootID
}

// Owns reports whether a row is the writer's: live under its boot at its epoch, or released at its epoch.
func (w Writer) Owns(r Row) bool {
	return r.Epoch == w.Epoch && (r.State == RowReleased || r.State == RowLive && r.Boot == w.Boot)
}

// Played is how much was played in a game.
type Played struct {
	Acts int           // the fewest accepted acts that any player in the result has
	Time time.Duration // room time from the first accepted act to the end
}

// End says how a room's life ended.
type End string

// The ends of a room.
const (
	Finished End = "finished" // the game called Turn.Finish
	Aborted  End = "aborted"  // no result: too few players acted, the game panicked or showed an invalid view, or the room was set aside
	Closed   End = "closed"   // the operator closed the room, or it stood empty for too long
)

// Failed reports whether the room was aborted because its game failed or because the room could not be restored. A game that
// went well but has no result did not fail; see Void.
func (f *Final) Failed() bool { return f.End == Aborted && f.Result.Summary == "" }

// Void reports whether the game went well but has no result.
func (f *Final) Void() bool { return f.End == Aborted && !f.Failed() }

// Over is the protocol message that tells a client of a room's end.
func (f *Final) Over() wire.Over {
	over := wire.Over{Seq: uint64(f.Point.Seq), End: string(f.End)}
	if f.End == Finished || f.Void() {
		over.Result, _ = json.Marshal(f.Result) // validated when the game gave it
	}
	switch {
	case f.Void():
		over.Reason = f.Result.Summary
	case f.End != Finished:
		over.Reason = f.Result.Reason
	}
	return over
}

// MayRead reports whether player p may read the room's result and replay. An empty p is somebody without an identity.
func (f *Final) MayRead(p room.PlayerID) bool {
	return f.Readers == nil || p != "" && slices.Contains(f.Readers, p)
}

// OverFor is Over for a client that is told of the end alone, because the room is gone or has no place for it. It leaves out the result
// if p may not read it.
func (f *Final) OverFor(p room.PlayerID) wire.Over {
	over := wire.Over{Seq: uint64(f.Point.Seq), End: string(f.End)}
	if f.MayRead(p) {
		over = f.Over()
	}
	over.Alone = true
	return over
}

// Sum is the SHA-256 of the fields that the log determines, without Replay, Hash and Played. Two owners that end a room from
// the same log get the same sum.
func (f *Final) Sum() [sha256.Size]byte {
	body, err := json.Marshal(struct {
		Room     room.ID
		Game     string
		Version  int
		End      End
		Rated    bool
		Result   room.Result
		Point    Point
		Duration time.Duration
	}{f.Room, f.Game, f.Version, f.End, f.Rated, f.Result, f.Point, f.Duration})
	if err != nil {
		panic(err) // every field is plain, and Data was validated
	}
	return sha256.Sum256(body)
}
