package snakes

// Advise is the direction that a built-in opponent would choose for a contender's snake.
func Advise(g *Game, number int) string {
	g.makeGrid()
	s := g.snake(number)
	if s == nil {
		return ""
	}
	d := g.choose(s)
	for name, is := range directions {
		if is == d {
			return name
		}
	}
	return ""
}
