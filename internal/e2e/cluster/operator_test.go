package cluster_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// operated is a room as the operator sees it, with the fields that this test reads.
type operated struct {
	Node   string
	State  struct{ Count int }
	Queues struct {
		Sessions []struct {
			Player, Edge string
			CSeq         uint64
			Bytes        uint64
		}
	}
}

// TestTheOperatorSeesTheWholeCluster looks at one room from each of three nodes, follows it, and acts on it. One node owns the room, and
// its players are connected to the others.
func TestTheOperatorSeesTheWholeCluster(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	ctx := e2e.WaitContext(t)
	info := c.Nodes[0].Create("tally", nil)
	owner := byName(c, info.Node)
	var edges []*e2e.Server
	for _, n := range c.Nodes {
		if n != owner {
			edges = append(edges, n)
		}
	}
	players := []*client.Client{edges[0].Join(edges[0].Via(info), client.Options{Name: "Ann"}), edges[1].Join(edges[1].Via(info), client.Options{Name: "Bob"})}
	events := follow(edges[0], ctx, info.ID)
	hears(edges[0], events, "event: watching")
	for i, p := range players {
		if _, err := p.Act(ctx, e2e.TallyAction{Add: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range c.Nodes {
		var room operated
		if code := n.CallAdmin("GET", "/admin/v1/rooms/"+info.ID+"?as=whole", nil, &room); code != http.StatusOK || room.Node != owner.Node || room.State.Count != 3 {
			t.Errorf("%s shows the room as %d %+v", n.Node, code, room)
		}
		if len(room.Queues.Sessions) != 2 {
			t.Fatalf("%s shows the sessions %+v", n.Node, room.Queues.Sessions)
		}
		for _, s := range room.Queues.Sessions {
			at := edges[0]
			if s.Player == players[1].Welcome().Player {
				at = edges[1]
			}
			if s.Edge != at.Node || s.CSeq != 1 || s.Bytes == 0 {
				t.Errorf("%s shows the session %+v", n.Node, s)
			}
		}
		if code, out, errs := n.RunAdmin("ring", "--id", info.ID); code != e2e.ExitOK || !e2e.Mentions(out, "lives at: "+owner.Node) {
			t.Errorf("%s says where the room is: %d %s%s", n.Node, code, out, errs)
		}
		if code, out, errs := n.RunAdmin("rooms", "--search", "bob"); code != e2e.ExitOK || !e2e.Mentions(out, info.ID, owner.Node) {
			t.Errorf("%s finds the room by a player's name: %d %s%s", n.Node, code, out, errs)
		}
	}
	for i, args := range [][]string{
		{"signal", info.ID, "count", `{"by":4}`}, {"kick", info.ID, players[1].Welcome().Player}, {"close", info.ID, "--reason", "enough"},
	} {
		if code, _, errs := edges[i%2].RunAdmin(args...); code != e2e.ExitOK {
			t.Errorf("admin %v: %d %s", args, code, errs)
		}
		edges[i%2].WaitForLog("action="+args[0], "outcome=done")
	}
	for _, words := range []string{`"kind":"act"`, `"kind":"signal"`, `"kind":"leave"`, "event: over"} {
		hears(edges[0], events, words)
	}
	if code, _, errs := edges[0].RunAdmin("drain", owner.Node); code != e2e.ExitOK {
		t.Errorf("drain: %d %s", code, errs)
	}
	if code := owner.Wait(); code != e2e.ExitOK {
		t.Errorf("the node that was drained from another ended with %d", code)
	}
}

// byName returns the node with the name.
func byName(c *e2e.Team, name string) *e2e.Server {
	c.T.Helper()
	for _, n := range c.Nodes {
		if n.Node == name {
			return n
		}
	}
	c.T.Fatalf("there is no node %q", name)
	return nil
}

// follow passes on each line that the operator is told about a room, until the stream ends.
func follow(s *e2e.Server, ctx context.Context, id string) <-chan string {
	out := make(chan string, 1000)
	go func() {
		defer close(out)
		req, err := http.NewRequestWithContext(ctx, "GET", s.AdminAt+"/admin/v1/rooms/"+id+"/events", nil)
		if err != nil {
			out <- err.Error()
			return
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			out <- err.Error()
			return
		}
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			out <- lines.Text()
		}
	}()
	return out
}

// hears waits for a line with all the words.
func hears(s *e2e.Server, lines <-chan string, words ...string) {
	s.T.Helper()
	var all []string
	for line := range lines {
		if all = append(all, line); e2e.Mentions(line, words...) {
			return
		}
	}
	s.T.Errorf("nothing with %q is among\n%s", words, strings.Join(all, "\n"))
}
