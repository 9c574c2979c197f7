package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// proof says how to prove the rules: players do what Legal names, and a ship that is afloat is its owner's secret.
var proof = roomtest.Options{
	Games: 4, Inputs: 120,
	Hidden: func(state map[string]any) (secrets []roomtest.Hidden) {
		if state["Status"] == string(Over) {
			return nil
		}
		for seat, side := range state["Sides"].([]any) {
			side := side.(map[string]any)
			shots, _ := side["Shots"].([]any)
			fleet, _ := side["Fleet"].([]any)
			water := slices.DeleteFunc(slices.Clone(cells), func(c string) bool { return slices.Contains(shots, any(c)) })
			for i, ship := range fleet {
				for j, c := range ship.([]any) {
					if slices.Contains(shots, c) {
						continue // found
					}
					secrets = append(secrets, roomtest.Hidden{
						Path:  fmt.Sprintf("Sides[%d].Fleet[%d][%d]", seat, i, j),
						For:   []room.PlayerID{room.PlayerID(side["Player"].(map[string]any)["ID"].(string))},
						Alter: func(_ any, r *rand.Rand) any { return water[r.IntN(len(water))] },
					})
					break // one cell of each ship speaks for the others
				}
			}
		}
		return secrets
	},
}

// TestRules plays random games and proves that they survive every crash, agree in every replay, and show nobody the other's fleet.
func TestRules(t *testing.T) { roomtest.Prove(t, rules, proof) }

func TestFleetsDoNotTouch(t *testing.T) {
	for seed := range uint64(200) {
		fleet := launch(rand.New(rand.NewPCG(seed, 0)))
		for i, ship := range fleet {
			for _, c := range ship {
				for j, other := range fleet {
					if i != j && slices.ContainsFunc(around(c), func(n string) bool { return slices.Contains(other, n) }) {
						t.Fatalf("seed %d: %v touches %v", seed, ship, other)
					}
				}
			}
		}
	}
}

func TestTheComputerFinishesAShip(t *testing.T) {
	v := View{Seas: [2]Sea{{Marks: map[string]Mark{"d4": Hit}}}}
	for seed := range uint64(50) {
		if c := think(v, rand.New(rand.NewPCG(seed, 0))); !slices.Contains([]string{"c4", "e4", "d3", "d5"}, c) {
			t.Fatalf("beside a hit on d4 it shoots at %s", c)
		}
	}
}
