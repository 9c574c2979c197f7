package main

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
)

// builtin are the games that this binary runs and replays.
func builtin() (*core.Games, error) {
	own := []*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}
	return core.NewGames(append(own, extra...)...)
}
