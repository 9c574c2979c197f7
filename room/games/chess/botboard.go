package chess

import (
	"slices"
	"strings"
)

// botBoard is a small board for the built-in opponent's search. It is cheap to copy, and keeps its score up to date.
// Squares are numbered rank<<4 | file, so that one bit test finds a step off the board. Method moves leaves out
// castling, en passant and underpromotion; method make makes them too.
type botBoard struct {
	squares [128]int8 // botPawn to botKing, negative for Black
	kings   [2]uint8
	turn    side
	score   int32 // for White: material and its squares
	endgame bool
}

const (
	botPawn int8 = iota + 1
	botKnight
	botBishop
	botRook
	botQueen
	botKing
)

type botMove struct {
	from, to uint8
	promo    int8 // kind, or 0
}

var botWorth = [...]int32{botPawn: 100, botKnight: 320, botBishop: 330, botRook: 500, botQueen: 900, botKing: 0}

// newBotBoard reads the first field of a FEN.
func newBotBoard(board string, turn side) *botBoard {
	b := &botBoard{turn: turn, endgame: !strings.ContainsAny(board, "Qq")}
	rank, file := uint8(7), uint8(0)
	for _, c := range []byte(board) {
		switch {
		case c == '/':
			rank, file = rank-1, 0
		case c <= '8':
			file += c - '0'
		default:
			kind := int8(strings.IndexByte("pnbrqk", c|0x20) + 1)
			b.put(rank<<4|file, kind*ownerOf(c).sign())
			file++
		}
	}
	return b
}

// sign is what a side's pieces are multiplied by.
func (s side) sign() int8 { return int8(1 - 2*s) }

func (b *botBoard) put(sq uint8, p int8) {
	b.squares[sq] = p
	b.score += b.worth(sq, p)
	switch p {
	case botKing:
		b.kings[white] = sq
	case -botKing:
		b.kings[black] = sq
	}
}

func (b *botBoard) clear(sq uint8) int8 {
	p := b.squares[sq]
	if p != 0 {
		b.score -= b.worth(sq, p)
		b.squares[sq] = 0
	}
	return p
}

// worth is a piece's value on a square, negative for a black piece.
func (b *botBoard) worth(sq uint8, p int8) int32 {
	if p < 0 {
		return -b.worth(sq^0x70, -p)
	}
	table := &botTables[p]
	if p == botKing && b.endgame {
		table = &botTables[0]
	}
	return botWorth[p] + int32(table[(7-sq>>4)*8+sq&7])
}

// make makes a move of the side to move. It recognises castling and en passant by their squares.
func (b *botBoard) make(m botMove) {
	taken, p := b.clear(m.to), b.clear(m.from)
	kind := p * b.turn.sign()
	switch {
	case kind == botKing && m.to == m.from+2:
		b.put(m.from+1, b.clear(m.from+3))
	case kind == botKing && m.to+2 == m.from:
		b.put(m.from-1, b.clear(m.from-4))
	case kind == botPawn && taken == 0 && m.from&7 != m.to&7:
		b.clear(m.from&0x70 | m.to&7)
	}
	if m.promo != 0 {
		p = m.promo * b.turn.sign()
	}
	b.put(m.to, p)
	b.turn = b.turn.other()
}

// eval is the value of the position for the side to move, in hundredths of a pawn.
func (b *botBoard) eval() int {
	score := b.score
	if b.endgame && (score > 300 || score < -300) {
		score += b.chase()
	}
	return int(score) * int(b.turn.sign())
}

// chase rewards driving the weaker king to the edge and coming near it. Without it a short search would never
// find a mate.
func (b *botBoard) chase() int32 {
	strong := white
	if b.score < 0 {
		strong = black
	}
	weak, near := b.kings[strong.other()], b.kings[strong]
	edge := max(3-int(weak&7), int(weak&7)-4) + max(3-int(weak>>4), int(weak>>4)-4)
	apart := max(abs(int(weak&7)-int(near&7)), abs(int(weak>>4)-int(near>>4)))
	return int32(10*edge-5*apart) * int32(strong.sign())
}

