//go:build !bench

package main

import (
	"encoding/json"
	"math/rand/v2"

	"github.com/roomring/roomring/room"
)

// bench are no games, and drivers none, unless the build tag bench adds some.
var (
	bench   []*room.Rules
	drivers map[string]func(*rand.Rand, room.Player, json.RawMessage) any
)
