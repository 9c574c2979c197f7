package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/admin"
)

// adminClient sends requests to the admin API of a running server.
type adminClient struct {
	base      string
	tokenFile string
	caFile    string
	output    string
	timeout   time.Duration
	out       io.Writer
	flags     *pflag.FlagSet
	http      *http.Client
}

func newAdmin(games *core.Games) *cobra.Command {
	c := &adminClient{}
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Inspect and control running servers",
		Long: `Admin asks the admin API of a running server. That server knows its whole cluster: nodes, ring, and the rooms
of all nodes. Four flags are also variables: --admin is ROOMRING_ADMIN_URL, --token-file
is ROOMRING_ADMIN_TOKEN_FILE, --admin-ca-file is ROOMRING_ADMIN_CA_FILE, --output is ROOMRING_ADMIN_OUTPUT.`,
		Example: `  roomring admin nodes
  roomring admin ring --id 0123456789abcdef          # where it belongs, and why
  roomring admin ring --leave node-2                 # what would move
  roomring admin what-if node-2                      # what would happen if it died now
  roomring admin rooms --game chess --phase playing --all
  roomring admin room 0123456789abcdef --as spectator
  roomring admin events 0123456789abcdef             # live
  roomring admin close 0123456789abcdef --reason 'closing for tonight'
  roomring admin rooms --set-aside                   # kept but not served; then fetch, replay or restore
  roomring admin drain node-2
  roomring admin rebalance --dry-run                 # what would move to where the ring has it
  roomring admin nodes --admin https://admin.example.com:7778 --admin-ca-file ca.pem --token-file token
  roomring admin forget node-3                       # its disk is lost
  roomring admin player export alice --out alice.jsonl
  roomring admin player forget alice --yes           # for good
  roomring admin outbox --state failed               # events that no webhook took; then outbox replay ID`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	c.flags = f
	f.SortFlags = false
	f.StringVar(&c.base, "admin", "http://127.0.0.1:7778", "`URL` of a server's admin listener")
	f.StringVar(&c.tokenFile, "token-file", "", "`file` whose first line is the admin token, like the server's --admin-token-file")
	f.StringVar(&c.caFile, "admin-ca-file", "", "`file` with the authorities that must have issued the certificate of an https:// --admin (default: those of this system)")
	f.Var(oneOf(&c.output, "table", "table", "json"), "output", "table, or json as the API answered")
	f.DurationVar(&c.timeout, "timeout", 10*time.Second, "`time` to wait for an answer; streams have no limit")
	cmd.AddCommand(c.nodesCommand(), c.whatIfCommand(), c.ringCommand(), c.roomsCommand(), c.roomCommand(), c.eventsCommand(),
		c.closeCommand(), c.kickCommand(), c.signalCommand(), c.fetchCommand(), c.replayCommand(games), c.restoreCommand(), c.drainCommand(), c.rebalanceCommand(), c.forgetCommand(), c.playerCommand(), c.outboxCommand())
	return cmd
}

// adminVariables maps flags to the variables that set them.
var adminVariables = map[string]string{
	"admin": "ROOMRING_ADMIN_URL", "token-file": "ROOMRING_ADMIN_TOKEN_FILE", "admin-ca-file": "ROOMRING_ADMIN_CA_FILE", "output": "ROOMRING_ADMIN_OUTPUT",
}

// run returns a command's RunE, which resolves the flags and then calls f.
func (c *adminClient) run(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := c.resolve(); err != nil {
			return &usageError{cmd.CommandPath(), err}
		}
		c.out = cmd.OutOrStdout()
		return f(cmd.Context(), args)
	}
}

// resolve gives each flag that is not on the command line the value of its variable. Then it checks the address and makes the
// HTTP client.
func (c *adminClient) resolve() error {
	for flag, variable := range adminVariables {
		if value := os.Getenv(variable); value != "" && !c.flags.Changed(flag) {
			if err := c.flags.Set(flag, value); err != nil {
				return fmt.Errorf("%s: %w", variable, err)
			}
		}
	}
	u, err := url.Parse(c.base)
	if err == nil && u.User != nil {
		return errors.New("--admin: leave user and password out of the URL: the token is in --token-file")
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--admin %q: give the URL of a server's --admin-listen, such as http://127.0.0.1:7778", c.base)
	}
	c.base = strings.TrimRight(c.base, "/")
	c.http, err = adminHTTP(u, c.caFile)
	return err
}

// firstLine reads the token in a file. If file is "" there is no token.
func firstLine(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line), err
}

// send sends a request and returns the answer if its status is 2xx. Anything else becomes an error of one line.
func (c *adminClient) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	token, err := firstLine(c.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	if err != nil {
		return nil, c.noAnswer(err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	data, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // the status alone says enough
	if res.StatusCode == http.StatusBadRequest && bytes.Contains(data, []byte(wantsTLS)) {
		return nil, fmt.Errorf("%s speaks TLS: give --admin https://… with a name that its certificate is for", c.base)
	}
	if res.StatusCode == http.StatusUnauthorized && token != "" {
		return nil, fmt.Errorf("the token in %s is not the server's admin token: name the right file with --token-file", c.tokenFile)
	}
	if res.StatusCode == http.StatusUnauthorized {
		return nil, errors.New("the server requires its admin token: name the token's file with --token-file")
	}
	return nil, fmt.Errorf("%s: %s", res.Status, problemDetail(data))
}

// ask sends a request and returns the whole body of the answer.
func (c *adminClient) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = fmt.Errorf("%s answers with more than %d bytes", c.base, maxAnswer)
	}
	return data, err
}