func abs(n int) int { return max(n, -n) }

var (
	knightSteps = []int{-33, -31, -18, -14, 14, 18, 31, 33}
	rookSteps   = []int{-16, -1, 1, 16}
	bishopSteps = []int{-17, -15, 15, 17}
	kingSteps   = []int{-17, -16, -15, -1, 1, 15, 16, 17}
)

// inCheck reports whether a side's king is attacked.
func (b *botBoard) inCheck(s side) bool {
	king, enemy := int(b.kings[s]), s.other().sign()
	for _, d := range [2]int{15, 17} {
		if at := king + d*int(s.sign()); at&0x88 == 0 && b.squares[at] == botPawn*enemy {
			return true
		}
	}
	return b.reaches(king, knightSteps, false, botKnight*enemy, botKnight*enemy) ||
		b.reaches(king, kingSteps, false, botKing*enemy, botKing*enemy) ||
		b.reaches(king, rookSteps, true, botRook*enemy, botQueen*enemy) ||
		b.reaches(king, bishopSteps, true, botBishop*enemy, botQueen*enemy)
}

// reaches reports whether the first piece in one of the directions is one of two pieces.
func (b *botBoard) reaches(from int, steps []int, slide bool, p, q int8) bool {
	for _, d := range steps {
		for at := from + d; at&0x88 == 0; at += d {
			if x := b.squares[at]; x != 0 || !slide {
				if x == p || x == q {
					return true
				}
				break
			}
		}
	}
	return false
}

// moves appends the side's moves, captures of valuable pieces first. Some may leave the king in check.
func (b *botBoard) moves(list []botMove, captures bool) []botMove {
	own := b.turn.sign()
	for sq := range 128 {
		if sq&0x88 != 0 || b.squares[sq]*own <= 0 {
			continue
		}
		switch b.squares[sq] * own {
		case botPawn:
			list = b.pawnMoves(list, sq, captures)
		case botKnight:
			list = b.walk(list, sq, knightSteps, false, captures)
		case botBishop:
			list = b.walk(list, sq, bishopSteps, true, captures)
		case botRook:
			list = b.walk(list, sq, rookSteps, true, captures)
		case botQueen:
			list = b.walk(list, sq, kingSteps, true, captures)
		case botKing:
			list = b.walk(list, sq, kingSteps, false, captures)
		}
	}
	slices.SortStableFunc(list, func(x, y botMove) int { return b.gain(y) - b.gain(x) })
	return list
}

// gain orders moves: captures of valuable pieces by cheap ones come first.
func (b *botBoard) gain(m botMove) int {
	taken := b.squares[m.to]
	if taken == 0 {
		return int(m.promo)
	}
	return 16*abs(int(taken)) - abs(int(b.squares[m.from])) + int(m.promo)
}

func (b *botBoard) walk(list []botMove, from int, steps []int, slide, captures bool) []botMove {
	own := b.turn.sign()
	for _, d := range steps {
		for at := from + d; at&0x88 == 0; at += d {
			p := b.squares[at] * own
			if p < 0 || p == 0 && !captures {
				list = append(list, botMove{from: uint8(from), to: uint8(at)})
			}
			if p != 0 || !slide {
				break
			}
		}
	}
	return list
}

func (b *botBoard) pawnMoves(list []botMove, from int, captures bool) []botMove {
	own := int(b.turn.sign())
	for _, d := range [2]int{15, 17} {
		if at := from + d*own; at&0x88 == 0 && int(b.squares[at])*own < 0 {
			list = append(list, pawnMove(from, at))
		}
	}
	if at := from + 16*own; b.squares[at] == 0 && (!captures || at>>4 == 0 || at>>4 == 7) {
		list = append(list, pawnMove(from, at))
		second := b.turn == white && from>>4 == 1 || b.turn == black && from>>4 == 6
		if far := at + 16*own; second && b.squares[far] == 0 {
			list = append(list, botMove{from: uint8(from), to: uint8(far)})
		}
	}
	return list
}

func pawnMove(from, to int) botMove {
	m := botMove{from: uint8(from), to: uint8(to)}
	if to>>4 == 0 || to>>4 == 7 {
		m.promo = botQueen
	}
	return m
}

