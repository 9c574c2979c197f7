package view_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/roomring/roomring/room/view"
)

type mover struct {
	X     int     `json:"x"`
	Y     int     `json:"y"`
	Angle float64 `json:"angle"`
	HP    int     `json:"hp"`
	Alive bool    `json:"alive"`
	Name  string  `json:"name"`
}

func newMover(i int) mover {
	return mover{X: i, Y: 2 * i, Angle: float64(i) / 8, HP: 100, Alive: true, Name: fmt.Sprint("player ", i)}
}

func (m *mover) move() { m.X, m.Y, m.Angle = m.X+1, m.Y-1, m.Angle+0.25 }

type arenaMap struct {
	Tick int               `json:"tick"`
	All  map[string]*mover `json:"all"`
}

type arenaSlice struct {
	Tick int     `json:"tick"`
	All  []mover `json:"all"`
}

func newArenaMap() *arenaMap {
	a := &arenaMap{All: make(map[string]*mover)}
	for i := range 20 {
		a.All[fmt.Sprint("p", i)] = new(newMover(i))
	}
	return a
}

func (a *arenaMap) step() {
	a.Tick++
	for _, m := range a.All {
		m.move()
	}
}

func newArenaSlice() *arenaSlice {
	a := new(arenaSlice)
	for i := range 20 {
		a.All = append(a.All, newMover(i))
	}
	return a
}

func (a *arenaSlice) step() {
	a.Tick++
	for i := range a.All {
		a.All[i].move()
	}
}

type chessView struct {
	FEN    string            `json:"fen"`
	Board  map[string]string `json:"board"`
	Moves  []string          `json:"moves"`
	Clocks map[string]int64  `json:"clocks"`
	Turn   string            `json:"turn"`
	Last   *chessMove        `json:"last,omitempty"`
	Check  bool              `json:"check,omitempty"`
	Seats  []string          `json:"seats"`
	Draw   string            `json:"draw,omitempty"`
}

type chessMove struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func newChess() *chessView {
	c := &chessView{
		FEN: "8/8/8/8/8/8/8/8 w - - 0 1", Board: make(map[string]string), Turn: "white",
		Clocks: map[string]int64{"white": 300000, "black": 300000}, Seats: []string{"ann", "bob"},
	}
	for file := range 8 {
		for _, row := range []int{1, 2, 7, 8} {
			c.Board[square(file, row)] = "wP"
		}
	}
	for i := range 60 {
		c.Moves = append(c.Moves, fmt.Sprint("Nf", i))
	}
	return c
}

func square(file, row int) string { return string([]byte{byte('a' + file), byte('0' + row)}) }

// step moves a pawn back and forth, which removes one key of the board and adds another.
func (c *chessView) step(i int) {
	from, to, turn := "e2", "e4", "black"
	if i&1 == 1 {
		from, to, turn = to, from, "white"
	}
	c.Board[to] = c.Board[from]
	delete(c.Board, from)
	c.Last, c.Turn = &chessMove{from, to}, turn
	c.Clocks[turn] -= 10
	c.Moves[len(c.Moves)-1] = to
}

func shadowOf(t testing.TB, v any) *view.Shadow {
	t.Helper()
	d, err := view.Compile(reflect.TypeOf(v).Elem())
	if err != nil {
		t.Fatal(err)
	}
	return d.New()
}

func update(t testing.TB, s *view.Shadow, v any, json, cbor []byte) ([]byte, []byte) {
	json, cbor, _, err := s.Update(v, json[:0], cbor[:0])
	if err != nil {
		t.Fatal(err)
	}
	return json, cbor
}

func TestAllocations(t *testing.T) {
	byMap, bySlice, chess := newArenaMap(), newArenaSlice(), newChess()
	ids := &struct {
		M map[int64]mover
		B []byte
		F any
		R [4]float32
	}{map[int64]mover{-5: newMover(1), 1 << 40: newMover(2)}, []byte("some bytes"), "free", [4]float32{0.1, 1}}
	for _, c := range []struct {
		what string
		view any
		step func()
	}{
		{"unchanged map", byMap, func() {}},
		{"unchanged slice", bySlice, func() {}},
		{"unchanged chess", chess, func() {}},
		{"unchanged odd types", ids, func() {}},
		{"moving map", byMap, byMap.step},
		{"moving slice", bySlice, bySlice.step},
		{"changed strings", chess, func() { chess.Turn, chess.FEN = chess.FEN, chess.Turn }},
		{"changed map value", chess, func() { chess.Clocks["white"]-- }},
		{"array grows into old room", chess, func() { chess.Moves = chess.Moves[:121-len(chess.Moves)] }},
	} {
		s := shadowOf(t, c.view)
		if c.what == "array grows into old room" {
			chess.Moves = append(chess.Moves, "x")
		}
		json, cbor := update(t, s, c.view, nil, nil)
		s.Checksum()
		got := testing.AllocsPerRun(100, func() {
			c.step()
			json, cbor = update(t, s, c.view, json, cbor)
			s.Checksum()
		})
		if got != 0 {
			t.Errorf("%s: %v allocations an update, want none", c.what, got)
		}
	}
}

func benchmark(b *testing.B, v any, step func(i int)) {
	s := shadowOf(b, v)
	json, cbor := update(b, s, v, nil, nil)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		step(i)
		i++
		json, cbor = update(b, s, v, json, cbor)
	}
	b.ReportMetric(float64(len(json)), "json-bytes")
	b.ReportMetric(float64(len(cbor)), "cbor-bytes")
}

// BenchmarkUpdate measures the comparison together with both encodings of the patch.
func BenchmarkUpdate(b *testing.B) {
	byMap, bySlice, chess := newArenaMap(), newArenaSlice(), newChess()
	b.Run("20 in map, unchanged", func(b *testing.B) { benchmark(b, byMap, func(int) {}) })
	b.Run("20 in map, one moves", func(b *testing.B) { benchmark(b, byMap, func(int) { byMap.All["p7"].move() }) })
	b.Run("20 in map, all move", func(b *testing.B) { benchmark(b, byMap, func(int) { byMap.step() }) })
	b.Run("20 in slice, unchanged", func(b *testing.B) { benchmark(b, bySlice, func(int) {}) })
	b.Run("20 in slice, all move", func(b *testing.B) { benchmark(b, bySlice, func(int) { bySlice.step() }) })
	b.Run("chess, unchanged", func(b *testing.B) { benchmark(b, chess, func(int) {}) })
	b.Run("chess, a move", func(b *testing.B) { benchmark(b, chess, chess.step) })
}

func BenchmarkWhole(b *testing.B) {
	v := newArenaMap()
	s := shadowOf(b, v)
	json, cbor := update(b, s, v, nil, nil)
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			json = s.AppendJSON(json[:0])
		}
	})
	b.Run("cbor", func(b *testing.B) {
		for b.Loop() {
			cbor = s.AppendCBOR(cbor[:0])
		}
	})
	b.Run("checksum", func(b *testing.B) {
		for b.Loop() {
			s.Checksum()
		}
	})
}
