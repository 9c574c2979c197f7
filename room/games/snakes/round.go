package snakes

import "github.com/roomring/roomring/room"

// Tick plays a fifteenth of a second. The runtime does not call it while nobody is connected.
func (g *Game) Tick(t *room.Turn) {
	if g.Phase == Waiting || g.Phase == Over {
		return
	}
	g.makeGrid()
	if g.Phase == Playing {
		g.move(t)
	}
	g.Left--
	switch {
	case g.Left <= 0 || g.Phase == Playing && g.decided():
		g.nextPhase(t)
	case g.Phase != Pause:
		g.spawnAll(t)
		g.feed(t)
	}
}

// decided reports whether a round is decided: one snake is left, or no player's snake is.
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

// startRound clears the grid and begins the countdown.
func (g *Game) startRound(t *room.Turn) {
	g.clearGrid()
	g.Round++
	g.Phase, g.Left = Ready, g.Options.StartSeconds*tickRate
	for i := range g.Roster {
		g.Roster[i].Before = g.Roster[i].Points
	}
	g.spawnAll(t)
	for g.feed(t) {
	}
}

// clearGrid removes all snakes and food.
func (g *Game) clearGrid() {
	g.Clock, g.Born, g.Snakes, g.Food, g.grid = 0, 0, nil, map[int]int{}, nil
	g.makeGrid()
}

// waitAgain goes back from the first countdown to waiting for players.
func (g *Game) waitAgain() {
	g.clearGrid()
	g.Phase, g.Left, g.Round = Waiting, 0, 0
	for i := range g.Roster {
		c := &g.Roster[i]
		c.Points, c.Entered = 0, 0
	}
}

// Events names what [Game] broadcasts.
func (g *Game) Events() map[string]any { return map[string]any{"died": Died{}, "round": RoundOver{}} }

// RoundOver is the data of the event "round".
type RoundOver struct {
	Round int   `json:"round"`
	Best  []int `json:"best"` // the numbers of the players with the most points of the round
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
