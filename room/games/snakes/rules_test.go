package snakes

import (
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
)

// arena is a game on a small grid, drawn in text. A capital letter is a head, and the same letter in lower
// case is its body, which lies straight behind it; + is food and * a big piece. Snake A has number 1.
func arena(t *testing.T, walls bool, rows ...string) *Game {
	t.Helper()
	g := &Game{
		Options: Options{Width: len(rows[0]), Height: len(rows), Walls: walls, Rounds: 1, RoundSeconds: 100},
		Phase:   Playing, Left: 1500, Round: 1, Food: map[int]int{},
	}
	g.makeGrid()
	drawing := strings.Join(rows, "")
	for number := 1; strings.ContainsRune(drawing, rune('A'+number-1)); number++ {
		id := room.PlayerID(rune('a' + number - 1))
		g.Roster = append(g.Roster, Contender{Player: room.Player{ID: id, Name: string(id), Seat: number - 1}, Online: true})
		g.addSnake(g.drawn(t, drawing, number))
	}
	for cell, c := range drawing {
		if value := map[rune]int{'+': plain, '*': feast}[c]; value > 0 {
			g.Food[cell] = value
		}
	}
	return g
}

func (g *Game) drawn(t *testing.T, drawing string, number int) *Snake {
	t.Helper()
	head := strings.IndexByte(drawing, byte('A'+number-1))
	for d := Up; d <= Left; d++ {
		cells := []int{head}
		for at, ok := g.grid.next(head, d.opposite()); ok && drawing[at] == byte('a'+number-1); at, ok = g.grid.next(at, d.opposite()) {
			cells = append(cells, at)
		}
		if len(cells) > 1 {
			slices.Reverse(cells)
			return newSnake(number, cells, d, 0)
		}
	}
	t.Fatalf("snake %d has no body", number)
	return nil
}

// silent is a runtime that drops events.
type silent struct{ room.Runtime }

func (silent) Send(room.PlayerID, string, any) {}

// moves plays n moves of a slow snake.
func (g *Game) moves(n int) {
	for range 2 * n {
		turn := room.NewTurn(silent{})
		g.move(&turn)
	}
}

func (g *Game) mustSteer(t *testing.T, number int, turns ...Direction) {
	t.Helper()
	for _, d := range turns {
		if err := g.snake(number).steer(d); err != nil {
			t.Fatal(err)
		}
	}
}

// living is the letters of the snakes alive.
func (g *Game) living() string {
	var b strings.Builder
	for _, s := range g.Snakes {
		b.WriteByte(byte('A' + s.Number - 1))
	}
	return b.String()
}

// causes plays one move and returns the causes of deaths.
func (g *Game) causes() string {
	var out []string
	g.Clock++
	steps := g.steps(true)
	for _, c := range g.crashes(steps) {
		out = append(out, string(rune('A'+c.snake.Number-1))+" "+c.cause)
	}
	return strings.Join(out, ", ")
}

