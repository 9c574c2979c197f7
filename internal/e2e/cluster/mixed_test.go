package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// TestAnOldNodeLetsPlayersIntoNewGames is the middle of a rolling upgrade. One node, which makes the matches, lacks a game that the two
// others have. Players at the old node can make, find, join and match rooms of that game like all others, and go on when a new node
// stops.
func TestAnOldNodeLetsPlayersIntoNewGames(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3)
	maker := ring.New([]ring.Node{{Name: "n1"}, {Name: "n2"}, {Name: "n3"}}).OwnerOf("match:versioned")
	var old *e2e.Server
	var fresh []*e2e.Server
	for i, n := range c.Nodes {
		if fmt.Sprintf("n%d", i+1) == maker {
			old = n
		} else {
			n.Env = []string{e2e.VersionVariable + "=1"}
			fresh = append(fresh, n)
		}
	}
	c.Start()
	ctx := e2e.WaitContext(t)

	info := old.Create("versioned", nil)
	for _, n := range c.Nodes {
		if code := n.Call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusOK {
			t.Errorf("%s does not find the room: %d", n.Node, code)
		}
		if !strings.Contains(listed(n, "versioned"), info.ID) {
			t.Errorf("%s does not list the room", n.Node)
		}
	}
	for _, path := range []string{"/v1/rooms?game=nothing", "/v1/leaderboards/nothing"} {
		if code := old.Call("GET", path, nil, nil); code/100 != 4 {
			t.Errorf("%s, a game that nobody has: %d", path, code)
		}
	}
	if code := old.Call("POST", "/v1/rooms", map[string]any{"game": "nothing"}, nil); code != http.StatusBadRequest {
		t.Errorf("a room of a game that nobody has: %d", code)
	}
	if out := old.RunAdminUntil(ctx, []string{"LACKS", "versioned 1"}, "nodes"); strings.Count(out, "versioned 1") != 1 {
		t.Errorf("only %s lacks the game:\n%s", old.Node, out)
	}

	pair := [2]matchAsk{}
	for i, at := range []*e2e.Server{old, fresh[0]} {
		pair[i].at, pair[i].body = at, map[string]any{"game": "versioned", "options": map[string]any{}, "ticket": e2e.Ticket(i)}
		pair[i].ask(t)
	}
	if pair[0].got.ID != pair[1].got.ID || pair[0].got.ID == "" {
		t.Errorf("two who ask at an old and a new node are put into %s and %s", pair[0].got.ID, pair[1].got.ID)
	}

	var players []*client.Client
	for range 16 { // enough rooms for the ring to give some to the old node when another node stops
		p := old.Join(old.Via(old.Create("versioned", nil)), client.Options{})
		players = append(players, p)
	}
	add := func(when string) {
		t.Helper()
		for _, p := range players {
			if _, err := p.Act(ctx, e2e.TallyAction{Add: 1}); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
	}
	add("before")
	if code, _ := fresh[0].Stop(); code != e2e.ExitOK {
		t.Errorf("%s ended with %d", fresh[0].Node, code)
	}
	add("after a new node has stopped")
	for _, p := range players {
		if at := p.Welcome().Node; at != fresh[1].Node {
			t.Errorf("a room is at %s, which does not have the game", at)
		}
	}
}

// listed returns the rooms of a game as JSON.
func listed(s *e2e.Server, game string) string {
	var raw []byte
	if code := s.Call("GET", "/v1/rooms?game="+game, nil, &raw); code != http.StatusOK {
		s.T.Errorf("%s lists no rooms of %s: %d %s", s.Node, game, code, raw)
	}
	return string(raw)
}
