package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web"
)

// twoNodes is a cluster of alpha, which is asked, and beta.
type twoNodes struct {
	mu      sync.Mutex
	where   web.Where
	asked   web.RingChange
	drained []string
	forgot  web.Forgotten
	fail    error
}

func (c *twoNodes) Self() string { return "alpha" }

func (c *twoNodes) Nodes(context.Context) ([]web.Node, error) {
	return []web.Node{
		{Name: "alpha", Boot: "01J", State: "active", Weight: 1, Share: 0.5, Version: "dev", Started: clock, Rooms: 1, Sessions: 3, Remote: 2,
			Held:  []actor.Held{{ID: roomID, Game: "go", Why: "there is no such game"}},
			Links: []web.NodeLink{{Peer: "beta", Up: true, Since: clock, RTT: 0.3}}},
		{Name: "beta", Boot: "01K", State: "silent", Weight: 2, Zone: "z", Started: clock, Unready: []string{"nobody hears it"}},
	}, nil
}

func (c *twoNodes) Ring(context.Context) (web.Ring, error) {
	return web.Ring{
		Nodes: []web.RingNode{{Name: "alpha", Weight: 1, Share: 0.5}, {Name: "beta", Weight: 2, Zone: "z", Share: 0.5}},
		Arcs:  []web.RingArc{{From: 0, To: 0.5, Node: "alpha"}, {From: 0.5, To: 1, Node: "beta"}},
	}, nil
}

func (c *twoNodes) Where(context.Context, room.ID) (web.Where, error) { return c.where, c.fail }

func (c *twoNodes) WhatIf(_ context.Context, change web.RingChange) (web.Moves, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = change
	return web.Moves{Share: 0.25, Flows: []web.RingFlow{{From: "alpha", To: "gamma", Share: 0.25}}, Rooms: 3}, nil
}

func (c *twoNodes) Drain(_ context.Context, node string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drained = append(c.drained, node)
	return c.fail
}

func (c *twoNodes) Forget(_ context.Context, node string) (web.Forgotten, error) {
	if node == "gamma" {
		return web.Forgotten{}, actor.ErrNotFound
	}
	return c.forgot, c.fail
}

func startCluster(t *testing.T, edit func(*web.AdminOptions)) (*api, *twoNodes) {
	c := &twoNodes{}
	return startAdmin(t, func(o *web.AdminOptions) {
		o.Cluster = c
		if edit != nil {
			edit(o)
		}
	}), c
}

func TestAdminShowsNodes(t *testing.T) {
	a, _ := startCluster(t, nil)
	got := a.want(200, "GET", "/admin/v1/nodes", "")
	nodes := got.body["nodes"].([]any)
	alpha, beta := nodes[0].(map[string]any), nodes[1].(map[string]any)
	if got.body["self"] != "alpha" || alpha["remote"] != 2.0 || alpha["links"].([]any)[0].(map[string]any)["rtt_ms"] != 0.3 ||
		!strings.Contains(got.text, `"held":[{"room":"`+string(roomID)+`","game":"go","why":"there is no such game"}]`) {
		t.Errorf("nodes %s", got.text)
	}
	if beta["state"] != "silent" || len(beta["links"].([]any)) != 0 || len(beta["unready"].([]any)) != 1 {
		t.Errorf("beta is %v", beta)
	}
	if dev := a.want(200, "GET", "/admin/v1/dev", "").text; strings.TrimSpace(dev) != "[]" {
		t.Errorf("a node that roomring dev did not start answers %s", dev)
	}
}

