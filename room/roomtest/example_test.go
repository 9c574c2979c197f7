package roomtest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// dice is a game in which each player throws a die under a cup.
type dice struct{ Cups map[room.PlayerID]int }

type throw struct{}

type cups struct {
	Mine   int            `json:"mine,omitempty"`
	Thrown map[string]int `json:"thrown"`
}

func (g *dice) Act(t *room.Turn, by room.Player, _ throw) error {
	g.Cups[by.ID] = 1 + t.Rand().IntN(6)
	return nil
}

func (g *dice) View(v room.Viewer) cups {
	out := cups{Mine: g.Cups[v.Player], Thrown: map[string]int{}}
	for p, die := range g.Cups {
		out.Thrown[string(p)] = die // should only say that p has thrown
	}
	return out
}

func Example() {
	rules := room.MustDefine(room.Spec{Name: "dice", Version: 1, MinPlayers: 2},
		func() *dice { return &dice{Cups: map[room.PlayerID]int{}} })

	_, err := roomtest.Check(rules, roomtest.Options{ // in a test: roomtest.Prove(t, rules, …)
		Act: func(*rand.Rand, room.Player, json.RawMessage) any { return throw{} },
		Hidden: func(state map[string]any) []roomtest.Hidden {
			if _, thrown := state["Cups"].(map[string]any)["p1"]; !thrown {
				return nil
			}
			return []roomtest.Hidden{{Path: "Cups.p1", For: []room.PlayerID{"p1"}}}
		},
	})
	fmt.Println(err)
	// Output:
	// game dice: random game 1 of seed 1: after input 10 (act {} by p1): Cups.p1 is hidden from p2, but the view of p2 shows it: field thrown.p1 is 1 and 2 when Cups.p1 is 1 and 2
}
