// Package roomring is a stateful WebSocket game and room server to import. Games are Go values: see package
// [github.com/roomring/roomring/room].
//
// [Main] is a whole program with somebody's games: the commands of the binary roomring, its flags, its signals.
//
//	func main() { roomring.Main(battleship.Rules()) }
//
// [New] is a server inside a program that has more to do than that. Servers share nothing: one process may have many, each with
// ports and a data folder of its own.
package roomring

import (
	"os"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/room"
)

// Main is a whole program that serves these games: the commands serve, dev, torture, replay, admin, token, healthcheck and
// version. It does not return: it ends the process with 0 when the command line could be carried out, 1 when it could
// not, and 2 when it was wrong.
func Main(games ...*room.Rules) {
	os.Exit(cli.Run(games, os.Args[1:], os.Stdout, os.Stderr))
}
