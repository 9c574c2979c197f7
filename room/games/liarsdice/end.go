package liarsdice

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/room"
)

// Reasons for the end of a game, as Result.Reason and the view have them.
const (
	LastDice  = "last_dice" // one player is left with dice
	Abandoned = "abandoned" // the last opponent left, or all people did
	Aborted   = "aborted"   // the last opponent left before anybody had bid: no result
)

// Ending is how a game ended. Before that it is zero.
type Ending struct {
	Winner  int    `json:"winner"` // the seat, or -1
	Reason  string `json:"reason"`
	Summary string `json:"summary"` // for people
}

// Record is the result's data.
type Record struct {
	Rounds int `json:"rounds"`
}

// finish ends the game and gives everybody a place.
func (g *Game) finish(t *room.Turn, reason string) {
	g.Status, g.Deadline, g.Turn = Over, 0, nobody
	g.rank()
	if !g.Begun {
		reason = Aborted
	}
	g.Ending = g.ending(reason)
	for i := range g.Table {
		h := &g.Table[i]
		h.Dice = nil
		if reason == Aborted {
			h.Rank = 0
		}
	}
	data, err := json.Marshal(Record{g.Round})
	if err != nil {
		panic(err) // an integer
	}
	t.Finish(room.Result{Outcomes: g.outcomes(), Reason: reason, Summary: g.Ending.Summary, Data: data})
}

// rank gives those who still have dice their places: the more dice, the better.
func (g *Game) rank() {
	for i := range g.Table {
		h := &g.Table[i]
		if !h.in() {
			continue
		}
		h.Rank = 1
		for j := range g.Table {
			if g.Table[j].Count > h.Count {
				h.Rank++
			}
		}
	}
}

func (g *Game) ending(reason string) Ending {
	e := Ending{Winner: nobody, Reason: reason}
	var first []*Hand
	for i := range g.Table {
		if g.Table[i].Rank == 1 {
			first = append(first, &g.Table[i])
		}
	}
	switch {
	case reason == Aborted:
		e.Summary = "The game was aborted before the first bid"
		return e
	case len(first) != 1:
		e.Summary = "Everybody left"
		return e
	}
	e.Winner = first[0].Seat
	e.Summary = fmt.Sprintf("%s wins with %s left", first[0].name(), dice(first[0].Count))
	if reason == Abandoned {
		e.Summary = first[0].name() + " wins because the others left"
	}
	return e
}

func dice(n int) string {
	if n == 1 {
		return "one die"
	}
	return fmt.Sprintf("%d dice", n)
}

// outcomes are by seat. An aborted game has none.
func (g *Game) outcomes() []room.Outcome {
	out := make([]room.Outcome, 0, len(g.Table))
	if g.Ending.Reason == Aborted {
		return out
	}
	for _, h := range g.Table {
		out = append(out, room.Outcome{Player: h.ID, Name: h.Name, Seat: h.Seat, Rank: h.Rank, Score: int64(h.Count), Bot: h.Bot})
	}
	return out
}
