package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

func newReplay(games *core.Games) *cobra.Command {
	var base string
	var show replayPrinter
	var check bool
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "replay ROOM|FILE",
		Short: "Run a finished or aborted game again and check its result",
		Long: `Replay runs a game again from its log, on this machine and without a network. The same rules, seed and inputs always give
the same game. Replay compares the result and its checksum with the recorded ones, and exits 1 if they differ. A game that
panicked panics again, with its stack.

ROOM is a room's id, which is looked up in the store (the server need not run) or, with --url, at a server. FILE is an answer
of GET /v1/replays/{room} or a file from roomring admin fetch.`,
		Example: `  roomring replay 0123456789abcdef
  roomring replay --url https://play.example.com 0123456789abcdef
  curl -o game.replay http://localhost:7777/v1/replays/0123456789abcdef && roomring replay game.replay
  roomring replay --inputs game.replay         # what happened, one input on each line
  roomring replay --step game.replay           # and the view after each; Enter continues`,
		Args: usageArgs(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && !check || len(args) == 0 {
				return errors.New("name one room or file")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if check {
				return checkReplays(cmd.OutOrStdout(), games, args)
			}
			if err := s.load(); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			data, err := s.fetchReplay(cmd.Context(), args[0], base)
			if err != nil {
				return err
			}
			show.out, show.in = cmd.OutOrStdout(), bufio.NewReader(cmd.InOrStdin())
			return show.replay(games, data)
		},
	}
	s.addTo(cmd, "data-dir", "store", "store-file", "config")
	f := cmd.Flags()
	f.StringVar(&base, "url", "", "`URL` of a server to ask instead of the store")
	f.BoolVar(&show.inputs, "inputs", false, "print every input")
	f.BoolVar(&check, "check", false, "run any number of files, and print a line of JSON for each: the file, and how these rules differ from those by which it was played")
	f.BoolVar(&show.step, "step", false, "print every input and what spectators saw after it, and wait for Enter")
	return cmd
}

// fetchReplay reads the file of this name. If there is none and the name is a room's id, it asks the server at base or, if base
// is "", the store.
func (s *settings) fetchReplay(ctx context.Context, name, base string) ([]byte, error) {
	data, err := os.ReadFile(name)
	id, bad := record.ParseID(name)
	if err == nil || bad != nil {
		return data, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if base == "" {
		data, err = s.storedReplay(ctx, id)
	} else {
		data, err = askReplay(ctx, strings.TrimRight(base, "/"), id)
	}
	if err != nil {
		return nil, fmt.Errorf("room %s: %w", id, err)
	}
	return data, nil
}

func (s *settings) storedReplay(ctx context.Context, id room.ID) ([]byte, error) {
	driver, path, err := s.StoreTarget()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); driver == "sqlite" && err != nil {
		return nil, fmt.Errorf("there is no store %s: name it with --store or --data-dir, or ask a server with --url", path)
	}
	store, err := node.OpenStore(ctx, &s.Config, nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }() // nothing was written
	stored, err := store.Replay(ctx, id)
	if errors.Is(err, record.ErrNotFound) {
		return nil, errors.New("the store has no replay of it: is the game over, and is this its store?")
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(stored)
}

func askReplay(ctx context.Context, base string, id room.ID) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/replays/"+string(id), nil)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	req.Header.Set("Accept", "application/octet-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, core.MaxReplayBytes))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, problemDetail(data))
	}
	return data, err
}

// Replay runs a recorded game again and writes its end to w. The error is nil only if the result is the recorded one, or if the
// game had not ended when it was recorded and does not end now.
func Replay(w io.Writer, games *core.Games, data []byte) error {
	return (&replayPrinter{out: w}).replay(games, data)
}

// replayPrinter runs a replay again and prints it.
type replayPrinter struct {
	inputs, step bool
	out          io.Writer
	in           *bufio.Reader
}

