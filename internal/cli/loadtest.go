package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/loadtest"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// loadtestFlags are the flags of roomring loadtest that are not loadtest.Options as they are.
type loadtestFlags struct {
	loadtest.Options
	rate, joins               string
	options, encoding         string
	adminTokenFile, report    string
	failIf                    []string
	seeded, adminGiven, quiet bool
}

func newLoadtest(games *core.Games, drivers map[string]loadtest.Driver) *cobra.Command {
	var f loadtestFlags
	cmd := &cobra.Command{
		Use:   "loadtest GAME",
		Short: "Play a game with many players on a running server, and measure how it answers",
		Long: `Loadtest has many players come by matchmaking, play, and come again when their game is over. Acts and joins are due at set
times, whatever the server does (an open loop), and latencies count from those times: a server that stalls is not asked less.
Acts are measured for --duration, once all players have had time to come.

Players do what the game's Legal names (room.Advisor), by the state that the admin API shows; or what a driver in Go proposes
(roomring.Program). All players come from one address, so the server must not limit addresses: loadtest says which settings
have refused something. It exits 0, or 1 if a --fail-if holds or nothing could be measured, or 2 if a flag is wrong.

A --fail-if is METRIC>VALUE, with > >= < or <=. Metrics are:
  act.STAT  join.STAT            a time, such as act.p99>50ms; STAT is min, mean, max, p50, p99.9 …
  acts  joins                    answered or done a second, such as acts<190/s
  errors  refused  dropped       a number or a share, such as errors>0 or dropped>1%
Ctrl-C ends the run early; it reports all the same.`,
		Example: `  roomring loadtest chess --players 1000 --rate 200/s --joins 100/s --duration 60s
  roomring loadtest snakes --players 60 --rate 100/s --spectators 20 --encoding cbor
  roomring loadtest chess --options '{"clock":{"initial_ms":180000}}' --fail-if 'act.p99>50ms' --fail-if 'errors>0.1%' --json report.json
  roomring loadtest chess --url http://n1:7777 --url http://n2:7777 --admin http://n1:7778 --admin-token-file token`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seeded, f.adminGiven = cmd.Flags().Changed("seed"), cmd.Flags().Changed("admin")
			if err := f.complete(games, drivers, args[0]); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			ctx, cancel := untilSignal(cmd.Context())
			defer cancel()
			if !f.quiet {
				f.Progress, f.Live = cmd.ErrOrStderr(), showsColours(cmd.ErrOrStderr())
			}
			file, err := f.create()
			if err != nil {
				return err
			}
			report, err := loadtest.Run(ctx, f.Options)
			if err == nil {
				err = f.write(cmd.OutOrStdout(), file, report)
			}
			if file != nil {
				err = errors.Join(err, file.Close())
			}
			return err
		},
	}
	g := cmd.Flags()
	g.SortFlags = false
	g.StringArrayVar(&f.URLs, "url", []string{"http://localhost:7777"}, "`URL` of the server, as players reach it; may be repeated for a cluster, whose nodes players then take in turn")
	g.IntVar(&f.Players, "players", 100, "`players` at a time")
	g.StringVar(&f.rate, "rate", "50/s", "acts offered in all, as `N/s` or N/m")
	g.StringVar(&f.joins, "joins", "25/s", "joins offered, as `N/s` or N/m")
	g.DurationVar(&f.For, "duration", 30*time.Second, "`time` for which acts are measured, after all players have had time to come")
	g.StringVar(&f.options, "options", "", "options of the rooms as `JSON` (default: the game's)")
	g.Var(oneOf(&f.encoding, "both", "json", "cbor", "both"), "encoding", "of the sockets: json, cbor, or both in turn")
	g.IntVar(&f.Spectators, "spectators", 0, "`spectators` at a time, beside the players")
	g.Uint64Var(&f.Seed, "seed", 0, "`number` by which acts are drawn (default: drawn, and reported)")
	g.DurationVar(&f.Patience, "patience", 10*time.Second, "`time` after which a join or an act without an answer is an error")
	g.StringArrayVar(&f.Admins, "admin", []string{"http://127.0.0.1:7778"}, "`URL` of the server's admin API; may be repeated, for each process whose CPU and memory are to be told")
	g.StringVar(&f.adminTokenFile, "admin-token-file", "", "`file` whose first line is the token of the admin API")
	g.StringArrayVar(&f.failIf, "fail-if", nil, "`condition` under which the run has failed, such as 'act.p99>50ms'; may be repeated")
	g.StringVar(&f.report, "json", "", "`file` for the whole report as JSON")
	g.BoolVar(&f.quiet, "quiet", false, "no line of progress each second")
	return cmd
}

