// Package cli has the commands of a program that serves games, and their settings.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/loadtest"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// Exit codes, for supervisors and scripts.
const (
	ExitOK     = 0
	ExitFailed = 1 // the command was valid but failed
	ExitUsage  = 2 // flags, variables, config file or arguments are wrong
)

// usageError is a mistake in the call of a command. The message points to the help of Command.
type usageError struct {
	Command string
	Err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v (see %s --help)", e.Err, e.Command)
}

func (e *usageError) Unwrap() error { return e.Err }

// Program is what a program gives the commands.
type Program struct {
	Games   []*room.Rules
	Pages   fs.FS                      // of its own, over and beside the built-in ones, unless --pages names a folder; nil: none
	Drivers map[string]loadtest.Driver // who plays in load tests, by the game's name
}

// Run executes a command line of a program, and returns the exit code.
func Run(p Program, args []string, stdout, stderr io.Writer) int {
	games, err := core.NewGames(p.Games...)
	if err == nil {
		err = p.checkDrivers(games)
	}
	if err != nil {
		fmt.Fprintf(stderr, "roomring: %s\n", printable(oneLine(err)))
		return ExitFailed
	}
	root := newRoot(games, p)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err = root.ExecuteContext(context.Background())
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(stderr, "roomring: %s\n", printable(oneLine(err)))
	if _, ok := errors.AsType[*usageError](err); ok {
		return ExitUsage
	}
	return ExitFailed
}

// oneLine joins the lines of an error, so that it does not look like several messages.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// checkDrivers finds drivers of games that the program does not have.
func (p Program) checkDrivers(games *core.Games) error {
	for name := range p.Drivers {
		if _, known := games.Lookup(name); !known {
			return fmt.Errorf("there is a driver for the game %q, which this program does not have", name)
		}
	}
	return nil
}

func newRoot(games *core.Games, p Program) *cobra.Command {
	root := &cobra.Command{
		Use:   "roomring",
		Short: "A stateful WebSocket game and room server",
		Long: `Roomring runs game rooms. The state of each room lives in this process's memory, players connect to it over WebSocket, and
every move that it acknowledges survives a crash.

Start with:
  roomring serve                       a server on http://localhost:7777, data in ./roomring-data
  roomring serve --help                its flags, ROOMRING_… variables and config file`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{cmd.CommandPath(), err}
	})
	root.AddCommand(
		newServe(games, p),
		newNew(),
		newDev(),
		newTorture(games),
		newLoadtest(games, p.Drivers),
		newReplay(games),
		newTypes(games),
		newToken(),
		newHealthcheck(),
		newAdmin(games),
		newVersion(),
	)
	return root
}

// usageArgs turns an error of check into a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{cmd.CommandPath(), err}
		}
		return nil
	}
}
