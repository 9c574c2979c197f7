package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/web/admin"
)

// memberAnswer is a member of a room.
type memberAnswer struct {
	Node, Folder  string
	Whole, Linked bool
	LagEntries    uint64  `json:"lag_entries"`
	Lag           float64 `json:"lag_ms"`
}

func (m *memberAnswer) String() string {
	if m == nil {
		return ""
	}
	name := m.Node
	if name == "" {
		name = "folder " + m.Folder
	}
	switch {
	case !m.Linked:
		name += ", which is not there"
	case !m.Whole:
		name += ", whose copy is not whole yet"
	}
	if m.LagEntries == 0 {
		return name + ", has everything"
	}
	return fmt.Sprintf("%s, %d inputs and %.1fms behind", name, m.LagEntries, m.Lag)
}

// membersAnswer is who keeps a room's log beside its owner.
type membersAnswer struct {
	Standby, Learner *memberAnswer
	Alone            float64 `json:"alone_ms"`
}

// rows are the lines about a room's members.
func (m *membersAnswer) rows(row func(name string, value any)) {
	if m == nil {
		return
	}
	standby := m.Standby.String()
	if m.Standby == nil && m.Alone > 0 {
		standby = fmt.Sprintf("none for %v", (time.Duration(m.Alone) * time.Millisecond).Round(100*time.Millisecond))
	}
	row("standby", standby)
	if m.Learner != nil {
		row("learner", m.Learner)
	}
}

func (c *adminClient) whatIfCommand() *cobra.Command {
	return &cobra.Command{
		Use: "what-if NODE", Short: "Say what would happen to rooms if a node died now", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: c.run(func(ctx context.Context, args []string) error {
			return askAndShow(ctx, c, http.MethodGet, "/admin/v1/nodes/"+url.PathEscape(args[0])+"/loss", nil, c.showLoss)
		}),
	}
}

// whyLost says for people why rooms would wait.
var whyLost = map[string]string{
	"waits-lone": "no other node has a copy", "waits-copy": "the only copy elsewhere is not whole yet", "waits-silent": "the node of their standby is not there",
	"waits-local": "they are kept on one machine only",
}

func (c *adminClient) showLoss(l admin.Loss) error {
	say := func(format string, a ...any) { _, _ = fmt.Fprintf(c.out, format+"\n", a...) }
	say("If %s died now, of its %d rooms", printable(l.Node), l.Rooms)
	for _, n := range l.GoOn {
		say("  %d would go on at %s", n.Rooms, printable(n.Node))
	}
	for _, w := range l.Wait {
		why, ok := whyLost[w.Why]
		if !ok {
			why = w.Why
		}
		say("  %d would wait for it: %s", w.Rooms, printable(why))
	}
	if l.Lost > 0 {
		say("  %d would be lost: they are kept in memory only", l.Lost)
	}
	for _, n := range l.Bare {
		say("%d rooms of %s would have no standby until they find another", n.Rooms, printable(n.Node))
	}
	if len(l.Examples) == 0 {
		return nil
	}
	say("")
	t := newTable(c.out, "ROOM", "GAME", "FATE", "AT")
	for _, e := range l.Examples {
		t.row(e.Room, e.Game, e.Fate, e.Node)
	}
	return t.Flush()
}

// copiesCells are the cells of a node's row about copies of rooms.
func copiesCells(c *admin.Copies) []any {
	if c == nil {
		return []any{"", "", "", ""}
	}
	lag := "0"
	if c.LagEntries > 0 {
		lag = fmt.Sprintf("%d, %.0fms", c.LagEntries, c.Lag)
	}
	return []any{c.Owned, c.Lone, fmt.Sprintf("%d/%d", c.Followed, c.Followed+c.Partial+c.Unsure), lag}
}
