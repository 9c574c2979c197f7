package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/web/admin"
)

func (c *adminClient) rebalanceCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "rebalance", Short: "Bring living rooms and their standbys to the nodes that the ring names", Args: usageArgs(cobra.NoArgs),
		Long: `Rooms move by themselves when the ring has stood still for 10 s. Rebalance lets them begin at once; --dry-run only says what
would move. No room moves twice within a minute, and only a few move at a time: the players of a room that moves notice nothing
but a second welcome.`,
		RunE: c.run(func(ctx context.Context, _ []string) error {
			path := "/admin/v1/rebalance"
			if dry {
				path += "?dry_run=true"
			}
			return askAndShow(ctx, c, http.MethodPost, path, nil, func(b struct {
				Nodes []admin.Rebalance
			}) error {
				return c.showRebalance(b.Nodes, dry)
			})
		}),
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would move, and move nothing")
	return cmd
}

func (c *adminClient) showRebalance(nodes []admin.Rebalance, dry bool) error {
	t := newTable(c.out, "CHANGE", "FROM", "TO", "ROOMS", "SUCH AS", "WHY")
	moves, standbys, waits := 0, 0, 0.0
	for _, n := range nodes {
		if waits = max(waits, n.Waits); n.Error != "" {
			t.row("unknown", n.Node, "", "", "", n.Error)
		}
		for _, s := range n.Changes {
			such := ""
			if len(s.Examples) > 0 {
				such = string(s.Examples[0])
			}
			if t.row(s.Change, s.From, s.To, s.Rooms, such, s.Why); s.Change == "owner" {
				moves += s.Rooms
			} else {
				standbys += s.Rooms
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	what := "move now, a few at a time"
	switch {
	case moves+standbys == 0:
		_, err := fmt.Fprintln(c.out, "Every room that is known of is where the ring has it.")
		return err
	case dry && waits > 0:
		what = fmt.Sprintf("would move; they do by themselves in %.0f s if no node comes or goes", waits)
	case dry:
		what = "would move; they do by themselves, or have moved less than a minute ago"
	}
	_, err := fmt.Fprintf(c.out, "%d rooms and the standbys of %d others %s.\n", moves, standbys, what)
	return err
}
