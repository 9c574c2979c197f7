package main

import (
	"io"
	"time"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room/core"
)

const (
	exitOK     = cli.ExitOK
	exitFailed = cli.ExitFailed
	exitUsage  = cli.ExitUsage
)

type ready = node.Ready

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
