package chess

import "github.com/corentings/chess/v2"

// side is one of the two colours, as an index.
type side int

const (
	white side = iota
	black
	nobody side = -1
)

func sideOf(c chess.Color) side {
	if c == chess.Black {
		return black
	}
	return white
}

func (s side) other() side { return 1 - s }

func (s side) color() chess.Color {
	if s == black {
		return chess.Black
	}
	return chess.White
}

// String is the side's name in views and options, empty for nobody.
func (s side) String() string {
	switch s {
	case white:
		return "white"
	case black:
		return "black"
	}
	return ""
}

// title is the side's name in sentences.
func (s side) title() string { return s.color().Name() }

// homeRank is the rank the side's king starts on.
func (s side) homeRank() chess.Rank {
	if s == black {
		return chess.Rank8
	}
	return chess.Rank1
}

var pieceNames = [...]string{
	chess.NoPieceType: "piece", chess.King: "king", chess.Queen: "queen", chess.Rook: "rook",
	chess.Bishop: "bishop", chess.Knight: "knight", chess.Pawn: "pawn",
}

var pieceLetters = [...]string{
	chess.King: "K", chess.Queen: "Q", chess.Rook: "R", chess.Bishop: "B", chess.Knight: "N", chess.Pawn: "",
}
