package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// proof says how to prove the rules: players do what Legal names, and a mine is its owner's secret.
var proof = roomtest.Options{
	Games: 3, Inputs: 60,
	RoomOptions: []byte(`{"seconds":10}`),
	Hidden: func(state map[string]any) (secrets []roomtest.Hidden) {
		for seat, r := range state["Runners"].([]any) {
			r := r.(map[string]any)
			laid, _ := r["Mines"].([]any)
			for i := range laid {
				secrets = append(secrets, roomtest.Hidden{
					Path:  fmt.Sprintf("Runners[%d].Mines[%d]", seat, i),
					For:   []room.PlayerID{room.PlayerID(r["Player"].(map[string]any)["ID"].(string))},
					Alter: func(any, *rand.Rand) any { return "0,0" },
				})
			}
		}
		return secrets
	},
}

// TestRules plays random games and proves that they survive every crash, agree in every replay, and show nobody another's mines.
func TestRules(t *testing.T) { roomtest.Prove(t, rules, proof) }

func TestTheFieldHasNoEdge(t *testing.T) {
	for h, want := range map[Heading]Cell{Up: {0, height - 1}, Left: {width - 1, 0}, Down: {0, 1}, Right: {1, 0}} {
		if got := (Cell{}).step(h); got != want {
			t.Errorf("%s of 0,0 is %v, want %v", h, got, want)
		}
	}
}

func TestTheComputerSeeksNewCells(t *testing.T) {
	v := View{Runners: []Seen{{X: 10, Y: 5}}, Cells: map[Cell]int{}}
	for d := 1; d <= 4; d++ {
		v.Cells[Cell{10 - d, 5}], v.Cells[Cell{10, 5 - d}], v.Cells[Cell{10, 5 + d}] = 0, 0, 0
	}
	for seed := range uint64(50) {
		if h := wander(v, 0, rand.New(rand.NewPCG(seed, 0))); h != Right {
			t.Fatalf("it goes %s, and only right of it is a cell that is not its own", h)
		}
	}
}