func TestAdminSaysWhereARoomBelongsAndWhy(t *testing.T) {
	a, c := startCluster(t, nil)
	if plain := a.want(200, "GET", "/admin/v1/ring?arcs=true", ""); plain.body["where"] != nil || plain.body["moves"] != nil || len(plain.body["arcs"].([]any)) != 2 {
		t.Errorf("the ring is %s", plain.text)
	}
	if short := a.want(200, "GET", "/admin/v1/ring", ""); short.body["arcs"] != nil || len(short.body["nodes"].([]any)) != 2 {
		t.Errorf("without its arcs the ring is %s", short.text)
	}
	both := []string{"alpha", "beta"}
	for _, test := range []struct {
		at    web.Where
		words []string
	}{
		{web.Where{Nodes: both}, []string{"No node has this room", "alpha"}},
		{web.Where{Nodes: both, Node: "alpha", Epoch: 1}, []string{"alpha's, and the room is there"}},
		{web.Where{Nodes: both, Node: "beta", Epoch: 1}, []string{"names alpha", "at beta", "number 2"}},
		{web.Where{Nodes: both, Node: "zeta", Epoch: 1}, []string{"at zeta, which is not on the ring"}},
		{web.Where{}, []string{"No node is on the ring"}},
	} {
		test.at.Hash, test.at.Point = 1<<63, 1<<63+1
		c.where = test.at
		where := a.want(200, "GET", "/admin/v1/ring?id="+string(roomID), "").body["where"].(map[string]any)
		if where["hash"] != "8000000000000000" || where["point"] != "8000000000000001" || where["place"] != 0.5 {
			t.Errorf("where is %v", where)
		}
		for _, word := range test.words {
			if !strings.Contains(where["why"].(string), word) {
				t.Errorf("%+v: the reason %q lacks %q", test.at, where["why"], word)
			}
		}
	}
	a.refused(400, "id", "GET", "/admin/v1/ring?id=nonsense", "")
	c.fail = actor.ErrUnreachable
	a.refused(503, "", "GET", "/admin/v1/ring?id="+string(roomID), "")
}

func TestAdminSaysWhatWouldMove(t *testing.T) {
	a, c := startCluster(t, nil)
	moves := a.want(200, "GET", "/admin/v1/ring?leave=beta&join=beta:0.5&join=gamma:3:eu", "").body["moves"].(map[string]any)
	if moves["share"] != 0.25 || moves["rooms"] != 3.0 || len(moves["flows"].([]any)) != 1 {
		t.Errorf("moves %v", moves)
	}
	got, _ := json.Marshal(c.asked)
	if want := `{"Leave":["beta"],"Join":[{"name":"beta","weight":0.5,"share":0},{"name":"gamma","weight":3,"zone":"eu","share":0}]}`; string(got) != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	for query, field := range map[string]string{
		"leave=gamma": "leave", "leave=": "leave", "join=alpha": "join", "join=": "join", "join=g:0": "join", "join=g:x": "join", "join=g:NaN": "join",
		"join=g:-1": "join", "join=g:1e9": "join", "join=g&join=g": "join", "join=" + strings.Repeat("g", 65): "join",
		strings.Repeat("leave=alpha&", 65): "join",
	} {
		a.refused(400, field, "GET", "/admin/v1/ring?"+query, "")
	}
}

func TestAdminDrains(t *testing.T) {
	var log bytes.Buffer
	a, c := startCluster(t, func(o *web.AdminOptions) { o.Log = slog.New(slog.NewTextHandler(&log, nil)); o.Token = "open sesame" })
	auth := "Authorization: Bearer open sesame"
	if self := a.want(202, "POST", "/admin/v1/drain", "", auth); self.body["node"] != "alpha" || self.body["rooms"] != 1.0 || self.body["sessions"] != 3.0 {
		t.Errorf("drain answered %s", self.text)
	}
	a.want(202, "POST", "/admin/v1/drain", `{"node":"beta"}`, auth)
	a.refused(400, "node", "POST", "/admin/v1/drain", `{"node":"gamma"}`, auth)
	c.fail = errors.New("beta does not answer")
	a.client = http.DefaultClient // a 500 is what this is, and the checker would not have it
	a.want(500, "POST", "/admin/v1/drain", `{"node":"beta"}`, auth)
	if got := strings.Join(c.drained, " "); got != "alpha beta beta" {
		t.Errorf("drained %s", got)
	}
	for _, words := range []string{`action=drain target=alpha node=alpha by="bearer of the admin token" from=127`, `outcome="beta does not answer"`} {
		if !strings.Contains(log.String(), words) {
			t.Errorf("the audit log lacks %s:\n%s", words, log.String())
		}
	}
	if strings.Contains(log.String(), "sesame") {
		t.Error("the token is in the log")
	}
}