// replay runs a game again, prints it and compares its end. See [Replay] for its error.
func (s *replayPrinter) replay(games *core.Games, data []byte) error {
	r, err := readLog(data)
	if err != nil {
		return err
	}
	rules, ok := games.Lookup(r.Header.Game)
	if !ok {
		return fmt.Errorf("this binary has no game %q: use the binary that ran it", r.Header.Game)
	}
	from := ""
	if len(r.Entries) > 0 && r.Entries[0].Index > 1 {
		from = fmt.Sprintf(" from %d on: what lies before is not kept", r.Entries[0].Index)
	}
	s.printf("room %s: %s version %d, %d inputs%s\n", r.Header.ID, r.Header.Game, r.Header.Version, len(r.Entries), from)
	machine, err := core.Run(core.Config{Header: r.Header, Rules: rules}, r.Log(), s.entry)
	if err != nil {
		return err
	}
	return s.verdict(machine, r.Final)
}

// readLog reads a replay, or a copy of a room that was set aside.
func readLog(data []byte) (core.Replay, error) {
	if !core.IsKept(data) {
		return core.ReadReplay(bytes.NewReader(data))
	}
	kept, err := core.DecodeKept(data)
	r := core.Replay{Header: kept.Header}
	for _, b := range kept.Batches {
		for e, bad := range core.DecodeEntries(b.Entries) {
			if err = errors.Join(err, bad); err == nil {
				r.Entries = append(r.Entries, e)
			}
		}
	}
	return r, err
}

// entry prints one input and, with --step, the view after it.
func (s *replayPrinter) entry(c *core.Core, e core.Entry) error {
	if s.inputs || s.step {
		line := fmt.Sprintf("%6d  %9v  %-7s %s %s%s %s", e.Index, e.At.Round(time.Millisecond), e.Kind, e.Player, e.Name, e.Reason, shownData(&e))
		s.printf("%s\n", printable(line))
	}
	if !s.step {
		return nil
	}
	if c.Panicked() == nil {
		seen, err := c.WholeView(room.Spectator)
		if err != nil {
			return err
		}
		s.printf("        %s\n", printableJSON(string(seen)))
	}
	if _, err := s.in.ReadString('\n'); errors.Is(err, io.EOF) {
		s.in, s.step = nil, false // the input has ended, so nobody can press Enter: run to the end
	} else if err != nil {
		return err
	}
	return nil
}

// shownData returns the data of an input, for people.
func shownData(e *core.Entry) string {
	switch {
	case e.Kind == core.KindCut || e.Kind == core.KindUpgrade:
		return fmt.Sprintf("(a state of %d bytes)", len(e.Data))
	case e.Kind == core.KindReserve:
		return fmt.Sprintf("for %v", e.For)
	case e.Refused != nil:
		return fmt.Sprintf("%s refused: %s (%s)", e.Data, e.Refused.Reason, e.Refused.Code)
	}
	return string(e.Data)
}

// verdict compares the end with the recorded one.
func (s *replayPrinter) verdict(machine *core.Core, recorded record.Final) error {
	if p := machine.Panicked(); p != nil {
		s.printf("the game panicked: %s\n%s\n", printable(p.Value), p.Stack)
	}
	final := machine.Final()
	switch {
	case recorded.End == "" && final == nil:
		s.printf("the game was still going on when it was recorded\n")
		return nil
	case recorded.End == "":
		return errors.New("the game ends here, but had not ended when it was recorded: it is not deterministic")
	case final == nil:
		return fmt.Errorf("the game does not end here, but was %s when it was recorded: it is not deterministic", recorded.End)
	}
	result, err := json.MarshalIndent(final.Result, "", "  ")
	if err != nil {
		return err
	}
	s.printf("%s after %v at input %d: %s\n", final.End, final.Duration.Round(time.Millisecond), final.Point.Seq, printableJSON(string(result)))
	if sum := final.Sum(); sum != recorded.Hash {
		return fmt.Errorf("the result differs from the recorded one: checksum %x, recorded %x", sum, recorded.Hash)
	}
	s.printf("the result is the recorded one, checksum %x\n", recorded.Hash)
	return nil
}

// printf writes to the terminal. It ignores errors: if the terminal is gone, the shell ends this process.
func (s *replayPrinter) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...)
}
