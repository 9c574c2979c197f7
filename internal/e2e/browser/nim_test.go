package browser_test

import (
	"encoding/json"
	"os"
	"strconv"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room"
)

// nimVariable names the environment variable that adds games of nim to a process. They differ in what the server's pages have for them.
const nimVariable = "ROOMRING_TEST_NIM"

func init() {
	if os.Getenv(nimVariable) == "" {
		return
	}
	for _, name := range []string{"nim", "bare", "thrower", "sleeper", "nothing"} {
		e2e.ExtraGames = append(e2e.ExtraGames, room.MustDefine(
			room.Spec{Name: name, Version: 1, Title: "Nim, " + name, About: "Who takes the last one wins.", MinPlayers: 2, SharedView: true}, func() *nim { return new(nim) }))
	}
}

// nim is for two. They take 1, 2 or 3 in turn, and whoever takes the last wins.
type nim struct {
	Heap, Next int
	Taken      []int
}

type nimOptions struct {
	Heap int `json:"heap"`
}

type nimAction struct {
	N int `json:"n"`
}

type nimView struct {
	Heap  int             `json:"heap"`
	Next  int             `json:"next"`
	Taken []int           `json:"taken"`
	Seats map[int]nimSeat `json:"seats"`
}

type nimSeat struct {
	Name  string `json:"name"`
	Takes int    `json:"takes"`
}

func (g *nim) Open(t *room.Turn, _ json.RawMessage) error {
	o := nimOptions{Heap: 21}
	err := t.Options(&o)
	g.Heap = o.Heap
	return err
}

func (g *nim) Act(t *room.Turn, by room.Player, a nimAction) error {
	switch {
	case len(t.Players()) < 2:
		return room.Refuse("waiting", "nobody else is here yet")
	case by.Seat != g.Next:
		return room.Refuse("not_your_turn", "the other player takes now")
	case a.N < 1 || a.N > min(3, g.Heap):
		return room.Refuse("bad_number", "take 1, 2 or 3 of what is there")
	}
	g.Heap, g.Next, g.Taken = g.Heap-a.N, 1-g.Next, append(g.Taken, a.N)
	if g.Heap > 0 {
		return nil
	}
	r := room.Result{Reason: "empty", Summary: by.Name + " took the last one"}
	for _, p := range t.Players() {
		r.Outcomes = append(r.Outcomes, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 1})
		if p.ID != by.ID {
			r.Outcomes[len(r.Outcomes)-1].Rank = 2
		}
	}
	t.Finish(r)
	return nil
}

func (g *nim) View(room.Viewer) nimView {
	v := nimView{Heap: g.Heap, Next: g.Next, Taken: g.Taken, Seats: map[int]nimSeat{}}
	for i := range 2 {
		v.Seats[i] = nimSeat{Name: "seat " + strconv.Itoa(i)}
	}
	for i, n := range g.Taken {
		v.Seats[i%2] = nimSeat{Name: v.Seats[i%2].Name, Takes: v.Seats[i%2].Takes + n}
	}
	return v
}

// Legal implements room.Advisor.
func (g *nim) Legal(v room.Viewer) (all []nimAction) {
	if v.Spectating() || v.Seat != g.Next {
		return nil
	}
	for n := 1; n <= min(3, g.Heap); n++ {
		all = append(all, nimAction{n})
	}
	return all
}