// botTables are the values of squares for White's pieces, from a8 to h1. They are those of Tomasz Michniewski's
// "simplified evaluation function". The first is the king's in the endgame.
var botTables = [...][64]int8{
	{
		-50, -40, -30, -20, -20, -30, -40, -50,
		-30, -20, -10, 0, 0, -10, -20, -30,
		-30, -10, 20, 30, 30, 20, -10, -30,
		-30, -10, 30, 40, 40, 30, -10, -30,
		-30, -10, 30, 40, 40, 30, -10, -30,
		-30, -10, 20, 30, 30, 20, -10, -30,
		-30, -30, 0, 0, 0, 0, -30, -30,
		-50, -30, -30, -30, -30, -30, -30, -50,
	},
	botPawn: {
		0, 0, 0, 0, 0, 0, 0, 0,
		50, 50, 50, 50, 50, 50, 50, 50,
		10, 10, 20, 30, 30, 20, 10, 10,
		5, 5, 10, 25, 25, 10, 5, 5,
		0, 0, 0, 20, 20, 0, 0, 0,
		5, -5, -10, 0, 0, -10, -5, 5,
		5, 10, 10, -20, -20, 10, 10, 5,
		0, 0, 0, 0, 0, 0, 0, 0,
	},
	botKnight: {
		-50, -40, -30, -30, -30, -30, -40, -50,
		-40, -20, 0, 0, 0, 0, -20, -40,
		-30, 0, 10, 15, 15, 10, 0, -30,
		-30, 5, 15, 20, 20, 15, 5, -30,
		-30, 0, 15, 20, 20, 15, 0, -30,
		-30, 5, 10, 15, 15, 10, 5, -30,
		-40, -20, 0, 5, 5, 0, -20, -40,
		-50, -40, -30, -30, -30, -30, -40, -50,
	},
	botBishop: {
		-20, -10, -10, -10, -10, -10, -10, -20,
		-10, 0, 0, 0, 0, 0, 0, -10,
		-10, 0, 5, 10, 10, 5, 0, -10,
		-10, 5, 5, 10, 10, 5, 5, -10,
		-10, 0, 10, 10, 10, 10, 0, -10,
		-10, 10, 10, 10, 10, 10, 10, -10,
		-10, 5, 0, 0, 0, 0, 5, -10,
		-20, -10, -10, -10, -10, -10, -10, -20,
	},
	botRook: {
		0, 0, 0, 0, 0, 0, 0, 0,
		5, 10, 10, 10, 10, 10, 10, 5,
		-5, 0, 0, 0, 0, 0, 0, -5,
		-5, 0, 0, 0, 0, 0, 0, -5,
		-5, 0, 0, 0, 0, 0, 0, -5,
		-5, 0, 0, 0, 0, 0, 0, -5,
		-5, 0, 0, 0, 0, 0, 0, -5,
		0, 0, 0, 5, 5, 0, 0, 0,
	},
	botQueen: {
		-20, -10, -10, -5, -5, -10, -10, -20,
		-10, 0, 0, 0, 0, 0, 0, -10,
		-10, 0, 5, 5, 5, 5, 0, -10,
		-5, 0, 5, 5, 5, 5, 0, -5,
		0, 0, 5, 5, 5, 5, 0, -5,
		-10, 5, 5, 5, 5, 5, 0, -10,
		-10, 0, 5, 0, 0, 0, 0, -10,
		-20, -10, -10, -5, -5, -10, -10, -20,
	},
	botKing: {
		-30, -40, -40, -50, -50, -40, -40, -30,
		-30, -40, -40, -50, -50, -40, -40, -30,
		-30, -40, -40, -50, -50, -40, -40, -30,
		-30, -40, -40, -50, -50, -40, -40, -30,
		-20, -30, -30, -40, -40, -30, -30, -20,
		-10, -20, -20, -20, -20, -20, -20, -10,
		20, 20, 0, 0, 0, 0, 20, 20,
		20, 30, 10, 0, 0, 10, 30, 20,
	},
}