// maxAnswer bounds an answer, in bytes. The largest answer is a room's state, which has the same bound between nodes.
const maxAnswer = 64 << 20

// askAndShow sends a request and prints the answer: unchanged as JSON, or by f as a table.
func askAndShow[T any](ctx context.Context, c *adminClient, method, path string, body any, f func(T) error) error {
	data, err := c.ask(ctx, method, path, body)
	if err != nil {
		return err
	}
	if c.output == "json" {
		return c.printJSON(data)
	}
	var answer T
	if err := json.Unmarshal(data, &answer); err != nil {
		return c.unexpected(err)
	}
	return f(answer)
}

// printJSON prints an answer on one line.
func (c *adminClient) printJSON(data []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return c.unexpected(err)
	}
	_, err := fmt.Fprintln(c.out, printableJSON(line.String()))
	return err
}

func (c *adminClient) unexpected(err error) error {
	return fmt.Errorf("%s answers as no admin listener of this version does: %w", c.base, err)
}

// roomPath checks an argument that names a room, and returns the room's path in the API.
func roomPath(id, rest string) (string, error) {
	if _, err := record.ParseID(id); err != nil {
		return "", fmt.Errorf("%q is no room's id: %w", id, err)
	}
	return "/admin/v1/rooms/" + id + rest, nil
}

// postRoom sends a POST to a room whose answer has no body, and prints done.
func (c *adminClient) postRoom(ctx context.Context, id, what string, body any, done string) error {
	path, err := roomPath(id, "/"+what)
	if err != nil {
		return err
	}
	if _, err := c.ask(ctx, http.MethodPost, path, body); err != nil {
		return err
	}
	if c.output == "table" {
		_, err = fmt.Fprintln(c.out, done)
	}
	return err
}

func (c *adminClient) closeCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "close ROOM", Short: "End a room for good", Args: usageArgs(cobra.ExactArgs(1)), ValidArgsFunction: c.completeRooms,
		RunE: c.run(func(ctx context.Context, args []string) error {
			return c.postRoom(ctx, args[0], "close", map[string]string{"reason": reason}, "closed")
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that players see, at most 123 bytes")
	return cmd
}

func (c *adminClient) kickCommand() *cobra.Command {
	return &cobra.Command{
		Use: "kick ROOM PLAYER", Short: "Take a player's seat away", Args: usageArgs(cobra.ExactArgs(2)), ValidArgsFunction: c.completeRooms,
		RunE: c.run(func(ctx context.Context, args []string) error {
			return c.postRoom(ctx, args[0], "kick", map[string]string{"player": args[1]}, "kicked")
		}),
	}
}

func (c *adminClient) signalCommand() *cobra.Command {
	return &cobra.Command{
		Use: "signal ROOM NAME [DATA]", Short: "Send a signal to a game, with DATA in JSON", Args: usageArgs(cobra.RangeArgs(2, 3)), ValidArgsFunction: c.completeRooms,
		RunE: c.run(func(ctx context.Context, args []string) error {
			body := map[string]any{"name": args[1]}
			if len(args) == 3 {
				if !json.Valid([]byte(args[2])) {
					return fmt.Errorf("DATA %q is not JSON: put quotes around a text, as in '\"text\"'", args[2])
				}
				body["data"] = json.RawMessage(args[2])
			}
			return c.postRoom(ctx, args[0], "signal", body, "taken")
		}),
	}
}

func (c *adminClient) drainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "drain [NODE]", Short: "Tell a node to give its rooms away and stop (default: the node at --admin)", Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: c.run(func(ctx context.Context, args []string) error {
			body := map[string]string{}
			if len(args) == 1 {
				body["node"] = args[0]
			}
			return askAndShow(ctx, c, http.MethodPost, "/admin/v1/drain", body, func(d struct {
				Node            string
				Rooms, Sessions int
				Will            string
			}) error {
				_, err := fmt.Fprintf(c.out, "%s has been told, with %d rooms and %d sessions. %s\n", printable(d.Node), d.Rooms, d.Sessions, printable(d.Will))
				return err
			})
		}),
	}
}

func (c *adminClient) forgetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "forget NODE", Short: "Give up a node that will never come back, with the rooms that no other node has", Args: usageArgs(cobra.ExactArgs(1)),
		Long: `Forget is for a node whose disk is lost. The rooms that were live on that disk alone end as aborted, and their players
learn it instead of waiting; those of which another node has a copy go on there. It is refused while the node is alive. It
cannot be undone: if the node comes back after all, its rooms stay over, and it sets its logs of them aside.`,
		RunE: c.run(func(ctx context.Context, args []string) error {
			return askAndShow(ctx, c, http.MethodPost, "/admin/v1/forget", map[string]string{"node": args[0]}, func(f struct {
				Node string
				admin.Forgotten
			}) error {
				_, err := fmt.Fprintf(c.out, "%s is forgotten: %d processes are fenced, %d rooms are over, %d go on at their other member.\n", printable(f.Node), f.Boots, f.Rooms, f.Kept)
				return err
			})
		}),
	}
}

// completeRooms completes ids of rooms for the shell.
func (c *adminClient) completeRooms(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || c.resolve() != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
	defer cancel()
	data, err := c.ask(ctx, http.MethodGet, "/admin/v1/rooms?limit=50&search="+url.QueryEscape(begun), nil)
	var page roomsAnswer
	if err != nil || json.Unmarshal(data, &page) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, r := range page.Rooms {
		if strings.HasPrefix(r.ID, begun) {
			out = append(out, printable(r.ID)+"\t"+printable(r.Game+" "+r.Phase))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
