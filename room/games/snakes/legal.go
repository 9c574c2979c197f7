package snakes

import "github.com/roomring/roomring/room"

// Legal implements room.Advisor. It names the turns that the player's snake can take next, and to start or stop boosting.
func (g *Game) Legal(v room.Viewer) (actions []Action) {
	if v.Spectating() || g.Phase != Ready && g.Phase != Playing {
		return nil
	}
	s := g.snake(g.indexOf(v.Player) + 1)
	if s == nil {
		return nil
	}
	for _, name := range []string{"up", "right", "down", "left"} {
		d, last := directions[name], s.last()
		if d != last && d != last.opposite() && len(s.Queue) < maxQueue {
			actions = append(actions, Action{Turn: name})
		}
	}
	if s.Boost || len(s.Body) >= boostLength {
		actions = append(actions, Action{Boost: new(!s.Boost)})
	}
	return actions
}
