package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// setAsideAnswer is the answer of GET /admin/v1/set-aside.
type setAsideAnswer struct {
	Rooms   []actor.Aside
	Partial bool
}

const setAsidePath = "/admin/v1/set-aside"

func (c *adminClient) listSetAside(ctx context.Context) error {
	return askAndShow(ctx, c, http.MethodGet, setAsidePath, nil, func(a setAsideAnswer) error {
		t := newTable(c.out, "COPY", "ROOM", "AGE", "INDEX", "BYTES", "REASON")
		for _, r := range a.Rooms {
			t.row(copyName(r), r.Room, age(r.At), r.Index, r.Bytes, r.Reason)
		}
		if a.Partial {
			_, _ = fmt.Fprintln(t, "(a node did not answer in time: copies may be missing)")
		}
		return t.Flush()
	})
}

func copyName(a actor.Aside) string { return fmt.Sprintf("%s/%d", a.Node, a.Key) }

// findSetAside returns the path of a copy. The name is the one in the list or, if a room has one copy, the room's id.
func (c *adminClient) findSetAside(ctx context.Context, name string) (string, error) {
	if at := strings.LastIndexByte(name, '/'); at > 0 {
		if key, err := strconv.ParseUint(name[at+1:], 10, 63); err == nil {
			return fmt.Sprintf("%s/%s/%d", setAsidePath, url.PathEscape(name[:at]), key), nil
		}
	}
	if _, err := record.ParseID(name); err != nil {
		return "", fmt.Errorf("%q is neither a copy, such as node-1/3, nor a room's id: roomring admin rooms --set-aside lists them", name)
	}
	data, err := c.ask(ctx, http.MethodGet, setAsidePath, nil)
	if err != nil {
		return "", err
	}
	var all setAsideAnswer
	if err := json.Unmarshal(data, &all); err != nil {
		return "", c.unexpected(err)
	}
	var found []actor.Aside
	var names []string
	for _, a := range all.Rooms {
		if string(a.Room) == name {
			found, names = append(found, a), append(names, printable(copyName(a)))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no node that answers has set room %s aside", name)
	case 1:
		return fmt.Sprintf("%s/%s/%d", setAsidePath, url.PathEscape(found[0].Node), found[0].Key), nil
	}
	return "", fmt.Errorf("room %s has several copies: name one of %s", name, strings.Join(names, ", "))
}

// loadSetAside downloads a copy.
func (c *adminClient) loadSetAside(ctx context.Context, name string) ([]byte, error) {
	path, err := c.findSetAside(ctx, name)
	if err != nil {
		return nil, err
	}
	res, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, core.MaxKeptBytes+1))
	if err == nil && len(data) > core.MaxKeptBytes {
		err = errors.New("the copy is larger than any can be")
	}
	return data, err
}

func (c *adminClient) fetchCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "fetch COPY|ROOM", Short: "Download a copy of a room that was set aside, with all its secrets", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: c.run(func(ctx context.Context, args []string) error {
			data, err := c.loadSetAside(ctx, args[0])
			if err != nil {
				return err
			}
			to := file
			if to == "" {
				to = strings.NewReplacer("/", "-", string(os.PathSeparator), "-").Replace(args[0]) + ".room"
			}
			f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it contains the seed and all hidden state
			if err != nil {
				return err
			}
			_, err = f.Write(data)
			if err = errors.Join(err, f.Close()); err == nil {
				_, err = fmt.Fprintf(c.out, "%s: %d bytes; roomring replay %s runs it again\n", printable(to), len(data), printable(to))
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&file, "out", "", "`file` to write, which must not exist (default: the copy's name and .room)")
	return cmd
}

func (c *adminClient) replayCommand(games *core.Games) *cobra.Command {
	var show replayPrinter
	cmd := &cobra.Command{
		Use: "replay COPY|ROOM", Short: "Run the log of a room that was set aside, on this machine", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Replay runs the log of a room that was set aside, with the games of this binary, as roomring replay runs finished games.
A game that kills its process kills this one.`,
	}
	cmd.RunE = c.run(func(ctx context.Context, args []string) error {
		data, err := c.loadSetAside(ctx, args[0])
		if err != nil {
			return err
		}
		show.out, show.in = c.out, bufio.NewReader(cmd.InOrStdin())
		return show.replay(games, data)
	})
	cmd.Flags().BoolVar(&show.inputs, "inputs", false, "print every input")
	cmd.Flags().BoolVar(&show.step, "step", false, "print every input and what spectators saw after it, and wait for Enter")
	return cmd
}

func (c *adminClient) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore COPY|ROOM", Short: "Continue a room that was set aside, under a new id", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Restore is for a room that was set aside for a reason that is gone, for example after a fix in the binary. The node that has
the copy runs its log again. The room continues from there under a new id, with its players' seats; the old room stays over.
It is refused, with the reason, if the log is damaged or does not lead to a live room, if the room lives elsewhere, if its
result is stored, or if the copy has been restored already. Replay it first: a game that kills its process kills the node.`,
		RunE: c.run(func(ctx context.Context, args []string) error {
			path, err := c.findSetAside(ctx, args[0])
			if err != nil {
				return err
			}
			return askAndShow(ctx, c, http.MethodPost, path+"/restore", map[string]string{}, func(a struct{ Room, Node string }) error {
				_, err := fmt.Fprintf(c.out, "goes on as room %s at %s\n", printable(a.Room), printable(a.Node))
				return err
			})
		}),
	}
}
