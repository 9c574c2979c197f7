package chess

import (
	"strings"

	"github.com/roomring/roomring/room"
)

// View is what everybody sees; chess hides nothing. A move changes few bytes of a view, and passing time
// changes none.
//
// It lists no legal moves, which would be most of its bytes. A client that shows them uses a
// chess library. An illegal move is refused with its reason.
type View struct {
	Status string `json:"status"`          // "waiting", "playing" or "over"
	FEN    string `json:"fen"`             // with an en passant square only if such a capture is legal
	Turn   string `json:"turn"`            // "white" or "black"
	Check  bool   `json:"check,omitempty"` // the side to move is in check
	// Moves are the score sheet by move number: {"1": "e4 e5", "2": "Nf3"}, in SAN. Order the
	// names as numbers. If Black began, the first starts with "…".
	Moves map[int]string `json:"moves"`
	Last  string         `json:"last,omitempty"` // the last move in UCI notation

	White PlayerView `json:"white,omitzero"` // once the game has started
	Black PlayerView `json:"black,omitzero"`

	Clock ClockView `json:"clock,omitzero"` // absent in a game without clocks
	// AwayUntilMS is when the side to move loses by being away, in milliseconds of room time. It is absent while the side is
	// connected, and in a game with clocks.
	AwayUntilMS int64 `json:"away_until_ms,omitempty"`

	DrawOffer     string `json:"draw_offer,omitempty"`     // who offers a draw: "white" or "black"
	TakebackOffer string `json:"takeback_offer,omitempty"` // who asks to take a move back
	TakebackPly   int    `json:"takeback_ply,omitempty"`   // the first half-move, from 1, that would be taken back; all later ones go too
	Claim         string `json:"claim,omitempty"`          // the draw both players may claim: "repetition" or "fifty_moves"
	Takeback      bool   `json:"takeback,omitempty"`       // whether the game allows taking back

	Result ResultView `json:"result,omitzero"` // once it is over
}

// PlayerView is the player of a side.
type PlayerView struct {
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Seat   int           `json:"seat"`
	Online bool          `json:"online"`
	Bot    bool          `json:"bot,omitempty"`
}

// ClockView is both sides' time in milliseconds. The side to move has been thinking since SinceMS of room time;
// its time is what it had left then.
type ClockView struct {
	WhiteMS     int64 `json:"white_ms"`
	BlackMS     int64 `json:"black_ms"`
	SinceMS     int64 `json:"since_ms"`
	InitialMS   int64 `json:"initial_ms"`
	IncrementMS int64 `json:"increment_ms"`
}

// ResultView is how the game ended.
type ResultView struct {
	Score   string `json:"score"`            // "1-0", "0-1", "1/2-1/2", or "*" when aborted
	Winner  string `json:"winner,omitempty"` // "white" or "black"
	Reason  string `json:"reason"`           // one of the reasons of this package
	Summary string `json:"summary"`
}

// sheet is the part of the view that follows from the moves, kept from one view to the next.
type sheet struct {
	fen   string
	claim string
	moves map[int]string
}

// write rebuilds the sheet.
func (s *sheet) write(l *line) {
	s.moves = make(map[int]string)
	for i := range l.plies {
		s.note(l, i)
	}
	s.update(l)
}

// add appends the last move.
func (s *sheet) add(l *line) {
	s.note(l, len(l.plies)-1)
	s.update(l)
}

func (s *sheet) note(l *line, i int) {
	number, san := l.number(i), l.plies[i].san
	switch {
	case l.mover(i) == white:
		s.moves[number] = san
	case i == 0:
		s.moves[number] = "… " + san
	default:
		s.moves[number] += " " + san
	}
}

func (s *sheet) update(l *line) {
	s.fen, s.claim = l.fen(), l.claimable()
}

// View shows the game, which is the same for everybody.
func (g *Game) View(room.Viewer) View {
	v := View{
		Status: g.status(), FEN: g.sheet.fen, Turn: g.line.turn().String(), Check: g.line.last().check,
		Moves:     g.sheet.moves,
		White:     g.players[white].view(),
		Black:     g.players[black].view(),
		Clock:     g.clock.view(),
		DrawOffer: g.draw.By.String(), TakebackOffer: g.undo.By.String(),
		Takeback: g.options.Takeback, AwayUntilMS: g.away.Milliseconds(),
	}
	if g.edition >= fair && g.undo.By != nobody {
		v.TakebackPly = g.undoTo + 1
	}
	if n := len(g.line.plies); n > 0 {
		v.Last = g.line.plies[n-1].uci
	}
	if g.over != nil {
		v.Result = ResultView{g.over.score(), g.over.Winner.String(), g.over.Reason, g.over.summary()}
	} else {
		v.Claim = g.sheet.claim
	}
	return v
}

func (g *Game) status() string {
	switch {
	case g.over != nil:
		return "over"
	case g.started:
		return "playing"
	}
	return "waiting"
}

func (c *contender) view() PlayerView {
	return PlayerView{Player: c.ID, Name: strings.ToValidUTF8(c.Name, "�"), Seat: c.Seat, Online: c.Online, Bot: c.Bot}
}

func (c *clock) view() ClockView {
	if !c.on {
		return ClockView{}
	}
	return ClockView{
		c.Left[white].Milliseconds(), c.Left[black].Milliseconds(), c.Since.Milliseconds(),
		c.initial.Milliseconds(), c.increment.Milliseconds(),
	}
}
