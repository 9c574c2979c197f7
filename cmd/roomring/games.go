package main

import "github.com/roomring/roomring/room"

// builtin are the games that this binary runs and replays.
func builtin() (*room.Games, error) { return room.NewGames() }
