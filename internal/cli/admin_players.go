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
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/admin"
)

func (c *adminClient) playerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "player", Short: "Hand out or take away what is kept of a player", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.exportPlayerCommand(), c.forgetPlayerCommand())
	return cmd
}

// playerPath is a player's path in the API, for an argument that is checked here.
func playerPath(id, rest string) (string, error) {
	if id == "" || len(id) > room.MaxPlayerID {
		return "", fmt.Errorf("a player's id has 1 to %d bytes: it is the sub of their tokens, or g_… of a guest", room.MaxPlayerID)
	}
	return "/admin/v1/players/" + url.PathEscape(id) + rest, nil
}

func (c *adminClient) exportPlayerCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export ID", Short: "Write down all that is kept of a player, a JSON line each", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Export asks for all that the store has of a player, and writes it as lines of JSON: the player with name, ratings and
counts; each room that is not over yet; each result that names them; of each replay its size, where the whole can be had, and
the player's own inputs. The last line is {"kind":"end"}: without it the answer is not whole.`,
		RunE: c.run(func(ctx context.Context, args []string) error {
			if file == "" {
				return c.export(ctx, args[0], func(line []byte) error {
					_, err := fmt.Fprintln(c.out, printableJSON(string(line)))
					return err
				})
			}
			return c.exportTo(ctx, args[0], file)
		}),
	}
	cmd.Flags().StringVar(&file, "out", "", "`file` to write, which must not exist (default: standard output)")
	return cmd
}

// exportTo writes a file that is there only if it is whole.
func (c *adminClient) exportTo(ctx context.Context, id, file string) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // nobody else may read it
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it has another name by then, or is of no use
	out, lines := bufio.NewWriter(f), 0
	err = c.export(ctx, id, func(line []byte) error {
		lines++
		_, err := out.Write(append(line, '\n'))
		return err
	})
	if err = errors.Join(err, out.Flush(), f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), file) // which fails if somebody else has made it meanwhile
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s: %d lines\n", printable(file), lines)
	return err
}

// export hands over the lines of what is kept of a player.
func (c *adminClient) export(ctx context.Context, id string, each func(line []byte) error) error {
	path, err := playerPath(id, "")
	if err != nil {
		return err
	}
	res, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxAnswer)
	last := struct{ Kind string }{}
	for lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			return c.unexpected(err)
		}
		if err := each(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil || last.Kind != "end" {
		return errors.Join(errors.New("the answer was cut short: try again"), err)
	}
	return nil
}

// forgotAnswer is POST /admin/v1/players/{id}/forget.
type forgotAnswer struct {
	admin.ForgotPlayer
	Unfinished []string `json:"unfinished"`
	Partial    bool     `json:"partial"`
}

func (c *adminClient) forgetPlayerCommand() *cobra.Command {
	var yes, anyway bool
	cmd := &cobra.Command{
		Use: "forget ID", Short: "Take a player out of everything that is stored, for good", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Forget deletes a player's profile, ratings and counts, and takes them off the leaderboards. In results and replays a tombstone
stands where they stood, another in each room, so that their opponents keep games and ratings; a replay that would show another game
without them is deleted. It works through long histories in steps, and goes on where it was when it is stopped and given again.
It is refused while the player sits, or has sat, in a room that is not over.

What stays is said in docs/OPERATIONS.md: what players wrote to each other, logs, backups, rooms that were set aside.`,
		RunE: c.run(func(ctx context.Context, args []string) error {
			path, err := playerPath(args[0], "/forget")
			if err != nil {
				return err
			}
			if !yes {
				return c.wouldForget(ctx, args[0])
			}
			return c.forgetPlayer(ctx, path, anyway)
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it; without, it only says what it would do")
	cmd.Flags().BoolVar(&anyway, "anyway", false, "forget what is stored, though rooms that are not over will name the player again")
	return cmd
}

// wouldForget says what there is to forget. It is an error, for nothing was done.
func (c *adminClient) wouldForget(ctx context.Context, id string) error {
	count := map[string]int{}
	err := c.export(ctx, id, func(line []byte) error {
		var kind struct{ Kind string }
		err := json.Unmarshal(line, &kind)
		count[kind.Kind]++
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "It would delete the player's profile, ratings and counts, and take the player out of %d results and %d replays. It cannot be undone.\n", count["result"], count["replay"])
	if count["unfinished"] > 0 {
		_, _ = fmt.Fprintf(c.out, "%d rooms that name the player are not over yet: it waits for them, unless --anyway is given.\n", count["unfinished"])
	}
	return errors.Join(err, errors.New("nothing was forgotten: give --yes"))
}

// forgetPlayer asks until it is done.
func (c *adminClient) forgetPlayer(ctx context.Context, path string, anyway bool) error {
	var all forgotAnswer
	for !all.Done {
		res, err := c.send(ctx, http.MethodPost, path, map[string]bool{"anyway": anyway})
		if err != nil {
			return err
		}
		data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		_ = res.Body.Close()
		if err != nil {
			return err
		}
		var step forgotAnswer
		if err := json.Unmarshal(data, &step); err != nil {
			return c.unexpected(err)
		}
		all.Done, all.Unfinished, all.Partial = step.Done, step.Unfinished, step.Partial
		all.Results, all.Redacted, all.Dropped, all.Indexed = all.Results+step.Results, all.Redacted+step.Redacted, all.Dropped+step.Dropped, all.Indexed+step.Indexed
	}
	if c.output == "json" {
		data, err := json.Marshal(all)
		if err != nil {
			return err
		}
		return c.printJSON(data)
	}
	_, err := fmt.Fprintf(c.out, "Nothing that is stored names the player any more: taken out of %d results; %d replays play on without, %d are deleted.\n", all.Results, all.Redacted, all.Dropped)
	if len(all.Unfinished) > 0 {
		_, _ = fmt.Fprintf(c.out, "These rooms are not over, and will name the player again: %s. Forget again after their end.\n", printable(strings.Join(all.Unfinished, ", ")))
	}
	if all.Partial {
		_, _ = fmt.Fprintln(c.out, "Not all nodes answered: rooms of theirs may name the player again.")
	}
	return err
}
