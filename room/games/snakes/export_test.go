package snakes

// Advise is where a built-in opponent would go in a contender's place.
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
