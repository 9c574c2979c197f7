package roomtest_test

import (
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// heap is for two: in turn they take 1 or 2 from a heap, and whoever takes the last wins. Each holds a lucky number, which
// nobody else may learn.
type heap struct {
	Left  int
	Turn  int
	Both  bool // are there
	Lucky [2]int
	Asked int

	wrong string `roomring:"derived"`
}

type take struct {
	N int `json:"n"`
}

func (g *heap) Act(t *room.Turn, by room.Player, a take) error {
	switch {
	case !g.Both:
		return room.Refuse("waiting", "nobody else is here yet")
	case by.Seat != g.Turn:
		return room.Refuse("not_your_turn", "it is the other's turn")
	case a.N < 1 || a.N > min(2, g.Left):
		return room.Refuse("too_many", "take 1 or 2 of what is left")
	}
	if t.Broadcast("took", a.N); g.wrong == "tells" {
		t.Broadcast("luck", g.Lucky[1-by.Seat])
	}
	g.Left, g.Turn = g.Left-a.N, 1-g.Turn
	if g.Left > 0 {
		return nil
	}
	r := room.Result{Reason: "last"}
	for _, p := range t.Players() {
		r.Outcomes = append(r.Outcomes, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 1 + (p.Seat+by.Seat)%2})
	}
	t.Finish(r)
	return nil
}

func (g *heap) Join(t *room.Turn, p room.Player) error {
	g.Left, g.Lucky[p.Seat] = 9, 1+t.Rand().IntN(2)
	g.Both = len(t.Players()) == 2
	return nil
}

// View shows how many are left.
func (g *heap) View(room.Viewer) int { return g.Left }

func (g *heap) Legal(v room.Viewer) (all []take) {
	if g.wrong == "writes" {
		g.Asked++
	}
	if v.Spectating() || !g.Both || v.Seat != g.Turn && g.wrong != "too much" {
		return nil
	}
	for n := 1; n <= min(2, g.Left); n++ {
		if g.wrong != "leaks" || n == g.Lucky[1-v.Seat] {
			all = append(all, take{n})
		}
	}
	return all
}

// Leave gives the game to who stays.
func (g *heap) Leave(t *room.Turn, _ room.Player, _ room.LeaveReason) {
	if g.Both {
		t.Abort(room.Result{Summary: "One has left"})
	}
	g.Both = false
}

func heapRules(wrong string) *room.Rules {
	return room.MustDefine(room.Spec{Name: "heap", Version: 1, MinPlayers: 2}, func() *heap { return &heap{wrong: wrong} })
}

// luckyNumbers may be learnt only by their holders.
func luckyNumbers(state map[string]any) (all []roomtest.Hidden) {
	return []roomtest.Hidden{{Path: "Lucky[0]", For: []room.PlayerID{"p1"}}, {Path: "Lucky[1]", For: []room.PlayerID{"p2"}}}
}

func TestLegalIsEnoughToProveAGame(t *testing.T) {
	report, err := roomtest.Check(heapRules(""), roomtest.Options{Hidden: luckyNumbers, Games: 4})
	if err != nil {
		t.Fatal(err)
	}
	if report.Finished == 0 || report.Legal == 0 {
		t.Errorf("nothing was played: %v", report)
	}
}

func TestLegalMustBeTrue(t *testing.T) {
	for wrong, words := range map[string][]string{
		"too much": {"Legal names", "and Act refuses it (", "turn"},
		"writes":   {"calling Legal for", "changes the game", "Legal may only read"},
		"leaks":    {"Lucky", "what Legal names for", "shows it"},
		"tells":    {"Lucky", "tells it"},
	} {
		t.Run(wrong, func(t *testing.T) {
			expect(t, heapRules(wrong), roomtest.Options{Hidden: luckyNumbers, Games: 4}, words...)
		})
	}
}
