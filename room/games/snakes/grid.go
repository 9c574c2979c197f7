package snakes

// Direction is where a snake heads.
type Direction int

// The directions, clockwise. Y grows downwards.
const (
	Up Direction = iota
	Right
	Down
	Left
)

var directions = map[string]Direction{"up": Up, "right": Right, "down": Down, "left": Left}

func (d Direction) opposite() Direction { return d ^ 2 }

// sides are the directions that a snake can take next, straight on first.
func (d Direction) sides() [3]Direction { return [3]Direction{d, (d + 1) % 4, (d + 3) % 4} }

// grid knows whose body lies on each cell.
type grid struct {
	width, height int
	walls         bool
	owner         []int // number by cell; 0 is nobody

	// scratch of reach
	seen  []int
	round int
	queue []int
}

// makeGrid makes the grid from the snakes if there is none, as after a restart.
func (g *Game) makeGrid() {
	if g.grid != nil {
		return
	}
	o := g.Options
	g.grid = &grid{width: o.Width, height: o.Height, walls: o.Walls,
		owner: make([]int, o.Width*o.Height), seen: make([]int, o.Width*o.Height)}
	for _, s := range g.Snakes {
		g.grid.occupy(s.Body, s.Number)
	}
}

func (f *grid) occupy(cells []int, number int) {
	for _, c := range cells {
		f.owner[c] = number
	}
}

// next is the cell beside another, or false if a wall is there.
func (f *grid) next(cell int, d Direction) (int, bool) {
	x, y := cell%f.width, cell/f.width
	switch d {
	case Up:
		y--
	case Right:
		x++
	case Down:
		y++
	case Left:
		x--
	}
	if x < 0 || y < 0 || x == f.width || y == f.height {
		if f.walls {
			return -1, false
		}
		x, y = (x+f.width)%f.width, (y+f.height)%f.height
	}
	return y*f.width + x, true
}

// free is next, and false for a cell with a body too.
func (f *grid) free(cell int, d Direction) (int, bool) {
	to, ok := f.next(cell, d)
	return to, ok && f.owner[to] == 0
}

// distance is the least number of moves from one cell to another.
func (f *grid) distance(a, b int) int {
	dx, dy := abs(a%f.width-b%f.width), abs(a/f.width-b/f.width)
	if !f.walls {
		dx, dy = min(dx, f.width-dx), min(dy, f.height-dy)
	}
	return dx + dy
}

func abs(n int) int { return max(n, -n) }

// reach counts the free cells that can be reached from a cell, itself included, up to most.
func (f *grid) reach(from, most int) int {
	f.round++
	f.queue = append(f.queue[:0], from)
	f.seen[from] = f.round
	for i := 0; i < len(f.queue) && len(f.queue) < most; i++ {
		for d := Up; d <= Left; d++ {
			if to, ok := f.free(f.queue[i], d); ok && f.seen[to] != f.round {
				f.seen[to] = f.round
				f.queue = append(f.queue, to)
			}
		}
	}
	return min(len(f.queue), most)
}
