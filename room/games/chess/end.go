package chess

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// Reasons for the end of a game, as Result.Reason and the view have them.
const (
	Checkmate        = "checkmate"   // the side that mates wins
	Resignation      = "resignation" // the other side wins
	Time             = "time"        // the flag of the side to move fell
	Abandoned        = "abandoned"   // a player left the seat, or lost it by staying away
	Agreement        = "agreement"   // drawn, like all below
	Stalemate        = "stalemate"
	Insufficient     = "insufficient"      // neither side has the material to mate
	TimeInsufficient = "time_insufficient" // a flag fell, and the other side has not the material to mate
	Repetition       = "repetition"        // claimed after the third occurrence
	Fivefold         = "fivefold"          // without a claim after the fifth
	FiftyMoves       = "fifty_moves"       // claimed
	SeventyFiveMoves = "seventyfive_moves" // without a claim
	Aborted          = "aborted"           // no result: it ended before both sides had acted in their turn
)

// byBoard are the endings that the position brings about, whoever is absent.
var byBoard = []string{Checkmate, Stalemate, Insufficient, Fivefold, SeventyFiveMoves}

// ending is how a game ended. Nobody is the winner of a draw or of an aborted game.
type ending struct {
	Winner side   `json:"winner"`
	Reason string `json:"reason"`
	Idle   string `json:"idle,omitempty"` // of an aborted game: the side that had not acted, "white" or "black"
}

// finish ends the game and stops the clocks. It aborts a game in which a side has not acted, unless the board ended it.
func (g *Game) finish(t *room.Turn, reason string, winner side) {
	g.over = &ending{Winner: winner, Reason: reason}
	if s := g.idle(); g.edition >= fair && s != nobody && !slices.Contains(byBoard, reason) {
		g.over = &ending{nobody, Aborted, s.String()}
	}
	g.clock.stop(g.line.turn(), t.Now())
	g.draw.close()
	g.undo.close()
	g.undoTo, g.away = 0, 0
	r := room.Result{
		Outcomes: g.outcomes(),
		Reason:   g.over.Reason,
		Summary:  g.over.summary(),
		Data:     g.record(),
		Unrated:  g.options.FEN != startFEN,

		IdleCounts: true, // this package decides itself who has acted
	}
	if g.edition >= fair && g.over.Reason == Aborted {
		t.Abort(r)
		return
	}
	t.Finish(r)
}

// idle is the first side that has not acted in its turn.
func (g *Game) idle() side {
	for s, p := range g.players {
		if !p.Bot && !g.acted[s] {
			return side(s)
		}
	}
	return nobody
}

// outcomes are ordered by seat. An aborted game has none.
func (g *Game) outcomes() []room.Outcome {
	out := make([]room.Outcome, 0, 2)
	if g.over.Reason == Aborted {
		return out
	}
	for s, p := range g.players {
		rank := 1
		if g.over.Winner == side(s).other() {
			rank = 2
		}
		out = append(out, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: rank, Bot: p.Bot})
	}
	if out[0].Seat > out[1].Seat {
		out[0], out[1] = out[1], out[0]
	}
	return out
}

// Record is the result's data.
type Record struct {
	PGN string `json:"pgn"`
	FEN string `json:"fen"` // the final position
}

func (g *Game) record() json.RawMessage {
	raw, err := json.Marshal(Record{g.pgn(), g.sheet.fen})
	if err != nil {
		panic(err) // two strings
	}
	return raw
}

// score is the PGN's result.
func (e *ending) score() string {
	switch {
	case e == nil || e.Reason == Aborted:
		return "*"
	case e.Winner == white:
		return "1-0"
	case e.Winner == black:
		return "0-1"
	}
	return "1/2-1/2"
}

var byReason = map[string]string{
	Checkmate: "by checkmate", Resignation: "by resignation", Time: "on time", Abandoned: "because the other side left",
	Agreement: "by agreement", Stalemate: "by stalemate", Insufficient: "because neither side can mate",
	TimeInsufficient: "because time ran out and the other side cannot mate", Repetition: "by threefold repetition",
	Fivefold: "by fivefold repetition", FiftyMoves: "by the fifty-move rule", SeventyFiveMoves: "by the seventy-five-move rule",
}

// summary is the ending for people.
func (e *ending) summary() string {
	switch {
	case e.Idle != "":
		return "The game was aborted before " + strings.ToUpper(e.Idle[:1]) + e.Idle[1:] + "'s first move, so it does not count"
	case e.Reason == Aborted:
		return "The game was aborted before the first move"
	case e.Winner == nobody:
		return "Drawn " + byReason[e.Reason]
	}
	return e.Winner.title() + " wins " + byReason[e.Reason]
}
