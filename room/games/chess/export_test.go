package chess

import "math/rand/v2"

// RandomMove is any legal move in a position.
func RandomMove(fen string, random *rand.Rand) string {
	l, err := newLine(fen)
	if err != nil {
		panic(err)
	}
	legal := l.pos.ValidMoves()
	return legal[random.IntN(len(legal))].String()
}

// BotGame has the built-in opponent play against itself, and says how the position ended the game.
func BotGame(level int, random *rand.Rand) (moves []string, reason string) {
	l, err := newLine(startFEN)
	if err != nil {
		panic(err)
	}
	for reason = l.verdict(); reason == ""; reason = l.verdict() {
		uci := think(l, level, random)
		l.play(found{uci, l.pos.ValidMoves()})
		moves = append(moves, uci)
	}
	return moves, reason
}
