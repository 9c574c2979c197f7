package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// outboxAnswer is the answer of GET /admin/v1/outbox.
type outboxAnswer struct {
	Events []struct {
		ID     int64
		Target string
		Event  string
		Kind   string
		At     time.Time
		State  string
		Tries  int
		Error  string
	}
	Next    int64
	Targets []struct {
		Target                     string
		Waiting, Delivered, Failed int
		OldestMS                   float64 `json:"oldest_ms"`
	}
}

const outboxPath = "/admin/v1/outbox"

func (c *adminClient) outboxCommand() *cobra.Command {
	var state, target, room string
	var before int64
	cmd := &cobra.Command{
		Use: "outbox", Short: "List events for webhooks, the newest first", Args: usageArgs(cobra.NoArgs),
		RunE: c.run(func(ctx context.Context, _ []string) error {
			q := url.Values{}
			for name, value := range map[string]string{"state": state, "target": target, "room": room} {
				if value != "" {
					q.Set(name, value)
				}
			}
			if before > 0 {
				q.Set("before", strconv.FormatInt(before, 10))
			}
			return askAndShow(ctx, c, http.MethodGet, outboxPath+"?"+q.Encode(), nil, c.showOutbox)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "only `waiting`, delivered or failed ones")
	f.StringVar(&target, "target", "", "only those for one webhook, by `name`")
	f.StringVar(&room, "room", "", "only those of one room, by `id`")
	f.Int64Var(&before, "before", 0, "only those before an event's `number`: the next page")
	cmd.AddCommand(&cobra.Command{
		Use: "replay ID", Short: "Deliver an event again, such as one that has failed", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: c.run(func(ctx context.Context, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return fmt.Errorf("%q is no event's number: roomring admin outbox lists them", args[0])
			}
			return askAndShow(ctx, c, http.MethodPost, fmt.Sprintf("%s/%d/replay", outboxPath, id), map[string]string{}, func(struct{ ID int64 }) error {
				_, err := fmt.Fprintf(c.out, "event %d is delivered again\n", id)
				return err
			})
		}),
	})
	return cmd
}

func (c *adminClient) showOutbox(a outboxAnswer) error {
	t := newTable(c.out, "TARGET", "WAITING", "OLDEST", "DELIVERED", "FAILED")
	for _, s := range a.Targets {
		t.row(s.Target, s.Waiting, time.Duration(s.OldestMS*float64(time.Millisecond)).Round(time.Second), s.Delivered, s.Failed)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	t = newTable(c.out, "ID", "TARGET", "EVENT", "AGE", "STATE", "TRIES", "ERROR")
	for _, e := range a.Events {
		t.row(e.ID, e.Target, e.Event, age(e.At), e.State, e.Tries, e.Error)
	}
	if a.Next > 0 {
		_, _ = fmt.Fprintf(t, "(there may be more: --before %d)\n", a.Next)
	}
	return t.Flush()
}
