package chess

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/corentings/chess/v2"
)

// A draw can be claimed after fifty half-moves without a capture or a pawn move (FIDE 9.3), and is given after
// seventyFive (9.6.2). For occurrences of a position the numbers are threefold (9.2) and fivefold (9.6.1).
const (
	fifty       = 100
	seventyFive = 150
	threefold   = 3
	fivefold    = 5
)

// line is a position and the moves that led to it.
type line struct {
	start string // FEN
	setup setup
	pos   *chess.Position
	first stand
	plies []ply
}

// ply is one half-move and what it led to.
type ply struct {
	uci, san string
	stand
}

// stand is a position as a line keeps it.
type stand struct {
	key   string // the first four fields of its FEN, which are equal for the same position by article 9.2.3
	check bool
}

// newLine starts from a position in which the game can go on. The error says what is wrong with the FEN.
func newLine(fen string) (*line, error) {
	s, err := parseFEN(fen)
	if err != nil {
		return nil, err
	}
	l := &line{start: strings.Join(strings.Fields(fen), " "), setup: s}
	l.rewind()
	switch board := newBotBoard(boardOf(l.pos), s.turn); {
	case board.inCheck(s.turn.other()):
		return nil, errors.New("the side that is not to move is in check")
	case l.verdict() != "":
		return nil, errors.New("the game would be over before the first move")
	}
	return l, nil
}

// rewind goes back to the start.
func (l *line) rewind() {
	l.pos = l.setup.position()
	l.plies = l.plies[:0]
	board := boardOf(l.pos)
	l.first = stand{key: l.positionKey(board), check: newBotBoard(board, l.setup.turn).inCheck(l.setup.turn)}
}

// last is the present position.
func (l *line) last() stand {
	if n := len(l.plies); n > 0 {
		return l.plies[n-1].stand
	}
	return l.first
}

func (l *line) turn() side { return sideOf(l.pos.Turn()) }

// mover is the side that made half-move i, counted from 0.
func (l *line) mover(i int) side { return side((int(l.setup.turn) + i) % 2) }

// board is the piece placement, the first field of the FEN.
func (l *line) board() string {
	board, _, _ := strings.Cut(l.last().key, " ")
	return board
}

// fen is the whole FEN. It has an en passant square only when such a capture is legal.
func (l *line) fen() string {
	return l.last().key + " " + strconv.Itoa(l.pos.HalfMoveClock()) + " " + strconv.Itoa(l.number(len(l.plies)))
}

// play makes a move that find returned, and writes it down in SAN.
func (l *line) play(f found) ply {
	before := l.pos
	m := l.advance(f.uci)
	mark := ""
	if m.HasTag(chess.Check) {
		mark = "+"
		if l.pos.Status() == chess.Checkmate {
			mark = "#"
		}
	}
	p := ply{f.uci, encodeSAN(before, f.legal, m) + mark, l.stand(m)}
	l.plies = append(l.plies, p)
	return p
}

// replay makes a move that is known in both notations.
func (l *line) replay(uci, san string) error {
	if err := checkUCI(l.pos, uci); err != nil {
		return fmt.Errorf("half-move %d: %w", len(l.plies)+1, err)
	}
	m := l.advance(uci)
	l.plies = append(l.plies, ply{uci, san, l.stand(m)})
	return nil
}

// advance makes a move in the position. It decodes the move from its squares, because the library's generator
// passes the check mark of one promotion on to the next.
func (l *line) advance(uci string) *chess.Move {
	m, err := chess.UCINotation{}.Decode(l.pos, uci)
	if err != nil {
		panic(fmt.Sprintf("a legal move cannot be read: %v", err))
	}
	l.pos = m.Position()
	return m
}

func (l *line) stand(m *chess.Move) stand {
	return stand{l.positionKey(boardOf(l.pos)), m.HasTag(chess.Check)}
}

func (l *line) positionKey(board string) string {
	passant := "-"
	if sq := l.pos.EnPassantSquare(); sq != chess.NoSquare && l.mayPass(sq) {
		passant = sq.String()
	}
	return board + " " + l.pos.Turn().String() + " " + l.pos.CastleRights().String() + " " + passant
}

// mayPass reports whether a capture en passant is legal. It generates the legal moves only if a pawn stands
// beside the one that has moved.
func (l *line) mayPass(sq chess.Square) bool {
	rank := chess.Rank5
	if l.turn() == black {
		rank = chess.Rank4
	}
	pawn := chess.NewPiece(chess.Pawn, l.pos.Turn())
	beside := func(f chess.File) bool {
		return f >= chess.FileA && f <= chess.FileH && l.pos.Board().Piece(chess.NewSquare(f, rank)) == pawn
	}
	if !beside(sq.File()-1) && !beside(sq.File()+1) {
		return false
	}
	for _, m := range l.pos.ValidMoves() {
		if m.HasTag(chess.EnPassant) {
			return true
		}
	}
	return false
}

// takeBack undoes the last n half-moves.
func (l *line) takeBack(n int) {
	kept := slices.Clone(l.plies[:len(l.plies)-n])
	l.rewind()
	for _, p := range kept {
		l.advance(p.uci)
	}
	l.plies = append(l.plies, kept...)
}

// repetitions counts how often the present position has stood on the board. Positions before the last
// capture or pawn move cannot be the same.
func (l *line) repetitions() int {
	key, n, last := l.last().key, 0, len(l.plies)
	for i := last; i >= max(0, last-l.pos.HalfMoveClock()); i -= 2 {
		if l.standAt(i).key == key {
			n++
		}
	}
	return n
}

// standAt is the position after half-move i, counted from 1; 0 is the start.
func (l *line) standAt(i int) stand {
	if i == 0 {
		return l.first
	}
	return l.plies[i-1].stand
}

// claimable is the reason why a player may claim a draw now, or empty.
func (l *line) claimable() string {
	switch {
	case l.repetitions() >= threefold:
		return Repetition
	case l.pos.HalfMoveClock() >= fifty:
		return FiftyMoves
	}
	return ""
}

// verdict is the reason why the position ends the game, or empty.
func (l *line) verdict() string {
	switch l.pos.Status() {
	case chess.Checkmate:
		return Checkmate
	case chess.Stalemate:
		return Stalemate
	}
	switch {
	case dead(l.board()):
		return Insufficient
	case l.repetitions() >= fivefold:
		return Fivefold
	case l.pos.HalfMoveClock() >= seventyFive:
		return SeventyFiveMoves
	}
	return ""
}

// number is the move number of the half-move i, counted from 0.
func (l *line) number(i int) int { return l.setup.full + (int(l.setup.turn)+i)/2 }
