package record

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// Final is a room's end as the store keeps it, written once however often it is tried.
// It is a function of the log alone, so any owner of the room writes the same.
type Final struct {
	Room     room.ID
	Game     string
	Version  int
	End      End
	Rated    bool // finished, Spec.Rated, and no bot played
	Result   room.Result
	Point    Point         // the input that ended it
	Duration time.Duration // room time at the end
	Replay   Parts         // header and whole log, see OpenReplay
	Hash     [32]byte      // SHA-256 over everything above except Replay, see Final.Sum

	// Readers may read the result and the replay, beside operators; nil: everybody may. It is beside the log: two owners
	// may differ in it.
	Readers []room.PlayerID `cbor:"-" json:"-"`
	// Named are the players whom the replay names, those in the result among them or not. It is beside the log too.
	Named []room.PlayerID `cbor:"-" json:"-"`

	// Played says how much was played, for whoever decides whether a rated game changes ratings; nil: the room is of the first
	// runtime, which did not count. It is a function of the log, beside the hash, and not kept with the result.
	Played *Played `cbor:"-" json:"-"`
}

// Played is how much was played in a game.
type Played struct {
	Acts int           // that were accepted, of whom of those in the result had fewest
	Time time.Duration // of the room, from the first accepted act to the end
}

// End says how a room's life ended.
type End string

const (
	Finished End = "finished" // the game called Turn.Finish
	Aborted  End = "aborted"  // no result: too few had played, or the game panicked, showed what no view may hold, or was set aside
	Closed   End = "closed"   // by the operator, or because nobody was there
)

// Failed reports whether the room was aborted because its game failed or it could not be brought back, as opposed to a game
// that went well and has no result.
func (f *Final) Failed() bool { return f.End == Aborted && f.Result.Summary == "" }

// Void reports whether f is a game that went well and has no result.
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

// MayRead reports whether the room's end is for a player, who may be nobody.
func (f *Final) MayRead(p room.PlayerID) bool {
	return f.Readers == nil || p != "" && slices.Contains(f.Readers, p)
}

// OverFor is Over for somebody who comes when the room is gone, without the result if it is not for them.
func (f *Final) OverFor(p room.PlayerID) wire.Over {
	if f.MayRead(p) {
		return f.Over()
	}
	return wire.Over{Seq: uint64(f.Point.Seq), End: string(f.End)}
}

// Sum is the SHA-256 of everything in f but Replay and Hash: two owners that end one room from one log agree in it.
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
