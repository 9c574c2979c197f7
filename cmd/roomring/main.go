// Command roomring is a stateful WebSocket game and room server; `roomring --help` tells the rest.
package main

import (
	"github.com/roomring/roomring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
)

func main() {
	roomring.Program{Drivers: drivers}.Main(append([]*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}, bench...)...)
}
