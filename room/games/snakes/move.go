package snakes

import (
	"slices"

	"github.com/roomring/roomring/room"
)

// The causes of a snake's death, as the event "died" names them.
const (
	ByWall    = "wall"
	BySelf    = "self"
	BySnake   = "snake"   // on another's body
	ByHeadOn  = "head_on" // two heads at one cell, or through each other
	ByLeaving = "left"    // the player left the room
)

const (
	killPoints    = 5 // for each other snake that dies on the body of the player's snake
	outlivePoints = 1 // for each snake that dies before the player's
)

// step is a snake's move in this tick.
type step struct {
	snake *Snake
	to    int // -1 behind a wall
	grows bool
}

// crash is a snake's death.
type crash struct {
	snake *Snake
	cause string
	by    int // whose body it was, for BySnake
}

// move plays one tick. All snakes that move do so at once: slow ones at even ticks, fast ones at every tick.
func (g *Game) move(t *room.Turn) {
	g.Clock++
	even := g.Clock%2 == 0
	if even {
		g.steerBots()
	}
	steps := g.steps(even)
	crashes := g.crashes(steps)
	for i := range steps {
		if !dies(crashes, steps[i].snake) {
			g.advance(&steps[i])
		}
	}
	g.removeDead(t, crashes)
	if even {
		g.changeSpeeds()
	}
	for _, s := range g.Snakes {
		s.forget()
	}
}

// steps says where each snake goes, and frees the cells that tails leave, so that a head may enter them.
func (g *Game) steps(even bool) []step {
	var steps []step
	for _, s := range g.Snakes {
		if !even && !s.Fast {
			continue
		}
		s.turn()
		to, ok := g.grid.next(s.head(), s.Heading)
		st := step{s, to, s.Grow > 0 || ok && g.Food[to] > 0}
		if ok && !st.grows {
			g.grid.owner[s.dropTail()] = 0
		}
		steps = append(steps, st)
	}
	return steps
}

func (g *Game) crashes(steps []step) []crash {
	var out []crash
	for i := range steps {
		if cause, by := g.crash(&steps[i], steps); cause != "" {
			out = append(out, crash{steps[i].snake, cause, by})
		}
	}
	return out
}

// crash says what kills a snake in this step, if anything does.
func (g *Game) crash(st *step, all []step) (cause string, by int) {
	if st.to < 0 {
		return ByWall, 0
	}
	owner := g.grid.owner[st.to]
	for i := range all {
		o := &all[i]
		meet := owner == 0 && o.to == st.to || o.to == st.snake.head() && st.to == o.snake.head()
		if o.snake != st.snake && meet {
			return ByHeadOn, 0
		}
	}
	switch owner {
	case 0:
		return "", 0
	case st.snake.Number:
		return BySelf, 0
	}
	return BySnake, owner
}

func dies(crashes []crash, s *Snake) bool {
	return slices.ContainsFunc(crashes, func(c crash) bool { return c.snake == s })
}

// advance moves a snake that lives, and lets it eat.
func (g *Game) advance(st *step) {
	s := st.snake
	s.advance(st.to, g.Clock)
	g.grid.owner[st.to] = s.Number
	if value := g.Food[st.to]; value > 0 {
		delete(g.Food, st.to)
		s.Grow += value
		g.Roster[s.Number-1].Points += value
	}
	if st.grows {
		s.Grow--
	}
}

// Died is the data of the event "died".
type Died struct {
	Snake int    `json:"snake"`
	Cause string `json:"cause"`
	By    int    `json:"by,omitempty"` // whose body it was
	Cell  int    `json:"cell"`         // where its head was
}

// removeDead removes dead snakes, leaves food in their place, and gives the others their points.
func (g *Game) removeDead(t *room.Turn, crashes []crash) {
	if len(crashes) == 0 {
		return
	}
	g.Snakes = slices.DeleteFunc(g.Snakes, func(s *Snake) bool { return dies(crashes, s) })
	for _, c := range crashes {
		for _, cell := range c.snake.Body {
			g.grid.owner[cell] = 0
		}
		if killer := g.snake(c.by); killer != nil {
			g.Roster[c.by-1].Kills++
			g.Roster[c.by-1].Points += killPoints
		}
		t.Broadcast("died", Died{c.snake.Number, c.cause, c.by, c.snake.head()})
	}
	for _, c := range crashes {
		g.leaveRemains(c.snake)
	}
	if g.Phase != Playing {
		return // somebody left before or after the round
	}
	for _, s := range g.Snakes {
		g.Roster[s.Number-1].Points += outlivePoints * len(crashes)
	}
}

// changeSpeeds makes snakes faster or slower, and takes the cost of boosting.
func (g *Game) changeSpeeds() {
	for _, s := range g.Snakes {
		switch {
		case !s.Fast || g.Clock%boostCost != 0:
		case s.Grow > 0:
			s.Grow--
		default:
			g.grid.owner[s.dropTail()] = 0
		}
		s.changeSpeed()
	}
}