// complete reads what the flags say. Every error is a usage error.
func (f *loadtestFlags) complete(games *core.Games, drivers map[string]loadtest.Driver, game string) (err error) {
	known := false
	if f.Rules, known = games.Lookup(game); !known {
		var names []string
		for rules := range games.All() {
			names = append(names, rules.Spec().Name)
		}
		return fmt.Errorf("this program has no game %q: it has %s", game, strings.Join(names, ", "))
	}
	f.Driver, f.AdminGuess = drivers[game], !f.adminGiven
	if !f.seeded {
		f.Seed = rand.Uint64N(1_000_000)
	}
	if f.Rate, err = parseRate("rate", f.rate); err != nil {
		return err
	}
	if f.JoinRate, err = parseRate("joins", f.joins); err != nil {
		return err
	}
	for _, at := range []struct {
		flag string
		urls []string
	}{{"url", f.URLs}, {"admin", f.Admins}} {
		for i, text := range at.urls {
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
				return fmt.Errorf("--%s %q: give an http or https URL such as http://localhost:7777", at.flag, text)
			}
			at.urls[i] = strings.TrimRight(text, "/")
		}
	}
	f.RoomOptions = json.RawMessage(f.options)
	if err := f.Validate(); err != nil {
		return err
	}
	f.Encodings = map[string][]wire.Encoding{"json": {wire.JSON}, "cbor": {wire.CBOR}, "both": {wire.JSON, wire.CBOR}}[f.encoding]
	for _, text := range f.failIf {
		t, err := loadtest.ParseThreshold(text)
		if err != nil {
			return fmt.Errorf("--fail-if: %w", err)
		}
		f.Thresholds = append(f.Thresholds, t)
	}
	if f.AdminToken, err = firstLine(f.adminTokenFile); err != nil {
		return fmt.Errorf("--admin-token-file: %w", err)
	}
	return nil
}

// mostRate bounds rates, far above what one process can offer.
const mostRate = 1_000_000

// parseRate reads N/s, N/m or N, which is a second.
func parseRate(flag, text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(number, 64)
	if unit == "m" {
		n /= 60
	}
	if err != nil || unit != "" && unit != "s" && unit != "m" || strings.HasSuffix(text, "/") || !(n > 0 && n <= mostRate) {
		return 0, fmt.Errorf("--%s %q: give a rate such as 200/s or 30/m, more than 0 and at most %d/s", flag, text, mostRate)
	}
	return n, nil
}

// create opens the file of the report before the run, so that none is lost for want of it. It is nil if there is to be none.
func (f *loadtestFlags) create() (*os.File, error) {
	if f.report == "" {
		return nil, nil
	}
	file, err := os.Create(f.report)
	if err != nil {
		return nil, fmt.Errorf("--json: %w", err)
	}
	return file, nil
}

// errLoad says that a run has failed, which the summary has told.
var errLoad = errors.New("the load test has failed: the summary says why")

func (f *loadtestFlags) write(w io.Writer, file *os.File, report *loadtest.Report) error {
	if file != nil {
		if err := report.WriteJSON(file); err != nil {
			return fmt.Errorf("--json: %w", err)
		}
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) { // codes and reasons are the server's
		if _, err := fmt.Fprintln(w, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	if !report.OK {
		return errLoad
	}
	return nil
}
