package snakes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// Reasons for the end of a game, as Result.Reason has them.
const (
	AllRounds = "rounds"    // all rounds are played
	Abandoned = "abandoned" // too few players were left
)

func (g *Game) finish(t *room.Turn, reason string) {
	g.Phase, g.Left = Over, 0
	outcomes := g.outcomes()
	switch {
	case g.Edition < fair || len(outcomes) > 1:
		t.Finish(room.Result{Outcomes: outcomes, Reason: reason, Summary: summary(outcomes)})
	case len(outcomes) == 1:
		t.Abort(room.Result{Summary: fmt.Sprintf("The game was aborted: only %s played, so it does not count", outcomes[0].Name)})
	default:
		t.Abort(room.Result{Summary: "The game was aborted: nobody played, so it does not count"})
	}
}

// ranking are the roster indexes of the contenders who had a snake and steered it, best first. Those who left come after those
// who stayed or were cut off.
func (g *Game) ranking() []int {
	var order []int
	for i := range g.Roster {
		c := &g.Roster[i]
		if c.Entered > 0 && (c.Acted || c.Bot || g.Edition < fair) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return g.Roster[a].compare(&g.Roster[b]) })
	return order
}

// compare is negative if c ranks before o, and 0 if they draw.
func (c *Contender) compare(o *Contender) int {
	switch {
	case c.quit() == o.quit():
		return cmp.Compare(o.Points, c.Points)
	case c.quit():
		return 1
	}
	return -1
}

func (c *Contender) quit() bool { return c.Gone && !c.Cut }

// ranks are by roster index; 0 is no rank.
func (g *Game) ranks() []int {
	ranks, order := make([]int, len(g.Roster)), g.ranking()
	for n, i := range order {
		ranks[i] = n + 1
		if n > 0 && g.Roster[i].compare(&g.Roster[order[n-1]]) == 0 {
			ranks[i] = ranks[order[n-1]]
		}
	}
	return ranks
}

func (g *Game) outcomes() []room.Outcome {
	out := []room.Outcome{}
	for i, rank := range g.ranks() {
		if c := &g.Roster[i]; rank > 0 {
			out = append(out, room.Outcome{Player: c.ID, Name: c.Name, Seat: c.Seat, Rank: rank, Score: int64(c.Points), Bot: c.Bot})
		}
	}
	slices.SortStableFunc(out, func(a, b room.Outcome) int { return cmp.Compare(a.Seat, b.Seat) })
	return out
}

// summary is the ending for people.
func summary(outcomes []room.Outcome) string {
	var names []string
	var score int64
	for _, o := range outcomes {
		if o.Rank == 1 {
			names, score = append(names, o.Name), o.Score
		}
	}
	switch n := len(names); {
	case n == 0:
		return "Nobody played"
	case n == 1:
		return fmt.Sprintf("%s wins with %s", names[0], counted(score))
	case n > 3:
		return fmt.Sprintf("%d share the first place with %s", n, counted(score))
	}
	return fmt.Sprintf("%s share the first place with %s", strings.Join(names, " and "), counted(score))
}

func counted(points int64) string {
	if points == 1 {
		return "1 point"
	}
	return fmt.Sprintf("%d points", points)
}
