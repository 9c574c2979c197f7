package ledger

import (
	"bytes"
	"io"
	"slices"

	"github.com/roomring/roomring/room"
)

// PieceBytes is about how much of a replay is one row of a store. The first piece stands beside the result, so that a
// short game is one row; those that follow have rows of their own.
const PieceBytes = 256 << 10

// Piece is a piece of a replay behind its first.
type Piece struct {
	Room room.ID
	Nth  int // from 1
	Data []byte
}

// Replayed are the finals that have a replay: of a room that nobody joined there is none, and no row for it.
func Replayed(finals []room.Final) []room.Final {
	return slices.DeleteFunc(slices.Clone(finals), func(f room.Final) bool { return f.Replay.Len() == 0 })
}

// First is a replay's first piece, never nil, and how many follow.
func First(p room.Parts) (first []byte, more int) {
	pieces := p.Split(PieceBytes)
	if first = pieces[0].Join(); first == nil {
		first = []byte{}
	}
	return first, len(pieces) - 1
}

// Rest calls save with the pieces behind the first, of each final, in order. It stops at the first error.
func Rest(finals []room.Final, save func(Piece) error) error {
	for _, f := range finals {
		for i, piece := range f.Replay.Split(PieceBytes)[1:] {
			if err := save(Piece{f.Room, i + 1, piece.Join()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Replay reads a replay of which the first piece is here; next gets the others from the store.
func Replay(size int64, first []byte, more int, next func(nth int) ([]byte, error)) room.StoredReplay {
	return room.StoredReplay{Size: size, Reader: &pieces{left: bytes.NewReader(first), more: more, next: next}}
}

type pieces struct {
	left *bytes.Reader
	nth  int
	more int
	next func(nth int) ([]byte, error)
}

func (p *pieces) Read(b []byte) (int, error) {
	for p.left.Len() == 0 {
		if p.nth == p.more {
			return 0, io.EOF
		}
		data, err := p.next(p.nth + 1)
		if err != nil {
			return 0, err
		}
		p.nth++
		p.left.Reset(data)
	}
	return p.left.Read(b)
}
