package cli

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/torture"
	"github.com/roomring/roomring/room/core"
)

// tortureFlags are the flags of roomring torture that are not torture.Options as they are.
type tortureFlags struct {
	torture.Options
	plan, tokenFile, adminTokenFile string
	setup                           []string
	json                            bool
}

func newTorture(games *core.Games) *cobra.Command {
	var f tortureFlags
	cmd := &cobra.Command{
		Use:   "torture [-- FLAG…]",
		Short: "Break a cluster under play, and prove that nothing was lost",
		Long: `Torture starts a cluster on this machine, plays games on it with many clients, and breaks it meanwhile: it kills, freezes and
stops nodes, takes the store away, breaks sockets, cuts cables. Then it makes everything whole, lets the games end, and
compares what every client has sent and seen with the logs and results that the store has. It exits 0 only if every
acknowledged act is there once and in order, no client missed a turn or saw another one than the log's, no epoch of a room
had two nodes, and every finished game has one result. The report tells how long players had to wait.

Faults are drawn by --seed, or come from a --plan, a text of lines such as "at 10s kill n2 for 3s"; docs/RELIABILITY.md
describes it. Games are played by what their rules say is legal (room.Advisor). With --url and --admin it plays on a running
cluster, and breaks nothing there but its own sockets. Every node gets the flags of roomring serve that come after --.
Ctrl-C ends the faults; it then checks and reports all the same.`,
		Example: `  roomring torture
  roomring torture --for 10m --store postgres --seed 7
  roomring torture --plan deploy.plan --games chess --json
  sudo roomring torture --store postgres --namespaces
  roomring torture --url https://play.example.com --admin http://127.0.0.1:7778 --for 30s`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Serve = args
			var err error
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				err = fmt.Errorf("unknown argument %q: flags for the nodes come after --", args[0])
			}
			if err = errors.Join(err, f.complete(games, cmd.Flags().Changed("seed"))); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			ctx, cancel := untilSignal(cmd.Context())
			defer cancel()
			f.Log = cmd.ErrOrStderr()
			report, err := torture.Run(ctx, f.Options)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), report)
		},
	}
	f.flags(cmd)
	return cmd
}

func (f *tortureFlags) flags(cmd *cobra.Command) {
	g := cmd.Flags()
	g.SortFlags = false
	g.DurationVar(&f.For, "for", time.Minute, "`time` for which things break")
	g.DurationVar(&f.Settle, "settle", 20*time.Second, "`time` that games may take to end after that; then they are closed")
	g.Uint64Var(&f.Seed, "seed", 0, "`number` by which faults and games are drawn (default: drawn, and reported)")
	g.StringVar(&f.plan, "plan", "", "`file` that says what breaks when, in place of what is drawn")
	g.StringSliceVar(&f.Faults, "faults", nil, "`kinds` of faults that may be drawn: "+strings.Join(torture.Kinds(), ",")+" (default: all that can be done and lose nothing)")
	g.BoolVar(&f.Quiet, "no-faults", false, "break nothing")
	g.DurationVar(&f.Every, "every", 5*time.Second, "mean `time` between two faults that are drawn")
	g.StringSliceVar(&f.Play, "games", nil, "`names` of the games to play (default: all that say what is legal)")
	g.StringArrayVar(&f.setup, "options", nil, "options of a game as JSON, `NAME=JSON`; may be repeated")
	g.IntVar(&f.Rooms, "rooms", 12, "`rooms` at a time")
	g.IntVar(&f.Players, "players", 2, "`players` in a room, as far as its game takes them")
	g.DurationVar(&f.Longest, "room-time", time.Minute, "`time` after which a room is closed whose game goes on")
	g.DurationVar(&f.Pause, "pause", 100*time.Millisecond, "`time` between two acts in a room")
	g.IntVar(&f.Nodes, "nodes", 3, "`nodes` to start")
	g.StringVar(&f.Dir, "dir", "", "empty `folder` for the nodes and their logs (default: a temporary one, which is left if something is found)")
	g.StringVar(&f.Store, "store", "sqlite", "`sqlite`, postgres (one of its own, which it can break; needs PostgreSQL's programs), or the URL of an empty database")
	g.BoolVar(&f.Namespaces, "namespaces", false, "give each node a network of its own, whose cables can be cut; needs root on Linux")
	g.StringArrayVar(&f.URLs, "url", nil, "`URL` of a node of a running cluster to play on instead; may be repeated")
	g.StringArrayVar(&f.AdminURLs, "admin", nil, "`URL` of its admin API; once for each --url")
	g.StringVar(&f.adminTokenFile, "admin-token-file", "", "`file` whose first line is the token of these admin APIs")
	g.StringVar(&f.tokenFile, "token-file", "", "`file` whose first line is a player's token that may create rooms there")
	g.BoolVar(&f.json, "json", false, "print the report as JSON")
}

// complete reads what the flags name. Every error is a usage error.
func (f *tortureFlags) complete(games *core.Games, seeded bool) (err error) {
	f.Games = games
	if !seeded {
		f.Seed = rand.Uint64N(1_000_000)
	}
	if f.plan != "" {
		if f.Plan, err = readPlan(f.plan); err != nil {
			return fmt.Errorf("--plan %s: %w", f.plan, err)
		}
	}
	f.Setup = map[string]string{}
	for _, text := range f.setup {
		name, options, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--options %q: write NAME=JSON, such as chess={\"bot\":1}", text)
		}
		f.Setup[name] = options
	}
	if f.Nodes < 1 || f.Nodes > maxDevNodes || f.Rooms < 1 || f.Players < 1 || f.For <= 0 || f.Every <= 0 || f.Longest <= 0 {
		return fmt.Errorf("--nodes must be 1 to %d, --rooms and --players at least 1, and times more than 0", maxDevNodes)
	}
	for _, t := range []struct {
		file string
		into *string
	}{{f.adminTokenFile, &f.AdminToken}, {f.tokenFile, &f.Token}} {
		if t.file == "" {
			continue
		}
		text, err := os.ReadFile(t.file)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		*t.into = strings.TrimSpace(first)
	}
	f.Command = f.again(os.Args, seeded)
	return nil
}

// again is the command line that does the same once more.
func (f *tortureFlags) again(args []string, seeded bool) string {
	words := slices.Clone(args)
	if !seeded {
		at := slices.Index(words, "--")
		if at < 0 {
			at = len(words)
		}
		words = slices.Insert(words, at, "--seed", fmt.Sprint(f.Seed))
	}
	for i, w := range words {
		if strings.ContainsAny(w, " \"'{}$\\;&|<>()*?[]~#!`\n") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

func readPlan(name string) (*torture.Plan, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return torture.ParsePlan(file)
}

// errTortured says that a check did not hold, which the report has told.
var errTortured = errors.New("not every check held: the report says which")

func (f *tortureFlags) print(w io.Writer, report *torture.Report) error {
	write := report.WriteText
	if f.json {
		write = report.WriteJSON
	}
	if err := write(w); err != nil {
		return err
	}
	if !report.OK() {
		return errTortured
	}
	return nil
}