func TestCollisions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		walls bool
		rows  []string
		want  string
	}{
		{"nothing in the way", true, []string{"aaA...", "......"}, ""},
		{"a wall", true, []string{"...aaA", "......"}, "A wall"},
		{"an edge without walls", false, []string{"...aaA", "......"}, ""},
		{"an edge with a body behind it", false, []string{"b......", "b...aaA", "b......", "B......", "......."}, "A snake"},
		{"a body", true, []string{"aaAb..", "...b..", "...B..", "......"}, ""},
		{"a body that stays there", true, []string{"...b..", "aaAb..", "...b..", "...B..", "......"}, "A snake"},
		{"two heads at one cell", true, []string{"aaA.Bbb", "......."}, "A head_on, B head_on"},
		{"two heads at one cell, crosswise", true, []string{"aaA.", "...B", "...b"}, "A head_on, B head_on"},
		{"three heads at one cell", true, []string{"aaA.Bbb", "...C...", "...c..."}, "A head_on, B head_on, C head_on"},
		{"two heads through each other", true, []string{"aaABbb", "......"}, "A head_on, B head_on"},
		{"two heads through each other over the edge", false, []string{"Bbb.aaA", "......."}, "A head_on, B head_on"},
		{"two heads at one food", true, []string{"aaA+Bbb", "......."}, "A head_on, B head_on"},
		{"a chase of tails", true, []string{"aaAbbB.", "......."}, ""},
		{"a chase of a tail that is to grow", true, []string{"aaAbbB+", "......."}, "A snake"},
		{"a chase of a tail that dies at the wall", true, []string{"aaAbbB", "......"}, "A snake, B wall"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := arena(t, tt.walls, tt.rows...).causes(); got != tt.want {
				t.Errorf("dies of %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOwnBody(t *testing.T) {
	g := arena(t, true, "........", "aaaaaA..", "........", "........")
	g.mustSteer(t, 1, Down, Left, Up)
	g.moves(2)
	if g.living() != "A" {
		t.Fatal("the snake died while it turned")
	}
	if got := g.causes(); got != "A self" {
		t.Errorf("dies of %q, want A self", got)
	}
}

// TestOwnTail goes round in a square of four cells with a body of four.
func TestOwnTail(t *testing.T) {
	g := arena(t, true, "aaaA..", "......", "......")
	g.mustSteer(t, 1, Down, Left, Up)
	g.moves(3)
	for range 8 {
		g.mustSteer(t, 1, g.snake(1).Heading.sides()[1])
		g.moves(1)
		if g.living() != "A" {
			t.Fatal("a head may follow into the cell that its tail leaves")
		}
	}
}

func TestGrowth(t *testing.T) {
	g := arena(t, true, "aaaA+.*.......", "..............")
	var lengths []int
	for range 8 {
		g.moves(1)
		lengths = append(lengths, len(g.snake(1).Body))
	}
	if want := []int{5, 5, 6, 7, 8, 8, 8, 8}; !slices.Equal(lengths, want) {
		t.Errorf("lengths %v, want %v: one cell a move, at once", lengths, want)
	}
	if c := g.Roster[0]; c.Points != plain+feast || len(g.Food) != 0 {
		t.Errorf("%d points and %d food left, want 4 and 0", c.Points, len(g.Food))
	}
}

func TestBoost(t *testing.T) {
	row := "aaaaaaaaaA" + strings.Repeat(".", 50)
	g, idle := arena(t, true, row, strings.Repeat(".", 60)), arena(t, true, row, strings.Repeat(".", 60))
	if err := g.snake(1).boost(true); err != nil {
		t.Fatal(err)
	}
	g.moves(9)
	idle.moves(9)
	s := g.snake(1)
	if gone := s.head() - 9; gone != 1+2*8 {
		t.Errorf("went %d cells in 18 ticks, want 17: slow up to tick 2, then one a tick", gone)
	}
	if idle.snake(1).head() != 18 {
		t.Errorf("the idle one went to %d, want 18", idle.snake(1).head())
	}
	if len(s.Body) != 8 || len(idle.snake(1).Body) != 10 {
		t.Errorf("%d cells after two payments, want 8; the idle one has %d of 10", len(s.Body), len(idle.snake(1).Body))
	}
	g.moves(16)
	if len(s.Body) != boostLength-1 || s.Fast || s.Boost {
		t.Errorf("%d cells, fast %t, wishes %t: boosting ends below %d cells", len(s.Body), s.Fast, s.Boost, boostLength)
	}
	if err, ok := s.boost(true).(*room.Refusal); !ok || err.Code != "too_short" {
		t.Errorf("a short snake may boost: %v", err)
	}
}

// TestBoostPaysWithGrowth proves that boosting costs growth to come before it costs cells.
func TestBoostPaysWithGrowth(t *testing.T) {
	g := arena(t, true, "aaaaaaA"+strings.Repeat(".", 40), strings.Repeat(".", 47))
	s := g.snake(1)
	s.Grow, s.Boost = 20, true
	g.moves(4) // at ticks 2 to 8, and a payment at 8
	if len(s.Body) != 7+7 || s.Grow != 20-7-1 {
		t.Errorf("%d cells and %d to come, want 14 and 12", len(s.Body), s.Grow)
	}
}

func TestSteering(t *testing.T) {
	s := arena(t, true, "aaaA......", "..........", "..........").snake(1)
	for _, tt := range []struct {
		d    Direction
		code string
	}{
		{Right, ""}, {Left, "opposite"}, {Down, ""}, {Down, ""}, {Up, "opposite"}, {Right, ""}, {Down, ""}, {Right, "too_many_turns"}, {Down, ""},
	} {
		code := ""
		if err := s.steer(tt.d); err != nil {
			code = err.(*room.Refusal).Code
		}
		if code != tt.code {
			t.Errorf("direction %d with %v waiting: %q, want %q", tt.d, s.Queue, code, tt.code)
		}
	}
	if want := []Direction{Down, Right, Down}; !slices.Equal(s.Queue, want) {
		t.Errorf("%v wait, want %v", s.Queue, want)
	}
}

// TestQueue proves that a snake takes one turn at each cell.
func TestQueue(t *testing.T) {
	g := arena(t, true, "aaaA......", "..........", "..........")
	g.mustSteer(t, 1, Down, Right, Down)
	var heads []int
	for range 3 {
		g.moves(1)
		heads = append(heads, g.snake(1).head())
	}
	if want := []int{13, 14, 24}; !slices.Equal(heads, want) {
		t.Errorf("went over %v, want %v", heads, want)
	}
}

func TestPoints(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rows   []string
		points []int
		kills  []int
	}{
		{"a wall: the others outlived it", []string{"...aaA", "bbB...", "ccC..."}, []int{0, 1, 1}, []int{0, 0, 0}},
		{"a body: its owner killed", []string{"...b..", "aaAb..", "...b..", "...B..", "......", "ccC..."}, []int{0, 6, 1}, []int{0, 1, 0}},
		{"the dead earn nothing", []string{"aaAbbB", "ccC..."}, []int{0, 0, 2}, []int{0, 0, 0}},
		{"head on: nobody killed", []string{"aaA.Bbb", "ccC...."}, []int{0, 0, 2}, []int{0, 0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := arena(t, true, tt.rows...)
			g.moves(1)
			for i, c := range g.Roster {
				if c.Points != tt.points[i] || c.Kills != tt.kills[i] {
					t.Errorf("snake %d has %d points and %d kills, want %d and %d", i+1, c.Points, c.Kills, tt.points[i], tt.kills[i])
				}
			}
		})
	}
}

func TestRemains(t *testing.T) {
	g := arena(t, true, "...aaaaaaA", "..........", "..........", "..........")
	g.moves(1)
	if len(g.Snakes) != 0 || !slices.Equal(g.grid.owner, make([]int, 40)) {
		t.Error("the dead snake still lies there")
	}
	if g.Food[3] != plain || g.Food[6] != plain || g.Food[9] != plain || len(g.Food) != 3 {
		t.Errorf("food %v, want some where the snake lay", g.Food)
	}
}

func TestDecided(t *testing.T) {
	for _, tt := range []struct {
		name string
		bots []bool // of the living
		born int
		want bool
	}{
		{"nobody has come yet", nil, 0, false},
		{"all dead", nil, 3, true},
		{"one alone from the start", []bool{false}, 1, false},
		{"one left", []bool{false}, 2, true},
		{"two left", []bool{false, false}, 3, false},
		{"one against a bot", []bool{false, true}, 2, false},
		{"bots among themselves", []bool{true, true}, 3, true},
	} {
		g := &Game{Born: tt.born}
		for i, bot := range tt.bots {
			g.Roster = append(g.Roster, Contender{Bot: bot})
			g.Snakes = append(g.Snakes, &Snake{Number: i + 1})
		}
		if g.decided() != tt.want {
			t.Errorf("%s: decided is %t", tt.name, !tt.want)
		}
	}
}

func TestRanks(t *testing.T) {
	g := &Game{Round: 3, Roster: []Contender{
		{Points: 5, Entered: 1},
		{Points: 9, Entered: 2},
		{Points: 20, Entered: 1, Gone: true},
		{Points: 9, Entered: 1},
		{Points: 0}, // never had a snake
		{Points: 1, Entered: 1},
		{Points: 1, Entered: 1, Gone: true},
	}}
	for i := range g.Roster {
		g.Roster[i].Player = room.Player{ID: room.PlayerID(rune('a' + i)), Name: string(rune('A' + i)), Seat: 10 - i}
	}
	if want := []int{3, 1, 5, 1, 0, 4, 6}; !slices.Equal(g.ranks(), want) {
		t.Errorf("ranks %v, want %v", g.ranks(), want)
	}
	out := g.outcomes()
	if len(out) != 6 || out[0].Player != "g" || out[5].Player != "a" || out[4].Rank != 1 || out[4].Score != 9 {
		t.Errorf("outcomes are not by seat: %+v", out)
	}
	if got, want := summary(out), "D and B share the first place with 9 points"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if got, want := g.best(), []int{}; !slices.Equal(got, want) {
		t.Errorf("best of a round nobody was in: %v", got)
	}
}
