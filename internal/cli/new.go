package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/scaffold"
	"github.com/roomring/roomring/web"
)

func newNew() *cobra.Command {
	var o scaffold.Options
	var ui string
	var tidy bool
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a game of your own",
		Long: `New makes a folder with a small Go module that is at once a whole game: rules with hidden information, a built-in opponent and a
clock, a table for the browser, a test that proves the rules, and Makefile, Dockerfile and CI beside. Change it into yours.

The templates are turn (a duel in turns), cards (two to four with hands of their own) and realtime (a field that moves by itself).`,
		Example: `  roomring new battleship
  roomring new pond --template realtime --module github.com/me/pond
  roomring new rummy --template cards --ui vite`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name, o.Vite = args[0], ui == "vite"
			types, err := fs.ReadFile(web.SDK(), "roomring.d.ts")
			if err != nil {
				return err
			}
			o.Types = types
			p, err := scaffold.Write(o)
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is a game to begin with.\n", p.Dir)
			if tidy {
				tidyModule(cmd.Context(), p.Dir, cmd.ErrOrStderr())
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\n  cd %s\n  go run . dev        # play at http://localhost:7777 while you change it\n  go test ./...       # prove the rules\n\n", p.Dir)
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(oneOf(&o.Template, "turn", "turn", "realtime", "cards"), "template", "what to begin with: turn, realtime or cards")
	f.Var(oneOf(&ui, "js", "js", "vite"), "ui", "how the table is written: js, which needs no build, or vite, which is TypeScript")
	f.StringVar(&o.Module, "module", "", "`path` of the module (default: example.com/NAME)")
	f.StringVar(&o.Replace, "replace", "", "`folder` with Roomring's source, to use in place of a published version")
	f.BoolVar(&tidy, "tidy", true, "run go mod tidy, which fetches what the module needs")
	return cmd
}

// tidyModule completes go.mod. The folder is of use without that, so what fails is only said.
func tidyModule(ctx context.Context, dir string, stderr io.Writer) {
	cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(stderr, "go mod tidy failed; run it in %s once what it says is mended: %s\n", dir, printable(strings.TrimSpace(string(out)+" "+err.Error())))
	}
}
