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
		Use: "player", Short: "Export or delete what is stored about a player", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.exportPlayerCommand(), c.forgetPlayerCommand())
	return cmd
}

// playerPath checks an argument that names a player, and returns the player's path in the API.
func playerPath(id, rest string) (string, error) {
	if id == "" || len(id) > room.MaxPlayerID {
		return "", fmt.Errorf("a player's id has 1 to %d bytes: it is the sub of the player's tokens, or g_… for a guest", room.MaxPlayerID)
	}
	return "/admin/v1/players/" + url.PathEscape(id) + rest, nil
}

func (c *adminClient) exportPlayerCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "export ID", Short: "Write all that is stored about a player, as lines of JSON", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Export writes all that the store has about a player, as lines of JSON: the player with name, ratings and counts; each
room that is not over yet; each result that names the player; and for each replay its size, where to download it, and the
player's own inputs. The last line is {"kind":"end"}: without it the export is incomplete.`,
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

// exportTo writes the export to a file, which appears only once it is complete.
func (c *adminClient) exportTo(ctx context.Context, id, file string) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s exists already: choose another name", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // readable by this user alone
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // after success the file has its final name
	out, lines := bufio.NewWriter(f), 0
	err = c.export(ctx, id, func(line []byte) error {
		lines++
		_, err := out.Write(append(line, '\n'))
		return err
	})
	if err = errors.Join(err, out.Flush(), f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), file) // fails if the file exists by now
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s: %d lines\n", printable(file), lines)
	return err
}

// export calls each with the lines of a player's export.
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

// forgotAnswer is the answer of POST /admin/v1/players/{id}/forget.
type forgotAnswer struct {
	admin.ForgotPlayer
	Unfinished []string `json:"unfinished"`
	Partial    bool     `json:"partial"`
}

func (c *adminClient) forgetPlayerCommand() *cobra.Command {
	var yes, anyway bool
	cmd := &cobra.Command{
		Use: "forget ID", Short: "Remove a player from everything that is stored, for good", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Forget deletes a player's profile, ratings and counts, and removes the player from the leaderboards. In results and replays a
tombstone, a different one in each room, replaces the player, so that opponents keep their games and ratings. A replay that
would show another game with a tombstone is deleted. Long histories take several steps; if the command is stopped, run it
again and it continues. It is refused while the player has, or had, a seat in a room that is not over.

docs/OPERATIONS.md says what stays: what players wrote to each other, logs, backups, rooms that were set aside.`,
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
	cmd.Flags().BoolVar(&yes, "yes", false, "do it; without this flag the command only says what it would do")
	cmd.Flags().BoolVar(&anyway, "anyway", false, "forget what is stored, although rooms that are not over will name the player again")
	return cmd
}

// wouldForget prints what there is to forget. It always returns an error, because nothing was done.
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
		_, _ = fmt.Fprintf(c.out, "%d rooms that name the player are not over yet: forget is refused until they are, unless --anyway is given.\n", count["unfinished"])
	}
	return errors.Join(err, errors.New("nothing was forgotten: give --yes"))
}

// forgetPlayer repeats the request until nothing is left to do, and prints the totals.
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
	_, err := fmt.Fprintf(c.out, "Nothing that is stored names the player any more: taken out of %d results; %d replays play on without the player, %d are deleted.\n", all.Results, all.Redacted, all.Dropped)
	if len(all.Unfinished) > 0 {
		_, _ = fmt.Fprintf(c.out, "These rooms are not over, and will name the player again: %s. Forget again after their end.\n", printable(strings.Join(all.Unfinished, ", ")))
	}
	if all.Partial {
		_, _ = fmt.Fprintln(c.out, "Not all nodes answered: rooms of the others may name the player again.")
	}
	return err
}