func TestAdminForgets(t *testing.T) {
	var log bytes.Buffer
	a, c := startCluster(t, func(o *web.AdminOptions) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	c.forgot = web.Forgotten{Boots: 1, Rooms: 7}
	if done := a.want(200, "POST", "/admin/v1/forget", `{"node":"beta"}`); done.body["node"] != "beta" || done.body["boots"] != 1.0 || done.body["rooms"] != 7.0 {
		t.Errorf("forget answered %s", done.text)
	}
	a.refused(400, "node", "POST", "/admin/v1/forget", `{"node":"gamma"}`)
	a.refused(400, "node", "POST", "/admin/v1/forget", `{"node":""}`)
	c.forgot, c.fail = web.Forgotten{}, &web.NodeLivesError{Reason: "it is there: drain it"}
	if lives := a.want(409, "POST", "/admin/v1/forget", `{"node":"beta"}`); lives.body["detail"] != "it is there: drain it" {
		t.Errorf("of a node that lives: %s", lives.text)
	}
	for _, words := range []string{`action=forget target=beta rooms=7 node=alpha`, `action=forget target=gamma rooms=0`, `outcome="it is there: drain it"`} {
		if !strings.Contains(log.String(), words) {
			t.Errorf("the audit log lacks %s:\n%s", words, log.String())
		}
	}
}

func TestAdminSearchesRooms(t *testing.T) {
	a, _ := startCluster(t, nil)
	a.rooms.rooms["fedcba9876543210"] = actor.Info{ID: "fedcba9876543210", Game: "snakes", Version: 3, Name: "friday", Phase: core.PhaseWaiting, Node: "beta"}
	for query, want := range map[string]int{"": 2, "private=true": 1, "node=beta": 1, "node=gamma": 0, "search=frid": 1, "search=zz": 0, "private=true&node=beta": 0} {
		if got := a.want(200, "GET", "/admin/v1/rooms?"+query, "").body["rooms"].([]any); len(got) != want {
			t.Errorf("%s: %d rooms, want %d", query, len(got), want)
		}
	}
	a.rooms.partial = true
	if part := a.want(200, "GET", "/admin/v1/rooms", ""); part.body["partial"] != true {
		t.Errorf("a list that a node did not answer: %s", part.text)
	}
	a.refused(400, "search", "GET", "/admin/v1/rooms?search="+strings.Repeat("x", 65), "")
	a.refused(400, "private", "GET", "/admin/v1/rooms?private=1", "")
}

// follow opens a stream of events. It is read as it comes, so it is not held to the description, which would read to the end.
func (a *api) follow(ctx context.Context, path string) *bufio.Reader {
	a.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		a.t.Fatalf("%s: %s %v", path, resp.Status, resp.Header)
	}
	return bufio.NewReader(resp.Body)
}

// piece is the text up to the next empty line; "" at the end.
func piece(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var out strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\n" {
			return out.String()
		}
		out.WriteString(line)
	}
}

