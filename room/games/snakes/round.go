package snakes

import "github.com/roomring/roomring/room"

// Tick plays on, by a fifteenth of a second. Nothing happens while nobody is connected.
func (g *Game) Tick(t *room.Turn) {
	if g.Phase == Waiting || g.Phase == Over {
		return
	}
	g.ground()
	if g.Phase == Playing {
		g.move(t)
	}
	g.Left--
	switch {
	case g.Left <= 0 || g.Phase == Playing && g.decided():
		g.nextPhase(t)
	case g.Phase != Pause:
		g.enter(t)
		g.feed(t)
	}
}

// decided reports whether a round need not go on: nobody is left to beat, or no player to do it.
func (g *Game) decided() bool {
	people := 0
	for _, s := range g.Snakes {
		if !g.Roster[s.Number-1].Bot {
			people++
		}
	}
	return g.Born > 0 && people == 0 || g.Born > 1 && len(g.Snakes) == 1
}

func (g *Game) nextPhase(t *room.Turn) {
	switch {
	case g.Phase == Ready:
		g.Phase, g.Left = Playing, g.Options.RoundSeconds*tickRate
	case g.Phase == Playing:
		g.endRound(t)
	case g.enough():
		g.startRound(t)
	default:
		g.finish(t, Abandoned)
	}
}

// startRound clears the field and begins the countdown.
func (g *Game) startRound(t *room.Turn) {
	g.clear()
	g.Round++
	g.Phase, g.Left = Ready, g.Options.StartSeconds*tickRate
	for i := range g.Roster {
		g.Roster[i].Before = g.Roster[i].Points
	}
	g.enter(t)
	for g.feed(t) {
	}
}

// clear takes everything off the field.
func (g *Game) clear() {
	g.Clock, g.Born, g.Snakes, g.Food, g.land = 0, 0, nil, map[int]int{}, nil
	g.ground()
}

// standDown waits for players again, before the first round has begun.
func (g *Game) standDown() {
	g.clear()
	g.Phase, g.Left, g.Round = Waiting, 0, 0
	for i := range g.Roster {
		c := &g.Roster[i]
		c.Points, c.Entered = 0, 0
	}
}

// RoundOver is the data of the event "round".
type RoundOver struct {
	Round int   `json:"round"`
	Best  []int `json:"best"` // the numbers of those with the most points of the round
}

func (g *Game) endRound(t *room.Turn) {
	t.Broadcast("round", RoundOver{g.Round, g.best()})
	if g.Round == g.Options.Rounds {
		g.finish(t, AllRounds)
		return
	}
	g.Phase, g.Left = Pause, g.Options.PauseSeconds*tickRate
}

func (g *Game) best() []int {
	best, most := []int{}, 0
	for i := range g.Roster {
		c := &g.Roster[i]
		points := c.Points - c.Before
		if c.Entered != g.Round || points < most {
			continue
		}
		if points > most {
			best, most = best[:0], points
		}
		best = append(best, i+1)
	}
	return best
}
