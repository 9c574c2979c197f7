// Package cli is the commands of a program that serves games, and their settings.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// Exit codes: what a supervisor or a script can tell apart.
const (
	ExitOK     = 0
	ExitFailed = 1 // it was asked rightly and could not be done
	ExitUsage  = 2 // it was asked wrongly: flags, variables, config file, arguments
)

// usageError is a mistake in how a command was called. Command names the one whose help teaches better.
type usageError struct {
	Command string
	Err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v (see %s --help)", e.Err, e.Command)
}

func (e *usageError) Unwrap() error { return e.Err }

// Run carries out one command line of a program with these games, and returns the process's exit code.
func Run(rules []*room.Rules, args []string, stdout, stderr io.Writer) int {
	games, err := core.NewGames(rules...)
	if err != nil {
		fmt.Fprintf(stderr, "roomring: %s\n", printable(oneLine(err)))
		return ExitFailed
	}
	root := newRoot(games)
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

// oneLine keeps an error with line breaks from looking like several messages.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func newRoot(games *core.Games) *cobra.Command {
	root := &cobra.Command{
		Use:   "roomring",
		Short: "A stateful WebSocket game and room server",
		Long: `Roomring runs game rooms: the state of each lives in this process's memory, players are
connected to it over WebSocket, and every move it acknowledges outlives a crash.

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
	root.AddCommand(newServe(games), newDev(), newReplay(games), newToken(), newHealthcheck(), newAdmin(games), newVersion())
	return root
}

// usageArgs makes wrong arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{cmd.CommandPath(), err}
		}
		return nil
	}
}
