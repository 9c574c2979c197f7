package chess

import (
	"errors"
	"fmt"
	"strings"

	"github.com/corentings/chess/v2"
	"github.com/roomring/roomring/room"
)

// This file reads moves itself. The rules library's decoder shares memory between goroutines, accepts some
// wrong origins, and encodes every legal move to compare it.

// maxMoveText bounds the text of a move. The longest sensible texts are like "Qa1xb2+!?".
const maxMoveText = 16

// wanted is what a text asks for. File and rank of the origin are -1 where the text does not say.
type wanted struct {
	piece      chess.PieceType // NoPieceType: whatever stands on the origin
	file, rank int
	to         chess.Square
	promo      chess.PieceType
	castling   string
}

// found is a legal move and all legal moves of the position.
type found struct {
	uci   string
	legal []chess.Move
}

// find reads a move in SAN, long SAN or UCI notation. The error is a refusal that says what is wrong.
func (l *line) find(text string) (found, error) {
	text = strings.TrimSpace(text)
	w, ok := parseMove(text, l.turn())
	if !ok {
		if len(text) > maxMoveText {
			text = text[:maxMoveText] + "…"
		}
		return found{}, room.Refuse("bad_move", fmt.Sprintf("%q is not how a move is written: use e4, Nf3, exd5, O-O, e8=Q, or e2e4, e7e8q", text))
	}
	legal := l.pos.ValidMoves()
	var match []*chess.Move
	for i := range legal {
		if w.matches(l.pos, &legal[i]) {
			match = append(match, &legal[i])
		}
	}
	if len(match) == 1 && match[0].Promo() == w.promo {
		return found{match[0].String(), legal}, nil
	}
	return found{}, l.explain(text, w, match, legal)
}

// matches reports whether a move fits the text. A text that names no promotion fits all of them, so that the refusal can ask for
// one.
func (w *wanted) matches(pos *chess.Position, m *chess.Move) bool {
	from := m.S1()
	return m.S2() == w.to &&
		(w.promo == chess.NoPieceType || m.Promo() == w.promo) &&
		(w.file < 0 || int(from.File()) == w.file) &&
		(w.rank < 0 || int(from.Rank()) == w.rank) &&
		(w.piece == chess.NoPieceType || pos.Board().Piece(from).Type() == w.piece)
}

// explain is the refusal of a text that matches no move, or several.
func (l *line) explain(text string, w wanted, match []*chess.Move, legal []chess.Move) error {
	mover := l.turn()
	switch {
	case len(match) == 0:
		return room.Refuse("illegal_move", text+": "+l.whyNot(w, mover))
	case w.promo == chess.NoPieceType && match[0].Promo() != chess.NoPieceType:
		return room.Refuse("promotion_missing", fmt.Sprintf("%s: say what the pawn becomes, such as %s=Q or %sq", text, match[0].S2(), match[0].S1().String()+match[0].S2().String()))
	}
	var could []string
	for _, m := range match {
		could = append(could, encodeSAN(l.pos, legal, m))
	}
	return room.Refuse("ambiguous_move", text+" could be "+strings.Join(could, " or "))
}

func (l *line) whyNot(w wanted, mover side) string {
	why := ""
	if l.last().check {
		why = ", and is in check"
	}
	if w.castling != "" {
		return fmt.Sprintf("%s cannot castle %s now", mover.title(), w.castling)
	}
	if w.piece != chess.NoPieceType {
		return fmt.Sprintf("%s has no %s that can go to %s%s", mover.title(), pieceNames[w.piece], w.to, why)
	}
	from := chess.NewSquare(chess.File(w.file), chess.Rank(w.rank))
	p := l.pos.Board().Piece(from)
	if p.Color() != mover.color() {
		return fmt.Sprintf("%s has no piece on %s", mover.title(), from)
	}
	return fmt.Sprintf("%s's %s on %s cannot go to %s%s", mover.title(), pieceNames[p.Type()], from, w.to, why)
}

// parseMove reads all notations. A text of two squares is UCI, whatever piece stands on the first.
func parseMove(text string, mover side) (wanted, bool) {
	w := wanted{file: -1, rank: -1}
	if len(text) > maxMoveText {
		return w, false
	}
	text = strings.TrimRight(strings.TrimSuffix(strings.TrimRight(text, "+#!?"), "e.p."), " ")
	if w.parseCastling(text, mover) {
		return w, true
	}
	text, w.promo = cutPromotion(text)
	if len(text) == 4 && isSquare(text[:2]) && isSquare(text[2:]) {
		w.from(text[:2])
		w.to = square(text[2:])
		return w, true
	}
	w.piece = chess.Pawn
	if i := strings.IndexByte("KQRBN", first(text)); i >= 0 {
		w.piece, text = chess.PieceType(i)+chess.King, text[1:]
	}
	if len(text) < 2 || !isSquare(text[len(text)-2:]) {
		return w, false
	}
	w.to = square(text[len(text)-2:])
	return w, w.from(strings.TrimRight(text[:len(text)-2], "x:-"))
}

