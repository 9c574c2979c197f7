package chess_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/roomtest"
)

// TestProve has the kit prove random games with different options.
func TestProve(t *testing.T) {
	games := 4
	if os.Getenv("ROOMRING_LONG") != "" { // set by make soak
		games = 16
	}
	for _, options := range []string{
		"",
		`{"takeback": true, "clock": {"initial_ms": 60000, "increment_ms": 1000}}`,
		`{"bot": 1, "takeback": true, "clock": {"initial_ms": 60000}}`,
		`{"fen": "8/P6k/8/8/8/8/p6K/8 w - - 90 60", "takeback": true}`,
	} {
		t.Run(options, func(t *testing.T) {
			roomtest.Prove(t, rules, roomtest.Options{Act: propose, RoomOptions: json.RawMessage(options), Games: games})
		})
	}
}

// propose is usually a legal move, and sometimes something else.
func propose(r *rand.Rand, p room.Player, raw json.RawMessage) any {
	var v chess.View
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	words := []string{"offer", "accept", "decline", "claim"}
	switch mine := v.Turn == "white" == (v.White.Player == p.ID); {
	case v.Status == "over":
		return nil
	case r.IntN(12) == 0:
		return chess.Action{Draw: words[r.IntN(4)]}
	case r.IntN(12) == 0:
		return chess.Action{Takeback: words[r.IntN(3)]}
	case r.IntN(100) == 0:
		return chess.Action{Resign: true}
	case mine:
		return chess.Action{Move: chess.RandomMove(v.FEN, r)}
	}
	return nil
}

func FuzzRules(f *testing.F) { roomtest.Fuzz(f, rules, roomtest.Options{Act: propose, Inputs: 60}) }

func BenchmarkRules(b *testing.B) { roomtest.Bench(b, rules, roomtest.Options{}) }
