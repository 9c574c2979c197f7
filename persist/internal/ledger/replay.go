package ledger

import (
	"bytes"
	"io"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// PieceBytes is about how much of a replay is in one row of a store. The first piece stands beside the result, so that a
// short game is one row. The other pieces have rows of their own.
const PieceBytes = 256 << 10

// Piece is a piece of a replay after its first.
type Piece struct {
	Room room.ID
	Nth  int // from 1
	Data []byte
}

// Replayed are the finals that have a replay. A room that nobody joined has none, and no row for it.
func Replayed(finals []record.Final) []record.Final {
	return slices.DeleteFunc(slices.Clone(finals), func(f record.Final) bool { return f.Replay.Len() == 0 })
}

// FirstPiece returns the first piece of a replay, never nil, and how many follow.
func FirstPiece(p record.Parts) (first []byte, more int) {
	pieces := p.Split(PieceBytes)
	return NotNil(pieces[0].Join()), len(pieces) - 1
}

// LaterPieces calls save with the pieces after the first of each final, in order. It stops at the first error.
func LaterPieces(finals []record.Final, save func(Piece) error) error {
	for _, f := range finals {
		for i, piece := range f.Replay.Split(PieceBytes)[1:] {
			if err := save(Piece{f.Room, i + 1, piece.Join()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ReplayRow is the row of a replay, with its first piece.
type ReplayRow struct {
	first []byte
	more  int // pieces after the first
	base  int // their numbers begin after this one
	size  int64
}

// ScanReplay reads data, more, base, size.
func ScanReplay(row Scanner) (r ReplayRow, err error) {
	err = row.Scan(&r.first, &r.more, &r.base, &r.size)
	return r, err
}

// Open returns the replay. Reading it gets the later pieces from the store by next.
func (r ReplayRow) Open(next func(nth int) ([]byte, error)) record.StoredReplay {
	return record.StoredReplay{Size: r.size, Reader: &pieces{left: bytes.NewReader(r.first), nth: r.base, last: r.base + r.more, next: next}}
}

// pieces reads a replay piece by piece.
type pieces struct {
	left *bytes.Reader // of the present piece
	nth  int           // its number
	last int
	next func(nth int) ([]byte, error)
}

func (p *pieces) Read(b []byte) (int, error) {
	for p.left.Len() == 0 {
		if p.nth == p.last {
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
