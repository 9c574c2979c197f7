package e2e

import (
	"io"
	"time"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
)

const (
	exitOK     = cli.ExitOK
	exitFailed = cli.ExitFailed
	exitUsage  = cli.ExitUsage
)

type ready = node.Ready

// extra are the games beside those of the command roomring, that tests play.
var extra []*room.Rules

// games are those of the program under test.
func games() []*room.Rules {
	return append([]*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}, extra...)
}

// run carries out a command line in this process.
func run(args []string, out, errs io.Writer) int { return cli.Run(games(), args, out, errs) }

func builtin() (*core.Games, error) { return core.NewGames(games()...) }

// devStatus is what roomring dev says of a node's process.
type devStatus struct {
	Node  string   `json:"node"`
	PID   int      `json:"pid"`
	State devState `json:"state"`
	URL   string   `json:"url"`
	Admin string   `json:"admin"`
}

type devState string

const (
	devRunning devState = "running"
	devPaused  devState = "paused"
	devStopped devState = "stopped"
)

// ceiling bounds every wait on a busy machine.
const ceiling = 30 * time.Second
