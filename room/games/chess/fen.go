package chess

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/corentings/chess/v2"
)

// startFEN is the position every game starts from unless an option says otherwise.
const startFEN = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"

// setup is a position as a FEN describes it.
// The rules library decodes FENs through a buffer that all goroutines share, and does not notice
// that the side to move is in check. It gets the binary form of a position instead, which has neither fault.
type setup struct {
	squares   [64]byte // FEN letters from a1 to h8, 0 where empty
	turn      side
	castling  string // a part of KQkq in that order, or "-"
	enPassant int    // square, or -1
	half      int
	full      int
}

// parseFEN reads a FEN of six fields, or of four without the counters. It refuses a position in which no game can go on.
func parseFEN(fen string) (setup, error) {
	f := strings.Fields(fen)
	if len(f) == 4 {
		f = append(f, "0", "1")
	}
	if len(f) != 6 {
		return setup{}, errors.New("it needs six fields: board, side to move, castling, en passant and two counters")
	}
	s := setup{castling: f[2], enPassant: -1}
	for _, step := range []func() error{
		func() error { return s.parseBoard(f[0]) },
		func() error { return s.parseTurn(f[1]) },
		s.checkPieces,
		s.checkCastling,
		func() error { return s.parseEnPassant(f[3]) },
		func() error { return s.parseCounters(f[4], f[5]) },
	} {
		if err := step(); err != nil {
			return setup{}, err
		}
	}
	return s, nil
}

func (s *setup) parseBoard(text string) error {
	ranks := strings.Split(text, "/")
	if len(ranks) != 8 {
		return errors.New("its board needs eight ranks parted by /")
	}
	for i, rank := range ranks {
		file := 0
		for _, c := range []byte(rank) {
			switch {
			case c >= '1' && c <= '8':
				file += int(c - '0')
			case strings.IndexByte("KQRBNPkqrbnp", c) >= 0 && file < 8:
				s.squares[(7-i)*8+file] = c
				file++
			default:
				return fmt.Errorf("its rank %d has something else than pieces and digits", 8-i)
			}
		}
		if file != 8 {
			return fmt.Errorf("its rank %d does not fill eight squares", 8-i)
		}
	}
	return nil
}

func (s *setup) parseTurn(text string) error {
	switch text {
	case "w":
		s.turn = white
	case "b":
		s.turn = black
	default:
		return errors.New("its side to move is neither w nor b")
	}
	return nil
}

func (s *setup) parseEnPassant(text string) error {
	if text == "-" {
		return nil
	}
	rank, pawn, from, victim := byte('6'), byte('p'), 8, -8
	if s.turn == black {
		rank, pawn, from, victim = '3', 'P', -8, 8
	}
	if len(text) != 2 || text[0] < 'a' || text[0] > 'h' || text[1] != rank {
		return errors.New("its en passant square is not one behind a pawn that has just moved")
	}
	sq := int(text[0]-'a') + int(text[1]-'1')*8
	if s.squares[sq] != 0 || s.squares[sq+from] != 0 || s.squares[sq+victim] != pawn {
		return errors.New("its en passant square is not one behind a pawn that has just moved")
	}
	s.enPassant = sq
	return nil
}

func (s *setup) parseCounters(half, full string) error {
	var err error
	if s.half, err = strconv.Atoi(half); err != nil || s.half < 0 || s.half >= seventyFive {
		return fmt.Errorf("its halfmove clock is not a number from 0 to %d", seventyFive-1)
	}
	if s.full, err = strconv.Atoi(full); err != nil || s.full < 1 || s.full > 10_000 {
		return errors.New("its move number is not a number from 1 to 10000")
	}
	return nil
}

// checkPieces refuses pieces that a game with promotions cannot have: the rules library has no room for
// the moves of such positions.
func (s *setup) checkPieces() error {
	for _, letters := range []string{"KQRBNP", "kqrbnp"} {
		n := [6]int{}
		for sq, c := range s.squares {
			i := strings.IndexByte(letters, c)
			if c == 0 || i < 0 {
				continue
			}
			if i == 5 && (sq < 8 || sq >= 56) {
				return errors.New("it has a pawn on the first or last rank")
			}
			n[i]++
		}
		promoted := max(0, n[1]-1) + max(0, n[2]-2) + max(0, n[3]-2) + max(0, n[4]-2)
		if n[0] != 1 || n[5]+promoted > 8 {
			return errors.New("a side has not one king, or more pieces than promotions can make")
		}
	}
	return nil
}

func (s *setup) checkCastling() error {
	homes := []struct {
		letter     byte
		king, rook int
		k, r       byte
	}{{'K', 4, 7, 'K', 'R'}, {'Q', 4, 0, 'K', 'R'}, {'k', 60, 63, 'k', 'r'}, {'q', 60, 56, 'k', 'r'}}
	rest := s.castling
	for _, h := range homes {
		if strings.HasPrefix(rest, string(h.letter)) {
			rest = rest[1:]
			if s.squares[h.king] != h.k || s.squares[h.rook] != h.r {
				return fmt.Errorf("its castling right %c needs king and rook at home", h.letter)
			}
		}
	}
	if s.castling != "-" && (rest != "" || s.castling == "") {
		return errors.New("its castling rights are no part of KQkq")
	}
	return nil
}

// position is the setup as the rules library has it.
func (s *setup) position() *chess.Position {
	const order = "KQRBNPkqrbnp"
	var boards [12]uint64
	for sq, c := range s.squares {
		if c != 0 {
			boards[strings.IndexByte(order, c)] |= 1 << (63 - sq)
		}
	}
	out := make([]byte, 0, 101)
	for _, b := range boards {
		out = binary.BigEndian.AppendUint64(out, b)
	}
	out = append(out, byte(s.half))
	out = binary.BigEndian.AppendUint16(out, uint16(s.full))
	out = append(out, byte(int8(s.enPassant)), s.flags())
	pos := new(chess.Position)
	if err := pos.UnmarshalBinary(out); err != nil {
		panic(err) // it refuses only a wrong length
	}
	return pos
}

func (s *setup) flags() byte {
	var b byte
	for i, right := range "KQkq" {
		if strings.ContainsRune(s.castling, right) {
			b |= 1 << i
		}
	}
	if s.turn == black {
		b |= 1 << 4
	}
	if s.enPassant >= 0 {
		b |= 1 << 5
	}
	return b
}
