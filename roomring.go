// Package roomring is a stateful WebSocket game and room server to import. Games are Go values: see package
// [github.com/roomring/roomring/room].
//
// [Main] is a whole program with somebody's games: the commands of the binary roomring, its flags, its signals.
//
//	func main() { roomring.Main(battleship.Rules()) }
//
// [Pages] is the same with pages of its own.
//
// [New] is a server inside a program that has more to do than that. Servers share nothing: one process may have many, each with
// ports and a data folder of its own.
package roomring

import (
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/room"
)

// Main is a whole program that serves these games: the commands serve, new, dev, torture, loadtest, replay, types, admin, token, healthcheck and
// version. It does not return: it ends the process with 0 when the command line could be carried out, 1 when it could
// not, and 2 when it was wrong.
func Main(games ...*room.Rules) { Program{}.Main(games...) }

// Program is a whole program that has more than games. The zero value is that of [Main].
type Program struct {
	// Pages are pages of the program's own, as [Config.Pages]. The flag --pages goes before them.
	Pages fs.FS

	// Drivers play in load tests, by the name of the game. A driver proposes an action for p, who sees view; its JSON is what p's
	// client sends, and nil means that p has nothing to do now. It is what roomtest.Options.Act takes. Many goroutines call it at a
	// time, each with an r of its own; it must not block. A game without a driver is played by what its Legal method names.
	Drivers map[string]func(r *rand.Rand, p room.Player, view json.RawMessage) any
}

// Pages is a program with pages of its own: roomring.Pages(files).Main(battleship.Rules()). Of an embedded folder take what is in it,
// by [fs.Sub].
func Pages(pages fs.FS) Program { return Program{Pages: pages} }

// Main is the function [Main] for this program.
func (p Program) Main(games ...*room.Rules) {
	os.Exit(cli.Run(cli.Program{Games: games, Pages: p.Pages, Drivers: p.Drivers}, os.Args[1:], os.Stdout, os.Stderr))
}
