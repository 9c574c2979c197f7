package liarsdice_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/roomtest"
)

// TestProve has the kit prove random games with different options, and that no dice reach another player's
// bytes.
func TestProve(t *testing.T) {
	games := 2
	switch {
	case os.Getenv("ROOMRING_LONG") != "": // set by make soak
		games = 8
	case testing.Short():
		games = 1
	}
	for _, options := range []string{
		"",
		`{"dice": 1}`,
		`{"players": 2, "dice": 2, "wild_ones": false, "turn_ms": 1000}`,
		`{"players": 4, "dice": 3, "spot_on": false, "reveal_ms": 500}`,
		`{"dice": 2, "bots": 2, "turn_ms": 5000}`,
	} {
		t.Run(options, func(t *testing.T) {
			roomtest.Prove(t, rules, roomtest.Options{
				Act: propose, Hidden: hidden, RoomOptions: json.RawMessage(options), Games: games, Players: seats(options), Inputs: 120,
			})
		})
	}
}

// seats is the number of seats for people at a table.
func seats(options string) int {
	o := liarsdice.Options{Players: 6}
	if err := room.DecodeOptions(json.RawMessage(options), &o); err != nil {
		panic(err)
	}
	return o.Players - o.Bots
}

// hidden are all dice that have not been shown.
func hidden(state map[string]any) (secrets []roomtest.Hidden) {
	table, _ := state["Table"].([]any) // nobody sits at it yet
	for i, h := range table {
		hand := h.(map[string]any)
		if dice, _ := hand["Dice"].([]any); len(dice) > 0 {
			secrets = append(secrets, roomtest.Hidden{
				Path:  fmt.Sprintf("Table[%d].Dice", i),
				For:   []room.PlayerID{room.PlayerID(hand["ID"].(string))},
				Alter: reroll,
			})
		}
	}
	return secrets
}

// reroll turns every die to another face.
func reroll(old any, r *rand.Rand) any {
	var out []any
	for _, d := range old.([]any) {
		n, err := d.(json.Number).Int64()
		if err != nil {
			panic(err)
		}
		out = append(out, json.Number(fmt.Sprint(1+(n+r.Int64N(5))%6)))
	}
	return out
}

// propose is usually a legal action, and sometimes something else.
func propose(r *rand.Rand, p room.Player, raw json.RawMessage) any {
	var v liarsdice.View
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	switch {
	case v.Status == liarsdice.Over:
		return nil
	case r.IntN(30) == 0:
		return liarsdice.Action{Bid: &liarsdice.Claim{Count: r.IntN(9), Face: r.IntN(8)}}
	case v.Status == liarsdice.Waiting || v.Status == liarsdice.Revealed:
		return liarsdice.Action{Ready: new(r.IntN(8) > 0)}
	case v.Turn != p.Seat:
		return nil
	case v.Bid.Count > 0 && (v.Least.Count == 0 || r.IntN(4) == 0):
		return liarsdice.Action{Liar: true}
	case v.Bid.Count > 0 && v.Options.SpotOn && r.IntN(8) == 0:
		return liarsdice.Action{SpotOn: true}
	}
	return liarsdice.Action{Bid: &v.Least}
}

func FuzzRules(f *testing.F) {
	roomtest.Fuzz(f, rules, roomtest.Options{Act: propose, Hidden: hidden, Inputs: 60})
}

func BenchmarkRules(b *testing.B) { roomtest.Bench(b, rules, roomtest.Options{}) }
