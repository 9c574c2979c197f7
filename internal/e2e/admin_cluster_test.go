package e2e

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

	"github.com/roomring/roomring/web/client"
)

// operateUntil runs `roomring admin` until it succeeds with all words in its output, which it returns: a busy
// machine may cut a link for a moment.
func (s *server) operateUntil(ctx context.Context, words []string, args ...string) (out string) {
	s.t.Helper()
	var code int
	var errs string
	for code, out, errs = s.operate(args...); code != exitOK || !mentions(out, words...); code, out, errs = s.operate(args...) {
		if ctx.Err() != nil {
			s.t.Fatalf("admin %v: exit %d, want %q in\n%s%s", args, code, words, out, errs)
		}
	}
	return out
}

// TestAdminCommandOnACluster operates rooms and nodes from the terminal of another node.
func TestAdminCommandOnACluster(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3).start()
	here, there, third := c.nodes[0], c.nodes[1], c.nodes[2]
	ctx := patience(t)
	var info roomInfo // at n2
	var other string  // likewise
	all := map[string]int{}
	for all[there.Node] < 2 || all[third.Node] == 0 {
		made := here.create("tally", nil)
		if all[made.Node]++; made.Node == there.Node {
			info, other = made, info.ID
		}
	}
	total := all[here.Node] + all[there.Node] + all[third.Node]
	ann := here.join(here.at(info), client.Options{Name: "Ann"})
	bob := third.join(third.at(info), client.Options{Name: "Bob"})

	nodes := here.operateUntil(ctx, []string{"n1", "n2", "n3", "2/2"}, "nodes")
	for _, n := range c.nodes {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s +active .* %d +[01] +[01] +2/2 `, n.Node, all[n.Node])).MatchString(nodes) {
			t.Errorf("of %s with %d rooms it says\n%s", n.Node, all[n.Node], nodes)
		}
	}
	here.operateUntil(ctx, []string{"n1", "n2", "n3", "%"}, "ring")
	here.operateUntil(ctx, []string{"lives at: n2", "the room is there"}, "ring", "--id", info.ID)
	if out := here.operateUntil(ctx, []string{"of all rooms would move", "n3"}, "ring", "--leave", "n3"); !strings.Contains(out, fmt.Sprintf("; %d live rooms", all[third.Node])) {
		t.Errorf("%d rooms are at n3, and it says\n%s", all[third.Node], out)
	}
	here.operateUntil(ctx, []string{"of all rooms would move", "n4"}, "ring", "--join", "n4:2:zone-b")

	if out := here.operateUntil(ctx, []string{info.ID}, "rooms", "--node", "n2", "--all", "--limit", "1"); strings.Count(out, " tally ") != all[there.Node] {
		t.Errorf("n2 has %d rooms, listed are\n%s", all[there.Node], out)
	}
	if out := here.operateUntil(ctx, []string{info.ID}, "rooms", "--search", "bob"); strings.Count(out, " tally ") != 1 {
		t.Errorf("Bob is in one room, found are\n%s", out)
	}
	if out := here.operateUntil(ctx, nil, "rooms", "--game", "chess"); strings.Contains(out, "tally") {
		t.Errorf("of chess there are\n%s", out)
	}
	if out := here.operateUntil(ctx, []string{"owner", "n2", "Ann", "Bob", `"Count": 0`}, "room", info.ID); !regexp.MustCompile(`(?m)^\S+ +n1 `).MatchString(out) || !regexp.MustCompile(`(?m)^\S+ +n3 `).MatchString(out) {
		t.Errorf("the room, whose sessions are at n1 and n3, is\n%s", out)
	}
	here.operateUntil(ctx, []string{`"count": 0`}, "room", info.ID, "--as", "player:"+bob.Welcome().Player)
	here.operateUntil(ctx, []string{`"count": 0`}, "room", info.ID, "--as", "spectator")
	c.inJSON(ctx, info, total)
	here.operatesRoom(ctx, info, ann, bob)

	for words, args := range map[string][]string{
		"no room's id":      {"room", "nonsense"},
		"no such room":      {"room", "zzzzzzzzzzzzzzzz"},
		"no server answers": {"nodes", "--admin", "http://" + freePort(t)},
		"no such node":      {"drain", "n9"},
		"holds no seat":     {"kick", other, "g_nobody"},
	} {
		code, out, errs := here.operate(args...)
		if code != exitFailed || !strings.Contains(strings.ToLower(errs), strings.ToLower(words)) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("admin %v: exit %d, %q, %q", args, code, out, errs)
		}
	}
	here.operateUntil(ctx, []string{"n3 has been told"}, "drain", "n3")
	if code := third.wait(); code != exitOK {
		t.Errorf("drained, n3 ended with %d", code)
	}
	here.until(ctx, "n3 is gone from the list", func() bool {
		_, out, _ := here.operate("nodes")
		return !strings.Contains(out, "n3")
	})
	here.operateUntil(ctx, []string{"n1", "n2"}, "nodes")
	if out := here.operateUntil(ctx, nil, "rooms", "--all", "--output", "json"); strings.Contains(out, `"node":"n3"`) {
		t.Errorf("rooms are at a node that has stopped: %s", out)
	}
}

// inJSON asks for everything in JSON.
func (c *team) inJSON(ctx context.Context, info roomInfo, total int) {
	t := c.t
	for _, args := range [][]string{{"nodes"}, {"ring"}, {"ring", "--id", info.ID}, {"ring", "--leave", "n1"}, {"room", info.ID}} {
		if out := c.nodes[0].operateUntil(ctx, nil, append(args, "--output", "json")...); !json.Valid([]byte(out)) || len(out) > 20_000 {
			t.Errorf("admin %v in JSON, %d bytes: %.300s", args, len(out), out)
		}
	}
	seen := map[string]bool{}
	pages := json.NewDecoder(strings.NewReader(c.nodes[0].operateUntil(ctx, nil, "rooms", "--all", "--limit", "2", "--output", "json")))
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

// operatesRoom follows a room of another node while it is acted on from this one.
func (s *server) operatesRoom(ctx context.Context, info roomInfo, ann, bob *client.Client) {
	t := s.t
	lines, follower := io.Pipe()
	followed := make(chan int, 1)
	go func() {
		followed <- run([]string{"admin", "--admin", s.AdminAt, "--output", "json", "events", info.ID}, follower, io.Discard)
		_ = follower.Close()
	}()
	events := bufio.NewScanner(lines)
	follow := func(words ...string) {
		t.Helper()
		for events.Scan() {
			if !json.Valid(events.Bytes()) {
				t.Errorf("an event in JSON is %s", events.Bytes())
			}
			if mentions(events.Text(), words...) {
				return
			}
		}
		t.Fatalf("the stream ended without %q: %v", words, events.Err())
	}
	follow(`"type":"watching"`)
	if _, err := ann.Act(ctx, tallyAction{Add: 3}); err != nil {
		t.Fatal(err)
	}
	follow(`"type":"input"`, `"act"`, ann.Welcome().Player)
	s.operateUntil(ctx, []string{"taken"}, "signal", info.ID, "count", `{"by":1}`)
	follow(`"signal"`)
	s.operateUntil(ctx, []string{"kicked"}, "kick", info.ID, bob.Welcome().Player)
	follow(`"leave"`, bob.Welcome().Player)
	s.operateUntil(ctx, []string{"closed"}, "close", info.ID, "--reason", "enough")
	follow(`"type":"over"`, `"closed"`)
	if code := <-followed; code != exitOK {
		t.Errorf("following ended with %d", code)
	}
	if code := s.call("GET", "/v1/results/"+info.ID, nil, nil); code != http.StatusOK && code != http.StatusAccepted {
		t.Errorf("the result of a room that was closed: %d", code)
	}
}
