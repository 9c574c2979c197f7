package chess

import (
	"strings"

	"github.com/corentings/chess/v2"
)

// army counts one side's pieces, as far as they matter for whether it can mate.
type army struct {
	total                int // king included
	pawns, rooks, queens int
	knights              int
	light, dark          int // bishops by the colour of their squares
}

// armies counts the pieces on a board, which is the first field of a FEN.
func armies(board string) (both [2]army) {
	rank, file := 7, 0
	for _, c := range []byte(board) {
		switch {
		case c == '/':
			rank, file = rank-1, 0
		case c <= '8':
			file += int(c - '0')
		default:
			both[ownerOf(c)].count(c|0x20, (rank+file)%2 == 1)
			file++
		}
	}
	return both
}

func ownerOf(letter byte) side {
	if letter >= 'a' {
		return black
	}
	return white
}

func (a *army) count(kind byte, light bool) {
	a.total++
	switch kind {
	case 'p':
		a.pawns++
	case 'r':
		a.rooks++
	case 'q':
		a.queens++
	case 'n':
		a.knights++
	case 'b':
		if light {
			a.light++
		} else {
			a.dark++
		}
	}
}

// canMate reports whether a side's material can give mate at all, with any help of the other side's.
// Chess sites use this practical form of articles 5.2.2 and 6.9 of the FIDE Laws of Chess. It considers
// only material, so a side can still win a position that is blocked for good.
func canMate(own, other army) bool {
	switch {
	case own.pawns+own.rooks+own.queens > 0:
		return true
	case own.knights > 0:
		// A lone knight mates only a king whose own pieces take its squares away, and a queen never
		// stands in the way without being able to parry.
		return own.total > 2 || other.total > 1+other.queens
	case own.light+own.dark > 0:
		// Bishops of one colour mate only where something stands on the other: a bishop of that colour, a
		// knight or a pawn.
		bothColours := own.light+other.light > 0 && own.dark+other.dark > 0
		return bothColours || other.knights+other.pawns > 0
	}
	return false
}

// dead reports whether neither side can mate.
func dead(board string) bool {
	if strings.ContainsAny(board, "PRQprq") {
		return false
	}
	both := armies(board)
	return !canMate(both[white], both[black]) && !canMate(both[black], both[white])
}

// boardOf is the piece placement of a position, the first field of its FEN.
func boardOf(pos *chess.Position) string { return pos.Board().String() }
