package main

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
)

// extra are games that tests add to the binary's own.
var extra []*room.Rules

// builtin are the games that this binary runs and replays.
func builtin() (*room.Games, error) {
	return room.NewGames(append([]*room.Rules{chess.Rules()}, extra...)...)
}
