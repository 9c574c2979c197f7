package snakes

const (
	startLength = 4 // cells of a new snake
	boostLength = 6 // cells a snake must have to boost
	boostCost   = 8 // ticks after which a boosting snake loses a cell
	maxQueue    = 3 // turns that wait
	spareCells  = 2 // cells by which the path in a view is longer than the body
)

// Speeds, in half cells a tick.
const (
	slow = 1
	fast = 2
)

// Leg is a straight part of a snake's path: the cell of the head at its start, the direction from there,
// the tick of the start, and the speed in half cells a tick.
type Leg [4]int

// Snake is a living snake.
type Snake struct {
	Number  int
	Body    []int // cells, the head last
	Grow    int   // cells still to be added, one at each move
	Heading Direction
	Queue   []Direction // turns to come, one at each move
	Boost   bool        // the player wants to boost
	Fast    bool        // the snake boosts; changes only at even ticks, so that slow snakes move together
	Since   int         // the tick at which the head came to its cell

	Legs   map[int]Leg // the path, by sequence number, for the view
	First  int         // sequence number of the oldest leg
	Starts []int       // Moves at the start of each leg, the oldest first
	Moves  int         // cells gone in all
}

// newSnake makes a snake that lies straight on cells, the head last, at an even tick.
func newSnake(number int, cells []int, d Direction, tick int) *Snake {
	n := len(cells)
	return &Snake{
		Number: number, Body: cells, Heading: d, Since: tick,
		Legs: map[int]Leg{1: {cells[0], int(d), tick - 2*(n-1), slow}}, First: 1, Starts: []int{0}, Moves: n - 1,
	}
}

func (s *Snake) head() int { return s.Body[len(s.Body)-1] }

// last is the direction of the snake after all turns that wait.
func (s *Snake) last() Direction {
	if n := len(s.Queue); n > 0 {
		return s.Queue[n-1]
	}
	return s.Heading
}

// turn takes the next turn that waits.
func (s *Snake) turn() {
	if len(s.Queue) == 0 {
		return
	}
	s.Heading, s.Queue = s.Queue[0], s.Queue[1:]
	s.startLeg()
}

// changeSpeed starts or stops boosting as the player wants, if the snake is long enough.
func (s *Snake) changeSpeed() {
	s.Boost = s.Boost && len(s.Body) >= boostLength
	if s.Fast != s.Boost {
		s.Fast = s.Boost
		s.startLeg()
	}
}

// startLeg starts a leg at the head, or changes the one that starts there.
func (s *Snake) startLeg() {
	if s.Starts[len(s.Starts)-1] != s.Moves {
		s.Starts = append(s.Starts, s.Moves)
	}
	speed := slow
	if s.Fast {
		speed = fast
	}
	s.Legs[s.First+len(s.Starts)-1] = Leg{s.head(), int(s.Heading), s.Since, speed}
}

// advance moves the head.
func (s *Snake) advance(to, tick int) {
	s.Body = append(s.Body, to)
	s.Since = tick
	s.Moves++
}

// dropTail removes the last cell and returns it.
func (s *Snake) dropTail() int {
	tail := s.Body[0]
	s.Body = s.Body[1:]
	return tail
}

// forget drops the legs behind the tail.
func (s *Snake) forget() {
	for len(s.Starts) > 1 && s.Moves-s.Starts[1]+1 >= len(s.Body)+spareCells {
		delete(s.Legs, s.First)
		s.First++
		s.Starts = s.Starts[1:]
	}
}
