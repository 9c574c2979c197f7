package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/web/admin"
)

// table prints aligned rows. It replaces control characters, because players and peers choose some of the texts.
type table struct {
	*tabwriter.Writer
}

func newTable(out io.Writer, head ...string) table {
	t := table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	row := make([]any, len(head))
	for i, h := range head {
		row[i] = h
	}
	t.row(row...)
	return t
}

func (t table) row(cells ...any) {
	text := make([]string, len(cells))
	for i, c := range cells {
		if text[i] = printable(fmt.Sprint(c)); text[i] == "" {
			text[i] = "-"
		}
	}
	_, _ = fmt.Fprintln(t, strings.Join(text, "\t")) // Flush returns any error
}

// age returns the time since t in its largest units: 45s, 12m, 3h5m, 9d.
func age(t time.Time) string {
	if t.IsZero() || t.Year() < 2000 {
		return "-"
	}
	d := max(time.Since(t), 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

func (c *adminClient) nodesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "nodes", Short: "List the nodes with their load and links", Args: usageArgs(cobra.NoArgs),
		RunE: c.run(func(ctx context.Context, _ []string) error {
			return askAndShow(ctx, c, http.MethodGet, "/admin/v1/nodes", nil, c.showNodes)
		}),
	}
}

func (c *adminClient) showNodes(a struct{ Nodes []admin.Node }) error {
	t := newTable(c.out, "NODE", "STATE", "ZONE", "WEIGHT", "SHARE", "ROOMS", "SESSIONS", "REMOTE", "STANDBYS", "LONE", "COPIES", "LAG", "LINKS", "GOSSIP", "UP", "VERSION", "LACKS", "NOT READY")
	for _, n := range a.Nodes {
		up := 0
		for _, l := range n.Links {
			if l.Up {
				up++
			}
		}
		cells := append([]any{n.Name, n.State, n.Zone, n.Weight, percent(n.Share), n.Rooms, n.Sessions, n.Remote}, copiesCells(n.Copies)...)
		t.row(append(cells, fmt.Sprintf("%d/%d", up, len(n.Links)), n.GossipHealth, age(n.Started), n.Version, strings.Join(n.Lacks, ", "), strings.Join(n.Unready, "; "))...)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return c.showLinks(a.Nodes)
}

// showLinks prints the links, if there are any.
func (c *adminClient) showLinks(nodes []admin.Node) error {
	var t table
	for _, n := range nodes {
		for _, l := range n.Links {
			if t.Writer == nil {
				_, _ = fmt.Fprintln(c.out)
				t = newTable(c.out, "FROM", "TO", "LINK", "SINCE", "RTT", "QUEUED", "RECONNECTS", "ERROR")
			}
			state := "up"
			if !l.Up {
				state = "down"
			}
			t.row(n.Name, l.Peer, state, age(l.Since), fmt.Sprintf("%.2fms", l.RTT), fmt.Sprintf("%dB", l.Queued), l.Reconnects, l.Error)
		}
	}
	if t.Writer == nil {
		return nil
	}
	return t.Flush()
}

// ringAnswer is the shown part of the answer of GET /admin/v1/ring.
type ringAnswer struct {
	Nodes []admin.RingNode
	Where *struct {
		ID, Hash, Point string
		Nodes           []string
		Node            string
		Epoch           uint64
		Why             string
	}
	Moves *admin.Moves
}

func (c *adminClient) ringCommand() *cobra.Command {
	var id string
	var leave, join []string
	cmd := &cobra.Command{
		Use: "ring", Short: "Show the ring, where a room belongs and why, or what a change would move", Args: usageArgs(cobra.NoArgs),
		RunE: c.run(func(ctx context.Context, _ []string) error {
			q := url.Values{"leave": leave, "join": join}
			if id != "" {
				q.Set("id", id)
			}
			return askAndShow(ctx, c, http.MethodGet, "/admin/v1/ring?"+q.Encode(), nil, c.showRing)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&id, "id", "", "say where the `room` of this id belongs and why")
	f.StringArrayVar(&leave, "leave", nil, "say what would move if this `node` left; may be repeated")
	f.StringArrayVar(&join, "join", nil, "say what would move if this `node` joined: NAME, NAME:WEIGHT or NAME:WEIGHT:ZONE; may be repeated")
	return cmd
}

func (c *adminClient) showRing(a ringAnswer) error {
	t := newTable(c.out, "NODE", "WEIGHT", "ZONE", "SHARE")
	for _, n := range a.Nodes {
		t.row(n.Name, n.Weight, n.Zone, percent(n.Share))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if w := a.Where; w != nil {
		_, _ = fmt.Fprintf(c.out, "\nroom %s\nhash %s, point %s\nin order: %s\nlives at: %s\n%s\n",
			printable(w.ID), printable(w.Hash), printable(w.Point), printable(strings.Join(w.Nodes, ", ")), printable(w.Node), printable(w.Why))
	}
	if a.Moves == nil {
		return nil
	}
	return c.showMoves(a.Moves)
}

func (c *adminClient) showMoves(m *admin.Moves) error {
	_, _ = fmt.Fprintf(c.out, "\n%s of all rooms would move; %d live rooms would belong elsewhere", percent(m.Share), m.Rooms)
	if m.Partial {
		_, _ = fmt.Fprint(c.out, ", or more: a node did not answer")
	}
	_, _ = fmt.Fprint(c.out, "\n")
	t := newTable(c.out, "FROM", "TO", "SHARE")
	for _, f := range m.Flows {
		t.row(f.From, f.To, percent(f.Share))
	}
	return t.Flush()
}