func TestAdminStreamsEvents(t *testing.T) {
	a, _ := startCluster(t, nil)
	path := "/admin/v1/rooms/" + string(roomID) + "/events"
	a.rooms.events <- actor.RoomEvent{Type: actor.EventWatching, Epoch: 2, Index: 40, Commit: 39}
	r := a.follow(t.Context(), path)
	pieces := func(want string) {
		t.Helper()
		if got := piece(t, r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	pieces("event: watching\ndata: {\"epoch\":2,\"index\":40,\"commit\":39}\n")
	a.rooms.events <- actor.RoomEvent{Type: actor.EventInput, Epoch: 2, Index: 41, Commit: 40, Kind: "act", Player: "a\nb", At: time.Second, CSeq: 3, Data: `{"a":"<b>"}`, Code: "no"}
	pieces("id: 41\nevent: input\ndata: {\"epoch\":2,\"index\":41,\"commit\":40,\"kind\":\"act\",\"at_ms\":1000,\"player\":\"a\\nb\",\"cseq\":3,\"bytes\":0,\"data\":\"{\\\"a\\\":\\\"\\u003cb\\u003e\\\"}\",\"code\":\"no\"}\n")
	a.rooms.events <- actor.RoomEvent{Type: actor.EventMissed, Missed: 7}
	pieces("event: missed\ndata: {\"missed\":7}\n")
	a.rooms.events <- actor.RoomEvent{Type: actor.EventOver, Epoch: 2, Index: 41, Commit: 41, End: record.Finished}
	close(a.rooms.events)
	pieces("event: over\ndata: {\"epoch\":2,\"index\":41,\"commit\":41,\"end\":\"finished\"}\n")
	pieces("")
	a.refused(404, "", "GET", "/admin/v1/rooms/fedcba9876543210/events", "")
	a.refused(405, "", "POST", path, "")
}

func TestAdminStreamsStayAliveAndAreBounded(t *testing.T) {
	a, _ := startCluster(t, func(o *web.AdminOptions) {
		o.EventBeat, o.Streams, o.RequestTimeout = 5*time.Millisecond, 1, time.Millisecond
	})
	impatient := httptest.NewUnstartedServer(adminHandler(t, a.rooms, func(o *web.AdminOptions) { o.EventBeat = 5 * time.Millisecond }))
	impatient.Config.ReadTimeout, impatient.Config.WriteTimeout = 20*time.Millisecond, 20*time.Millisecond
	impatient.Start()
	t.Cleanup(impatient.Close)
	path := "/admin/v1/rooms/" + string(roomID) + "/events"
	began := time.Now()
	long := (&api{t: t, url: impatient.URL}).follow(t.Context(), path)
	for time.Since(began) < 100*time.Millisecond { // beyond the server's limits for answers that end
		if got := piece(t, long); got != ": still here\n" {
			t.Fatalf("in the silence came %q", got)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	r := a.follow(ctx, path)
	for range 3 { // longer than any other request may take
		if got := piece(t, r); got != ": still here\n" {
			t.Fatalf("in the silence came %q", got)
		}
	}
	a.refused(503, "", "GET", path, "")
	leave()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", a.url+path, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a reader that has left is not free after 30 s")
		}
	}
}

func TestClusterMetricsAreAskedForAtEachScrape(t *testing.T) {
	m := web.NewMetrics()
	a := startAdmin(t, func(o *web.AdminOptions) { o.Metrics = m })
	var scrapes float64
	one := func() float64 { scrapes++; return scrapes }
	peers := func() map[string]float64 { return map[string]float64{"beta": 1, "g\xffmma": 0} }
	m.Cluster(web.ClusterMetrics{
		Members: func() map[string]float64 { return map[string]float64{"active": 2, "draining": 1} }, RingShare: peers, LinkUp: peers, LinkRTT: peers,
		LinkQueued: peers, LinkReconnects: peers, LinkSent: peers, LinkReceived: peers, LinkOverflows: peers, GossipHealth: func() float64 { return 0 }, GossipStrangers: one, RemoteSessions: func() float64 { return 5 },
		RoomsClaimed: one, RoomsReleased: one, EdgeReattach: one, EdgeEventsLost: func() float64 { return 0 },
	})
	text := a.want(200, "GET", "/metrics", "").text
	for _, line := range []string{
		`roomring_cluster_members{state="active"} 2`, `roomring_link_up{peer="beta"} 1`, `roomring_link_up{peer="g?mma"} 0`, `roomring_sessions_remote 5`,
		"# TYPE roomring_link_reconnects_total counter", "# TYPE roomring_link_rtt_seconds gauge", "# HELP roomring_ring_share ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if before := scrapes; a.want(200, "GET", "/metrics", "").text == "" || scrapes != before+4 {
		t.Errorf("asked %v times, and then %v", before, scrapes)
	}
}
