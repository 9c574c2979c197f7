package main

import (
	"fmt"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// proof says how to prove the rules: players do what Legal names, a hand is its owner's secret, and the stock is everybody's.
var proof = roomtest.Options{
	Games: 4, Inputs: 100,
	RoomOptions: []byte(`{"players":3}`),
	Hidden: func(state map[string]any) (secrets []roomtest.Hidden) {
		if stock, _ := state["Stock"].([]any); len(stock) > 0 {
			secrets = append(secrets, roomtest.Hidden{Path: "Stock"})
		}
		if state["Status"] == string(Over) {
			return secrets
		}
		for seat, s := range state["Seats"].([]any) {
			s := s.(map[string]any)
			if hand, _ := s["Hand"].([]any); len(hand) > 0 {
				owner := room.PlayerID(s["Player"].(map[string]any)["ID"].(string))
				secrets = append(secrets, roomtest.Hidden{Path: fmt.Sprintf("Seats[%d].Hand[0]", seat), For: []room.PlayerID{owner}})
			}
		}
		return secrets
	},
}

// TestRules plays random games and proves that they survive every crash, agree in every replay, and show nobody another's hand.
func TestRules(t *testing.T) { roomtest.Prove(t, rules, proof) }

func TestTheComputerKeepsItsEights(t *testing.T) {
	hand := []Card{"8c", "4h", "kh"}
	legal := []Action{{Draw: true}, {Play: "4h"}, {Play: "kh"}, {Play: "8c", Suit: "h"}}
	if a := think(View{Hand: hand}, legal); a != (Action{Play: "kh"}) {
		t.Errorf("it plays %+v, and should get rid of the king", a)
	}
	if a := think(View{Hand: hand}, []Action{{Draw: true}, {Play: "8c", Suit: "d"}, {Play: "8c", Suit: "h"}}); a.Suit != "h" {
		t.Errorf("it asks for %q, and holds two hearts", a.Suit)
	}
}

func TestWorth(t *testing.T) {
	if n := worth([]Card{"8s", "ka", "as", "7d"}); n != 50+10+1+7 {
		t.Errorf("the hand costs %d", n)
	}
}
