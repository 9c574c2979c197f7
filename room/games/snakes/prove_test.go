package snakes_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/roomtest"
)

// TestProve has the kit prove random games with different options.
func TestProve(t *testing.T) {
	for _, tt := range []struct {
		options string
		games   int
	}{
		{"", 2},
		{`{"width": 16, "height": 16, "walls": false, "rounds": 2, "round_s": 5, "start_s": 1, "pause_s": 1}`, 3},
		{`{"width": 20, "height": 16, "rounds": 2, "round_s": 5, "start_s": 1, "pause_s": 1}`, 3},
		{`{"width": 32, "height": 24, "bots": 3, "rounds": 2, "round_s": 5, "start_s": 1, "pause_s": 1}`, 2},
		{`{"width": 16, "height": 16, "walls": false, "bots": 12, "rounds": 20, "round_s": 5, "start_s": 1, "pause_s": 1}`, 1},
	} {
		if os.Getenv("ROOMRING_LONG") != "" { // set by make soak
			tt.games *= 4
		}
		t.Run(tt.options, func(t *testing.T) {
			roomtest.Prove(t, rules, roomtest.Options{
				Act: propose, RoomOptions: json.RawMessage(tt.options), Games: tt.games, Inputs: 150,
			})
		})
	}
}

// propose is usually a turn, and sometimes a boost.
func propose(r *rand.Rand, p room.Player, raw json.RawMessage) any {
	var v snakes.View
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	for number, player := range v.Players {
		if _, lives := v.Snakes[number]; player.Player != p.ID || !lives || v.Phase == snakes.Over {
			continue
		}
		switch r.IntN(4) {
		case 0:
			return snakes.Action{Boost: new(r.IntN(3) > 0)}
		case 1:
			return snakes.Action{Turn: []string{"up", "right", "down", "left"}[r.IntN(4)]}
		}
	}
	return nil
}

func FuzzRules(f *testing.F) { roomtest.Fuzz(f, rules, fuzzed) }

// fuzzed plays on a small board: each input of a fuzzed game is compared many times.
var fuzzed = roomtest.Options{Act: propose, Players: 4, Inputs: 60, RoomOptions: json.RawMessage(`{"width": 16, "height": 16, "rounds": 1, "round_s": 5, "start_s": 1, "pause_s": 1}`)}

func BenchmarkRules(b *testing.B) { roomtest.Bench(b, rules, roomtest.Options{Inputs: 200}) }
