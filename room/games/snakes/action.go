package snakes

import "github.com/roomring/roomring/room"

// Action is what a player can do. Exactly one field is set.
type Action struct {
	Turn  string `json:"turn,omitempty"` // up, down, left or right
	Boost *bool  `json:"boost,omitempty"`
}

var errAction = room.Refuse("bad_action", `send one of {"turn":"up|down|left|right"}, {"boost":true|false}`)

// Act steers the player's snake.
func (g *Game) Act(_ *room.Turn, by room.Player, a Action) error {
	err := g.steer(by, a)
	if err == nil {
		g.Roster[g.indexOf(by.ID)].Acted = true
	}
	return err
}

func (g *Game) steer(by room.Player, a Action) error {
	d, known := directions[a.Turn]
	if known == (a.Boost != nil) || !known && a.Turn != "" {
		return errAction
	}
	if g.Phase != Ready && g.Phase != Playing {
		return room.Refuse("waiting", "no round is on")
	}
	s := g.snake(g.indexOf(by.ID) + 1)
	switch {
	case s == nil:
		return room.Refuse("no_snake", "you have no snake in this round any more, or none yet")
	case known:
		return s.steer(d)
	}
	return s.boost(*a.Boost)
}

// steer queues a turn. The snake takes one turn at each cell.
func (s *Snake) steer(d Direction) error {
	switch last := s.last(); {
	case d == last:
		return nil
	case d == last.opposite():
		return room.Refuse("opposite", "a snake cannot turn back on itself")
	case len(s.Queue) == maxQueue:
		return room.Refuse("too_many_turns", "these turns come too fast: the snake takes one a cell")
	}
	s.Queue = append(s.Queue, d)
	return nil
}

func (s *Snake) boost(on bool) error {
	if on && len(s.Body) < boostLength {
		return room.Refuse("too_short", "eat first: boosting costs length")
	}
	s.Boost = on
	return nil
}
