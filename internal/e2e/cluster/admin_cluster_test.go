package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// TestAdminCommandOnACluster uses the admin command at one node to operate rooms and nodes elsewhere in the cluster.
func TestAdminCommandOnACluster(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	here, there, third := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	ctx := e2e.WaitContext(t)
	var info e2e.RoomInfo // owned by n2
	var other string      // also owned by n2
	all := map[string]int{}
	for all[there.Node] < 2 || all[third.Node] == 0 {
		made := here.Create("tally", nil)
		if all[made.Node]++; made.Node == there.Node {
			info, other = made, info.ID
		}
	}
	total := all[here.Node] + all[there.Node] + all[third.Node]
	ann := here.Join(here.Via(info), client.Options{Name: "Ann"})
	bob := third.Join(third.Via(info), client.Options{Name: "Bob"})

	nodes := here.RunAdminUntil(ctx, []string{"n1", "n2", "n3", "2/2"}, "nodes")
	for _, n := range c.Nodes {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s +active .* %d +[01] +[01] +.* 2/2 `, n.Node, all[n.Node])).MatchString(nodes) {
			t.Errorf("of %s with %d rooms it says\n%s", n.Node, all[n.Node], nodes)
		}
	}
	here.RunAdminUntil(ctx, []string{"n1", "n2", "n3", "%"}, "ring")
	here.RunAdminUntil(ctx, []string{"lives at: n2", "the room is there"}, "ring", "--id", info.ID)
	if out := here.RunAdminUntil(ctx, []string{"of all rooms would move", "n3"}, "ring", "--leave", "n3"); !strings.Contains(out, fmt.Sprintf("; %d live rooms", all[third.Node])) {
		t.Errorf("%d rooms are at n3, and it says\n%s", all[third.Node], out)
	}
	here.RunAdminUntil(ctx, []string{"of all rooms would move", "n4"}, "ring", "--join", "n4:2:zone-b")

	if out := here.RunAdminUntil(ctx, []string{info.ID}, "rooms", "--node", "n2", "--all", "--limit", "1"); strings.Count(out, " tally ") != all[there.Node] {
		t.Errorf("n2 has %d rooms, listed are\n%s", all[there.Node], out)
	}
	if out := here.RunAdminUntil(ctx, []string{info.ID}, "rooms", "--search", "bob"); strings.Count(out, " tally ") != 1 {
		t.Errorf("Bob is in one room, found are\n%s", out)
	}
	if out := here.RunAdminUntil(ctx, nil, "rooms", "--game", "chess"); strings.Contains(out, "tally") {
		t.Errorf("of chess there are\n%s", out)
	}
	if out := here.RunAdminUntil(ctx, []string{"owner", "n2", "Ann", "Bob", `"Count": 0`}, "room", info.ID); !regexp.MustCompile(`(?m)^\S+ +n1 `).MatchString(out) || !regexp.MustCompile(`(?m)^\S+ +n3 `).MatchString(out) {
		t.Errorf("the room, whose sessions are at n1 and n3, is\n%s", out)
	}
	here.RunAdminUntil(ctx, []string{`"count": 0`}, "room", info.ID, "--as", "player:"+bob.Welcome().Player)
	here.RunAdminUntil(ctx, []string{`"count": 0`}, "room", info.ID, "--as", "spectator")
	inJSON(c, ctx, info, total)
	inspectsElsewhere(c, ctx, info, ann)
	operatesRoom(here, ctx, info, ann, bob)

	for words, args := range map[string][]string{
		"no room's id":      {"room", "nonsense"},
		"no such room":      {"room", "zzzzzzzzzzzzzzzz"},
		"no server answers": {"nodes", "--admin", "http://" + e2e.FreePort(t)},
		"no such node":      {"drain", "n9"},
		"holds no seat":     {"kick", other, "g_nobody"},
	} {
		code, out, errs := here.RunAdmin(args...)
		if code != e2e.ExitFailed || !strings.Contains(strings.ToLower(errs), strings.ToLower(words)) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("admin %v: exit %d, %q, %q", args, code, out, errs)
		}
	}
	here.RunAdminUntil(ctx, []string{"n3 has been told"}, "drain", "n3")
	if code := third.Wait(); code != e2e.ExitOK {
		t.Errorf("drained, n3 ended with %d", code)
	}
	here.Until(ctx, "n3 is gone from the list", func() bool {
		_, out, _ := here.RunAdmin("nodes")
		return !strings.Contains(out, "n3")
	})
	here.RunAdminUntil(ctx, []string{"n1", "n2"}, "nodes")
	if out := here.RunAdminUntil(ctx, nil, "rooms", "--all", "--output", "json"); strings.Contains(out, `"node":"n3"`) {
		t.Errorf("rooms are at a node that has stopped: %s", out)
	}
}

// inJSON runs every command with JSON output.
func inJSON(c *e2e.Team, ctx context.Context, info e2e.RoomInfo, total int) {
	t := c.T
	for _, args := range [][]string{{"nodes"}, {"ring"}, {"ring", "--id", info.ID}, {"ring", "--leave", "n1"}, {"room", info.ID}} {
		if out := c.Nodes[0].RunAdminUntil(ctx, nil, append(args, "--output", "json")...); !json.Valid([]byte(out)) || len(out) > 20_000 {
			t.Errorf("admin %v in JSON, %d bytes: %.300s", args, len(out), out)
		}
	}
	seen := map[string]bool{}
	pages := json.NewDecoder(strings.NewReader(c.Nodes[0].RunAdminUntil(ctx, nil, "rooms", "--all", "--limit", "2", "--output", "json")))
	for {
		var page struct{ Rooms []struct{ ID string } }
		err := pages.Decode(&page)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("a page of rooms: %v", err)
		}
		for _, r := range page.Rooms {
			seen[r.ID] = true
		}
	}
	if len(seen) != total {
		t.Errorf("%d rooms are listed of %d", len(seen), total)
	}
}

// inspectsElsewhere reads the log of a room at another node, looks at it, and forks it here.
func inspectsElsewhere(c *e2e.Team, ctx context.Context, info e2e.RoomInfo, ann *client.Client) {
	t, here := c.T, c.Nodes[0]
	ack, err := ann.Act(ctx, e2e.TallyAction{Add: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := "/admin/v1/rooms/" + info.ID
	var log struct {
		Last    uint64
		Entries []struct {
			Index   uint64
			Player  string
			Data    e2e.TallyAction
			Outcome string
		}
	}
	here.Until(ctx, "the act is in the log", func() bool {
		return here.CallAdmin("GET", fmt.Sprintf("%s/log?after=%d", path, ack-1), nil, &log) == http.StatusOK && log.Last >= ack
	})
	if e := log.Entries[0]; e.Index != ack || e.Player != ann.Welcome().Player || e.Data.Add != 2 || e.Outcome != "accepted" {
		t.Errorf("the log of a room at another node has %+v", e)
	}
	var moment struct {
		Views []struct {
			View struct{ Count int }
		}
	}
	for index, count := range map[uint64]int{ack: 2, ack - 1: 0} {
		if code := here.CallAdmin("GET", fmt.Sprintf("%s/at/%d?viewer=spectator", path, index), nil, &moment); code != http.StatusOK || moment.Views[0].View.Count != count {
			t.Errorf("at %d: %d, %+v, want %d", index, code, moment, count)
		}
	}
	if code := here.CallAdmin("POST", path+"/act", map[string]any{"player": ann.Welcome().Player, "action": e2e.TallyAction{Add: 2}}, nil); code != http.StatusForbidden {
		t.Errorf("acting for a player of another node: %d", code)
	}
	var fork e2e.RoomInfo
	if code := here.CallAdmin("POST", path+"/fork", map[string]uint64{"index": ack - 1}, &fork); code != http.StatusCreated || fork.Node != here.Node {
		t.Fatalf("a fork: %d, %+v", code, fork)
	}
	here.RunAdminUntil(ctx, []string{"fork of " + info.ID, `"Count": 0`}, "room", fork.ID)
	c.Nodes[2].RunAdminUntil(ctx, []string{"owner", here.Node}, "room", fork.ID) // found from everywhere
	here.RunAdminUntil(ctx, []string{"closed"}, "close", fork.ID)
	if _, err := ann.Act(ctx, e2e.TallyAction{Add: -2}); err != nil {
		t.Fatal(err)
	}
}

// operatesRoom follows a room of another node and acts on it from this node.
func operatesRoom(s *e2e.Server, ctx context.Context, info e2e.RoomInfo, ann, bob *client.Client) {
	t := s.T
	lines, follower := io.Pipe()
	followed := make(chan int, 1)
	go func() {
		followed <- e2e.Run([]string{"admin", "--admin", s.AdminAt, "--output", "json", "events", info.ID}, follower, io.Discard)
		_ = follower.Close()
	}()
	events := bufio.NewScanner(lines)
	follow := func(words ...string) {
		t.Helper()
		for events.Scan() {
			if !json.Valid(events.Bytes()) {
				t.Errorf("an event in JSON is %s", events.Bytes())
			}
			if e2e.Mentions(events.Text(), words...) {
				return
			}
		}
		t.Fatalf("the stream ended without %q: %v", words, events.Err())
	}
	follow(`"type":"watching"`)
	if _, err := ann.Act(ctx, e2e.TallyAction{Add: 3}); err != nil {
		t.Fatal(err)
	}
	follow(`"type":"input"`, `"act"`, ann.Welcome().Player)
	s.RunAdminUntil(ctx, []string{"taken"}, "signal", info.ID, "count", `{"by":1}`)
	follow(`"signal"`)
	s.RunAdminUntil(ctx, []string{"kicked"}, "kick", info.ID, bob.Welcome().Player)
	follow(`"leave"`, bob.Welcome().Player)
	s.RunAdminUntil(ctx, []string{"closed"}, "close", info.ID, "--reason", "enough")
	follow(`"type":"over"`, `"closed"`)
	if code := <-followed; code != e2e.ExitOK {
		t.Errorf("following ended with %d", code)
	}
	if code := s.Call("GET", "/v1/results/"+info.ID, nil, nil); code != http.StatusOK && code != http.StatusAccepted {
		t.Errorf("the result of a room that was closed: %d", code)
	}
}
