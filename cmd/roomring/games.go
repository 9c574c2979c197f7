package main

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
)

// games are those that this program runs and replays.
func games() []*room.Rules {
	return append([]*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}, extra...)
}
