package liarsdice

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/roomring/roomring/room"
)

// Reasons for the end of a game, as Result.Reason and the view have them.
const (
	LastDice  = "last_dice" // one player is left with dice
	Abandoned = "abandoned" // the last opponent left, or all people did
	Aborted   = "aborted"   // fewer than two had bid or called in person, so there is no result
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
	if !g.Begun || g.Edition >= fair && g.rankPlayed() < 2 {
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
	r := room.Result{Outcomes: g.outcomes(), Reason: reason, Summary: g.Ending.Summary, Data: data, IdleCounts: true}
	if g.Edition >= fair && reason == Aborted {
		t.Abort(r)
		return
	}
	t.Finish(r)
}

func (h *Hand) played() bool { return h.Bot || h.Acted }

// rankPlayed ranks the players who acted among themselves, takes the rank of the others, and returns how many acted.
func (g *Game) rankPlayed() (n int) {
	ranks := make([]int, len(g.Table))
	for i := range g.Table {
		if !g.Table[i].played() {
			continue
		}
		n++
		ranks[i] = 1
		for j := range g.Table {
			if g.Table[j].played() && g.Table[j].Rank < g.Table[i].Rank {
				ranks[i]++
			}
		}
	}
	for i := range g.Table {
		g.Table[i].Rank = ranks[i]
	}
	return n
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
		e.Summary = g.whyAborted()
		return e
	case len(first) != 1:
		e.Summary = "Everybody left"
		return e
	}
	e.Winner = first[0].Seat
	e.Summary = fmt.Sprintf("%s wins with %s left", first[0].name(), dice(first[0].Count))
	switch {
	case first[0].Count == 0:
		e.Summary = first[0].name() + " wins, being the best of those who played"
	case reason == Abandoned:
		e.Summary = first[0].name() + " wins because the others left"
	}
	return e
}

func (g *Game) whyAborted() string {
	switch i := slices.IndexFunc(g.Table, func(h Hand) bool { return h.played() }); {
	case g.Edition < fair || !g.Begun:
		return "The game was aborted before the first bid"
	case i < 0:
		return "The game was aborted: nobody played, so it does not count"
	default:
		return fmt.Sprintf("The game was aborted: only %s played, so it does not count", g.Table[i].name())
	}
}

func dice(n int) string {
	if n == 1 {
		return "one die"
	}
	return fmt.Sprintf("%d dice", n)
}

// outcomes are ordered by seat. An aborted game has none, and players who never acted have none.
func (g *Game) outcomes() []room.Outcome {
	out := make([]room.Outcome, 0, len(g.Table))
	if g.Ending.Reason == Aborted {
		return out
	}
	for _, h := range g.Table {
		if h.Rank == 0 {
			continue
		}
		out = append(out, room.Outcome{Player: h.ID, Name: h.Name, Seat: h.Seat, Rank: h.Rank, Score: int64(h.Count), Bot: h.Bot})
	}
	return out
}
