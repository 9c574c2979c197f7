package games

import (
	"encoding/json"
	"math/rand/v2"
	"strings"

	"github.com/roomring/roomring/room"
)

// Driver proposes an action for a player who sees a view, as roomring.Program takes it.
type Driver = func(r *rand.Rand, p room.Player, view json.RawMessage) any

// Drivers play the rooms of the comparison in load tests. The room "turn" has none: its view does not say whose turn it is.
func Drivers() map[string]Driver {
	return map[string]Driver{"act": sayText, "arena": steerAnywhere}
}

func sayText(r *rand.Rand, _ room.Player, _ json.RawMessage) any {
	return strings.Repeat(string(rune('a'+r.IntN(26))), payload)
}

func steerAnywhere(r *rand.Rand, _ room.Player, _ json.RawMessage) any {
	return Steer{VX: r.Float32()*100 - 50, VY: r.Float32()*100 - 50}
}
