package roomtest_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// mines is a game in which each player hides a mine in a line of cells and shoots at the others' mines. Whenever somebody is
// hit, each player gets a new card.
type mines struct {
	Mines map[room.PlayerID]int // 0: not hidden yet
	Cards map[room.PlayerID]int
	Shots []int
	Hits  int

	fault string `roomring:"derived"`
}

type mineAct struct {
	Mine  int    `json:"mine,omitempty"`
	Shoot int    `json:"shoot,omitempty"`
	Say   string `json:"say,omitempty"`
}

type mineView struct {
	Mine  int   `json:"mine"`
	Card  int   `json:"card"`
	Shots []int `json:"shots"`
	Burnt []int `json:"burnt"` // shots that hit: not in the state, but computed from hidden facts
}

const cells = 1000

func (g *mines) Open(t *room.Turn, _ json.RawMessage) error {
	t.StartTimer("drum", time.Second)
	return nil
}

func (g *mines) Join(t *room.Turn, p room.Player) error {
	g.deal(t, p.ID)
	return nil
}

func (g *mines) deal(t *room.Turn, p room.PlayerID) {
	g.Cards[p] = t.Rand().IntN(cells)
	switch g.fault {
	case "deal":
		t.Broadcast("dealt", map[string]any{"to": p, "card": g.Cards[p]})
	case "send":
		t.Send("p2", "dealt", g.Cards["p1"])
	}
	t.Send(p, "card", g.Cards[p])
}

func (g *mines) Leave(_ *room.Turn, p room.Player, _ room.LeaveReason) {
	delete(g.Mines, p.ID)
	delete(g.Cards, p.ID)
}

func (g *mines) Timer(t *room.Turn, name string) {
	t.StartTimer(name, time.Second)
	if g.fault == "timer" {
		t.Broadcast("drum", map[string]any{"low": g.Mines["p1"] < 500})
	}
	t.Broadcast("drum", t.Rand().IntN(cells))
}

func (g *mines) Act(t *room.Turn, by room.Player, a mineAct) error {
	switch {
	case a.Mine < 0 || a.Mine > cells || a.Shoot < 0 || a.Shoot > cells:
		return room.Refuse("no_cell", "there are a thousand")
	case a.Mine > 0 && g.Mines[by.ID] > 0:
		return room.Refuse("hidden", "yours is hidden already")
	}
	if a.Say != "" {
		t.Broadcast("said", a.Say)
	}
	if a.Mine > 0 {
		g.Mines[by.ID] = a.Mine
		told := map[string]any{"seat": by.Seat}
		if g.fault == "placed" {
			told["cell"] = a.Mine
		}
		t.Broadcast("placed", told)
	}
	if a.Shoot > 0 {
		g.shoot(t, a.Shoot)
	}
	if g.fault == "later" && a.Say != "" && by.ID == "p2" {
		t.Broadcast("hint", g.Mines["p1"] < 500)
	}
	return nil
}

func (g *mines) shoot(t *room.Turn, cell int) {
	g.Shots = append(g.Shots, cell)
	hit := g.burns(cell)
	t.Broadcast("shot", map[string]any{"cell": cell, "hit": hit})
	if !hit {
		return
	}
	g.Hits++
	shown := map[room.PlayerID]int{}
	for _, p := range t.Players() { // a showdown: cards that are replaced may be told
		shown[p.ID] = g.Cards[p.ID]
		g.deal(t, p.ID)
	}
	t.Broadcast("cards", shown)
}

func (g *mines) burns(cell int) bool {
	for _, m := range g.Mines {
		if m != 0 && m%10 == cell%10 {
			return true
		}
	}
	return false
}

func (g *mines) View(v room.Viewer) mineView {
	view := mineView{Mine: g.Mines[v.Player], Card: g.Cards[v.Player], Shots: g.Shots, Burnt: []int{}}
	for i, s := range g.Shots {
		if g.burns(s) {
			view.Burnt = append(view.Burnt, i)
		}
	}
	return view
}

func mineRules(fault string) *room.Rules {
	return room.MustDefine(room.Spec{Name: "mines", Version: 1, MinPlayers: 2, MaxPlayers: 3}, func() *mines {
		return &mines{Mines: map[room.PlayerID]int{}, Cards: map[room.PlayerID]int{}, fault: fault}
	})
}

func mineOptions() roomtest.Options {
	return roomtest.Options{
		Games: 4,
		Act: func(r *rand.Rand, p room.Player, view json.RawMessage) any {
			var v mineView
			if err := json.Unmarshal(view, &v); err != nil {
				return err
			}
			a := mineAct{Say: []string{"", "", "hello", "well"}[r.IntN(4)]}
			if v.Mine == 0 {
				a.Mine = 1 + r.IntN(cells)
			} else if a.Say == "" {
				a.Shoot = 1 + r.IntN(cells)
			}
			return a
		},
		Hidden: func(state map[string]any) []roomtest.Hidden {
			var out []roomtest.Hidden
			for p, cell := range state["Mines"].(map[string]any) {
				if cell != json.Number("0") {
					out = append(out, roomtest.Hidden{Path: "Mines." + p, For: []room.PlayerID{room.PlayerID(p)}, Alter: moveTen})
				}
			}
			for p := range state["Cards"].(map[string]any) {
				out = append(out, roomtest.Hidden{Path: "Cards." + p, For: []room.PlayerID{room.PlayerID(p)}})
			}
			return out
		},
	}
}

// moveTen moves a mine to a cell that the same shots hit.
func moveTen(old any, r *rand.Rand) any {
	n, err := old.(json.Number).Int64()
	if err != nil {
		panic(err)
	}
	return (n+10*r.Int64N(100)+10-1)%cells + 1
}

// An event may tell a hidden fact that came with an action, was drawn at random, or existed before.
func TestEventsThatTellHiddenFactsAreFound(t *testing.T) {
	for fault, words := range map[string][]string{
		"placed": {"(act {", "Mines.p", " is hidden from ", "a message to ", "tells it: field events", "cell is "},
		"later":  {"(act {", "Mines.p1 is hidden from ", "field events[", " when Mines.p1 is "},
		"timer":  {"(timer drum)", "Mines.p1 is hidden from ", ".low is"},
		"deal":   {"Cards.p", " is hidden from ", "field events[", ".data.card of message 1 is always the same, whatever the random source brings"},
		"send":   {"Cards.p1 is hidden from p2, but a message to p2 tells it"},
	} {
		t.Run(fault, func(t *testing.T) {
			expect(t, mineRules(fault), mineOptions(), words...)
		})
	}
}

func TestEventsThatTellWhatMayBeKnownAreNoFault(t *testing.T) {
	roomtest.Prove(t, mineRules(""), mineOptions())
}
