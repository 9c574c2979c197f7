package chess

import (
	"math/rand/v2"
	"slices"

	"github.com/corentings/chess/v2"
	"github.com/roomring/roomring/room"
)

// botID is the built-in opponent. A game with it is not rated.
const (
	botID   room.PlayerID = "roomring:bot"
	botName string        = "Roomring"
)

// botNodes bounds the positions that the built-in opponent looks at for one move. Each takes roughly half a
// microsecond, and every replay searches again.
const botNodes = 20_000

// botDrawAfter is how many half-moves must have been played before the built-in opponent agrees to a draw.
const botDrawAfter = 30

func (g *Game) botMove(t *room.Turn) {
	uci := think(g.line, int(g.options.Bot), t.Rand())
	g.play(t, found{uci, g.line.pos.ValidMoves()})
}

// botAcceptsDraw reports whether the built-in opponent accepts a draw: late enough, and if it is no better off.
func (g *Game) botAcceptsDraw(s side) bool {
	return len(g.line.plies) >= botDrawAfter && newBotBoard(g.line.board(), s).eval() <= 0
}

// candidate is a legal move at the root of the search.
type candidate struct {
	uci     string
	move    botMove
	repeats bool
	score   int
}

// think chooses a legal move by a search of depth half-moves, and of captures beyond them. It is a function of
// the line, the depth and the random source, which decides between equal moves.
func think(l *line, depth int, random *rand.Rand) string {
	list := candidates(l)
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	root, s := newBotBoard(l.board(), l.turn()), search{}
	for d := 1; d <= depth && s.nodes < botNodes; d++ {
		tried := slices.Clone(list)
		s.rank(root, tried, d)
		if d > 1 && s.nodes >= botNodes {
			break // the search has stopped before the last of them
		}
		list = tried
	}
	return list[0].uci
}

func candidates(l *line) []candidate {
	legal := l.pos.ValidMoves()
	list := make([]candidate, len(legal))
	for i := range legal {
		m := &legal[i]
		list[i] = candidate{uci: m.String(), move: botMoveOf(m), repeats: l.repeats(m.String())}
	}
	return list
}

// repeats reports whether a move brings back an earlier position.
func (l *line) repeats(uci string) bool {
	before := l.pos
	defer func() { l.pos = before }()
	if l.advance(uci); l.pos.HalfMoveClock() < 4 {
		return false
	}
	key, n := l.positionKey(boardOf(l.pos)), len(l.plies)
	for i := n - 1; i >= max(0, n-l.pos.HalfMoveClock()); i -= 2 {
		if l.standAt(i).key == key {
			return true
		}
	}
	return false
}

func botMoveOf(m *chess.Move) botMove {
	kinds := [...]int8{chess.Queen: botQueen, chess.Rook: botRook, chess.Bishop: botBishop, chess.Knight: botKnight, chess.Pawn: 0}
	return botMove{from: square88(m.S1()), to: square88(m.S2()), promo: kinds[m.Promo()]}
}

func square88(sq chess.Square) uint8 { return uint8(sq.Rank())<<4 | uint8(sq.File()) }

// search is an alpha-beta search with a bound on its positions.
type search struct{ nodes int }

const (
	mateScore = 100_000
	infinity  = 1_000_000
)

// rank scores the candidates and sorts them, the best first. Equal ones keep their order.
func (s *search) rank(root *botBoard, list []candidate, depth int) {
	alpha := -infinity
	for i := range list {
		next := *root
		next.make(list[i].move)
		list[i].score = -s.alphaBeta(&next, depth-1, 1, -infinity, -alpha)
		if list[i].repeats {
			list[i].score = 0
		}
		alpha = max(alpha, list[i].score)
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.score - a.score })
}

// alphaBeta is the score of a position for the side to move.
func (s *search) alphaBeta(b *botBoard, depth, ply, alpha, beta int) int {
	if depth <= 0 || s.nodes >= botNodes {
		return s.quiesce(b, alpha, beta)
	}
	s.nodes++
	var buf [128]botMove
	moved := false
	for _, m := range b.moves(buf[:0], false) {
		next := *b
		next.make(m)
		if next.inCheck(b.turn) {
			continue
		}
		moved = true
		alpha = max(alpha, -s.alphaBeta(&next, depth-1, ply+1, -beta, -alpha))
		if alpha >= beta {
			return alpha
		}
	}
	switch {
	case moved:
		return alpha
	case b.inCheck(b.turn):
		return ply - mateScore
	}
	return 0
}

// quiesce is the score after captures are played out, so that no position is judged in the middle of an exchange.
func (s *search) quiesce(b *botBoard, alpha, beta int) int {
	s.nodes++
	alpha = max(alpha, b.eval())
	if alpha >= beta || s.nodes >= botNodes {
		return alpha
	}
	var buf [64]botMove
	for _, m := range b.moves(buf[:0], true) {
		next := *b
		next.make(m)
		if next.inCheck(b.turn) {
			continue
		}
		alpha = max(alpha, -s.quiesce(&next, -beta, -alpha))
		if alpha >= beta {
			break
		}
	}
	return alpha
}
