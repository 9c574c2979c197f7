package main

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
)

// builtin are the games that this binary runs and replays.
func builtin() (*room.Games, error) {
	return room.NewGames(append([]*room.Rules{chess.Rules(), liarsdice.Rules()}, extra...)...)
}