// parseCastling reads O-O and O-O-O, also with zeros or lower-case letters.
func (w *wanted) parseCastling(text string, mover side) bool {
	file := chess.FileG
	switch strings.Map(upperO, text) {
	case "O-O":
		w.castling = "kingside"
	case "O-O-O":
		w.castling, file = "queenside", chess.FileC
	default:
		return false
	}
	w.piece, w.file, w.to = chess.King, int(chess.FileE), chess.NewSquare(file, mover.homeRank())
	return true
}

func upperO(r rune) rune {
	if r == '0' || r == 'o' {
		return 'O'
	}
	return r
}

// cutPromotion takes =Q, (Q), /Q, Q or q from the end of a move.
func cutPromotion(text string) (string, chess.PieceType) {
	rest := strings.TrimSuffix(text, ")")
	if len(rest) < 3 {
		return text, chess.NoPieceType
	}
	i := strings.IndexByte("QRBN", rest[len(rest)-1]&^0x20)
	rest = strings.TrimRight(rest[:len(rest)-1], "=(/")
	if i < 0 || len(rest) < 2 || !isSquare(rest[len(rest)-2:]) {
		return text, chess.NoPieceType
	}
	return rest, chess.PieceType(i) + chess.Queen
}

// from reads the origin in a text: nothing, a file, a rank or both.
func (w *wanted) from(text string) bool {
	if text != "" && text[0] >= 'a' && text[0] <= 'h' {
		w.file, text = int(text[0]-'a'), text[1:]
	}
	if text != "" && text[0] >= '1' && text[0] <= '8' {
		w.rank, text = int(text[0]-'1'), text[1:]
	}
	return text == ""
}

func first(text string) byte {
	if text == "" {
		return 0
	}
	return text[0]
}

func isSquare(s string) bool {
	return len(s) == 2 && s[0] >= 'a' && s[0] <= 'h' && s[1] >= '1' && s[1] <= '8'
}

func square(s string) chess.Square {
	return chess.NewSquare(chess.File(s[0]-'a'), chess.Rank(s[1]-'1'))
}

// encodeSAN writes a legal move by appendix C of the FIDE Laws of Chess, without the mark of check.
func encodeSAN(pos *chess.Position, legal []chess.Move, m *chess.Move) string {
	switch {
	case m.HasTag(chess.KingSideCastle):
		return "O-O"
	case m.HasTag(chess.QueenSideCastle):
		return "O-O-O"
	}
	p := pos.Board().Piece(m.S1())
	capture := m.HasTag(chess.Capture) || m.HasTag(chess.EnPassant)
	b := append(make([]byte, 0, 8), pieceLetters[p.Type()]...)
	switch {
	case p.Type() != chess.Pawn:
		b = appendOrigin(b, pos, legal, m, p)
	case capture:
		b = append(b, m.S1().File().Byte())
	}
	if capture {
		b = append(b, 'x')
	}
	b = append(b, m.S2().String()...)
	if m.Promo() != chess.NoPieceType {
		b = append(append(b, '='), pieceLetters[m.Promo()]...)
	}
	return string(b)
}

// appendOrigin adds what distinguishes the piece from others of its kind: the file if that is enough, else the
// rank, else both.
func appendOrigin(b []byte, pos *chess.Position, legal []chess.Move, m *chess.Move, p chess.Piece) []byte {
	rivals, sameFile, sameRank := false, false, false
	for i := range legal {
		o := &legal[i]
		if o.S2() != m.S2() || o.S1() == m.S1() || pos.Board().Piece(o.S1()) != p {
			continue
		}
		rivals = true
		sameFile = sameFile || o.S1().File() == m.S1().File()
		sameRank = sameRank || o.S1().Rank() == m.S1().Rank()
	}
	if rivals && (!sameFile || sameRank) {
		b = append(b, m.S1().File().Byte())
	}
	if rivals && sameFile {
		b = append(b, m.S1().Rank().Byte())
	}
	return b
}

// checkUCI refuses a saved move that is not possible on the board.
func checkUCI(pos *chess.Position, uci string) error {
	if len(uci) < 4 || len(uci) > 5 || !isSquare(uci[:2]) || !isSquare(uci[2:4]) {
		return errors.New("not a move")
	}
	p := pos.Board().Piece(square(uci[:2]))
	promotes := p.Type() == chess.Pawn && (uci[3] == '1' || uci[3] == '8')
	if p.Color() != pos.Turn() || promotes != (len(uci) == 5) || promotes && strings.IndexByte("qrbn", uci[4]) < 0 {
		return errors.New("not a move on this board")
	}
	return nil
}
