package admin_test

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
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
)

func startCluster(t *testing.T, edit func(*admin.Options)) (*webtest.Site, *webtest.Cluster) {
	c := &webtest.Cluster{}
	return webtest.StartAdmin(t, func(o *admin.Options) {
		o.Cluster = c
		if edit != nil {
			edit(o)
		}
	}), c
}

func TestAdminShowsNodes(t *testing.T) {
	a, _ := startCluster(t, nil)
	got := a.Want(200, "GET", "/admin/v1/nodes", "")
	nodes := got.Body["nodes"].([]any)
	alpha, beta := nodes[0].(map[string]any), nodes[1].(map[string]any)
	if got.Body["self"] != "alpha" || alpha["remote"] != 2.0 || alpha["links"].([]any)[0].(map[string]any)["rtt_ms"] != 0.3 ||
		!strings.Contains(got.Text, `"held":[{"room":"`+string(webtest.RoomID)+`","game":"go","why":"there is no such game"}]`) {
		t.Errorf("nodes %s", got.Text)
	}
	if beta["state"] != "silent" || len(beta["links"].([]any)) != 0 || len(beta["unready"].([]any)) != 1 {
		t.Errorf("beta is %v", beta)
	}
	if dev := a.Want(200, "GET", "/admin/v1/dev", "").Text; strings.TrimSpace(dev) != "[]" {
		t.Errorf("a node that roomring dev did not start answers %s", dev)
	}
}

func TestAdminSaysWhereARoomBelongsAndWhy(t *testing.T) {
	a, c := startCluster(t, nil)
	if plain := a.Want(200, "GET", "/admin/v1/ring?arcs=true", ""); plain.Body["where"] != nil || plain.Body["moves"] != nil || len(plain.Body["arcs"].([]any)) != 2 {
		t.Errorf("the ring is %s", plain.Text)
	}
	if short := a.Want(200, "GET", "/admin/v1/ring", ""); short.Body["arcs"] != nil || len(short.Body["nodes"].([]any)) != 2 {
		t.Errorf("without its arcs the ring is %s", short.Text)
	}
	both := []string{"alpha", "beta"}
	for _, test := range []struct {
		at    admin.Where
		words []string
	}{
		{admin.Where{Nodes: both}, []string{"No node has this room", "alpha"}},
		{admin.Where{Nodes: both, Node: "alpha", Epoch: 1}, []string{"alpha's, and the room is there"}},
		{admin.Where{Nodes: both, Node: "beta", Epoch: 1}, []string{"names alpha", "at beta", "number 2"}},
		{admin.Where{Nodes: both, Node: "zeta", Epoch: 1}, []string{"at zeta, which is not on the ring"}},
		{admin.Where{}, []string{"No node is on the ring"}},
	} {
		test.at.Hash, test.at.Point = 1<<63, 1<<63+1
		c.Place = test.at
		where := a.Want(200, "GET", "/admin/v1/ring?id="+string(webtest.RoomID), "").Body["where"].(map[string]any)
		if where["hash"] != "8000000000000000" || where["point"] != "8000000000000001" || where["place"] != 0.5 {
			t.Errorf("where is %v", where)
		}
		for _, word := range test.words {
			if !strings.Contains(where["why"].(string), word) {
				t.Errorf("%+v: the reason %q lacks %q", test.at, where["why"], word)
			}
		}
	}
	a.Refused(400, "id", "GET", "/admin/v1/ring?id=nonsense", "")
	c.Fail = actor.ErrUnreachable
	a.Refused(503, "", "GET", "/admin/v1/ring?id="+string(webtest.RoomID), "")
}

func TestAdminSaysWhatWouldMove(t *testing.T) {
	a, c := startCluster(t, nil)
	moves := a.Want(200, "GET", "/admin/v1/ring?leave=beta&join=beta:0.5&join=gamma:3:eu", "").Body["moves"].(map[string]any)
	if moves["share"] != 0.25 || moves["rooms"] != 3.0 || len(moves["flows"].([]any)) != 1 {
		t.Errorf("moves %v", moves)
	}
	got, _ := json.Marshal(c.Asked)
	if want := `{"Leave":["beta"],"Join":[{"name":"beta","weight":0.5,"share":0},{"name":"gamma","weight":3,"zone":"eu","share":0}]}`; string(got) != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	for query, field := range map[string]string{
		"leave=gamma": "leave", "leave=": "leave", "join=alpha": "join", "join=": "join", "join=g:0": "join", "join=g:x": "join", "join=g:NaN": "join",
		"join=g:-1": "join", "join=g:1e9": "join", "join=g&join=g": "join", "join=" + strings.Repeat("g", 65): "join",
		strings.Repeat("leave=alpha&", 65): "join",
	} {
		a.Refused(400, field, "GET", "/admin/v1/ring?"+query, "")
	}
}

func TestAdminRebalances(t *testing.T) {
	a, c := startCluster(t, nil)
	dry := a.Want(200, "POST", "/admin/v1/rebalance?dry_run=true", "").Body
	if c.Begun || dry["dry_run"] != true || dry["takes"].(map[string]any)["beta"] != 3.0 || len(dry["nodes"].([]any)) != 2 {
		t.Errorf("a dry run answers %v, and begins: %v", dry, c.Begun)
	}
	if a.Want(202, "POST", "/admin/v1/rebalance", ""); !c.Begun {
		t.Error("it does not begin")
	}
	a.Refused(400, "dry_run", "POST", "/admin/v1/rebalance?dry_run=perhaps", "")
	c.Fail = actor.ErrUnreachable
	a.Refused(503, "", "POST", "/admin/v1/rebalance", "")
}

func TestAdminDrains(t *testing.T) {
	var log bytes.Buffer
	a, c := startCluster(t, func(o *admin.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)); o.Token = "open sesame" })
	auth := "Authorization: Bearer open sesame"
	if self := a.Want(202, "POST", "/admin/v1/drain", "", auth); self.Body["node"] != "alpha" || self.Body["rooms"] != 1.0 || self.Body["sessions"] != 3.0 {
		t.Errorf("drain answered %s", self.Text)
	}
	a.Want(202, "POST", "/admin/v1/drain", `{"node":"beta"}`, auth)
	a.Refused(400, "node", "POST", "/admin/v1/drain", `{"node":"gamma"}`, auth)
	c.Fail = errors.New("beta does not answer")
	a.Client = http.DefaultClient // a 500 is what this is, and the checker would not have it
	a.Want(500, "POST", "/admin/v1/drain", `{"node":"beta"}`, auth)
	if got := strings.Join(c.Drained, " "); got != "alpha beta beta" {
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
	a, c := startCluster(t, func(o *admin.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	c.Forgot = admin.Forgotten{Boots: 1, Rooms: 7}
	if done := a.Want(200, "POST", "/admin/v1/forget", `{"node":"beta"}`); done.Body["node"] != "beta" || done.Body["boots"] != 1.0 || done.Body["rooms"] != 7.0 {
		t.Errorf("forget answered %s", done.Text)
	}
	a.Refused(400, "node", "POST", "/admin/v1/forget", `{"node":"gamma"}`)
	a.Refused(400, "node", "POST", "/admin/v1/forget", `{"node":""}`)
	c.Forgot, c.Fail = admin.Forgotten{}, &admin.NodeLivesError{Reason: "it is there: drain it"}
	if lives := a.Want(409, "POST", "/admin/v1/forget", `{"node":"beta"}`); lives.Body["detail"] != "it is there: drain it" {
		t.Errorf("of a node that lives: %s", lives.Text)
	}
	for _, words := range []string{`action=forget target=beta rooms=7 node=alpha`, `action=forget target=gamma rooms=0`, `outcome="it is there: drain it"`} {
		if !strings.Contains(log.String(), words) {
			t.Errorf("the audit log lacks %s:\n%s", words, log.String())
		}
	}
}

func TestAdminSearchesRooms(t *testing.T) {
	a, _ := startCluster(t, nil)
	a.Rooms.Rooms["fedcba9876543210"] = actor.Info{ID: "fedcba9876543210", Game: "snakes", Version: 3, Name: "friday", Phase: core.PhaseWaiting, Node: "beta"}
	for query, want := range map[string]int{"": 2, "private=true": 1, "node=beta": 1, "node=gamma": 0, "search=frid": 1, "search=zz": 0, "private=true&node=beta": 0} {
		if got := a.Want(200, "GET", "/admin/v1/rooms?"+query, "").Body["rooms"].([]any); len(got) != want {
			t.Errorf("%s: %d rooms, want %d", query, len(got), want)
		}
	}
	a.Rooms.Partial = true
	if part := a.Want(200, "GET", "/admin/v1/rooms", ""); part.Body["partial"] != true {
		t.Errorf("a list that a node did not answer: %s", part.Text)
	}
	a.Refused(400, "search", "GET", "/admin/v1/rooms?search="+strings.Repeat("x", 65), "")
	a.Refused(400, "private", "GET", "/admin/v1/rooms?private=1", "")
}

// follow opens a stream of events. It is not checked by docs/openapi.yaml, since that would read it to its end.
func follow(ctx context.Context, a *webtest.Site, path string) *bufio.Reader {
	a.T.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", a.URL+path, nil)
	if err != nil {
		a.T.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.T.Fatal(err)
	}
	a.T.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		a.T.Fatalf("%s: %s %v", path, resp.Status, resp.Header)
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
	path := "/admin/v1/rooms/" + string(webtest.RoomID) + "/events"
	a.Rooms.Events <- actor.RoomEvent{Type: actor.EventWatching, Epoch: 2, Index: 40, Commit: 39}
	r := follow(t.Context(), a, path)
	pieces := func(want string) {
		t.Helper()
		if got := piece(t, r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	pieces("event: watching\ndata: {\"epoch\":2,\"index\":40,\"commit\":39}\n")
	a.Rooms.Events <- actor.RoomEvent{Type: actor.EventInput, Epoch: 2, Index: 41, Commit: 40, Kind: "act", Player: "a\nb", At: time.Second, CSeq: 3, Data: `{"a":"<b>"}`, Code: "no"}
	pieces("id: 41\nevent: input\ndata: {\"epoch\":2,\"index\":41,\"commit\":40,\"kind\":\"act\",\"at_ms\":1000,\"player\":\"a\\nb\",\"cseq\":3,\"bytes\":0,\"data\":\"{\\\"a\\\":\\\"\\u003cb\\u003e\\\"}\",\"code\":\"no\"}\n")
	a.Rooms.Events <- actor.RoomEvent{Type: actor.EventMissed, Missed: 7}
	pieces("event: missed\ndata: {\"missed\":7}\n")
	a.Rooms.Events <- actor.RoomEvent{Type: actor.EventOver, Epoch: 2, Index: 41, Commit: 41, End: record.Finished}
	close(a.Rooms.Events)
	pieces("event: over\ndata: {\"epoch\":2,\"index\":41,\"commit\":41,\"end\":\"finished\"}\n")
	pieces("")
	a.Refused(404, "", "GET", "/admin/v1/rooms/fedcba9876543210/events", "")
	a.Refused(405, "", "POST", path, "")
}

func TestAdminStreamsStayAliveAndAreBounded(t *testing.T) {
	a, _ := startCluster(t, func(o *admin.Options) {
		o.EventBeat, o.Streams, o.RequestTimeout = 5*time.Millisecond, 1, time.Millisecond
	})
	impatient := httptest.NewUnstartedServer(webtest.AdminHandler(t, a.Rooms, func(o *admin.Options) { o.EventBeat = 5 * time.Millisecond }))
	impatient.Config.ReadTimeout, impatient.Config.WriteTimeout = 20*time.Millisecond, 20*time.Millisecond
	impatient.Start()
	t.Cleanup(impatient.Close)
	path := "/admin/v1/rooms/" + string(webtest.RoomID) + "/events"
	began := time.Now()
	long := follow(t.Context(), &webtest.Site{T: t, URL: impatient.URL}, path)
	for time.Since(began) < 100*time.Millisecond { // beyond the server's limits for answers that end
		if got := piece(t, long); got != ": still here\n" {
			t.Fatalf("in the silence came %q", got)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	r := follow(ctx, a, path)
	for range 3 { // longer than any other request may take
		if got := piece(t, r); got != ": still here\n" {
			t.Fatalf("in the silence came %q", got)
		}
	}
	a.Refused(503, "", "GET", path, "")
	leave()
	testwait.Until(t, "the place of a reader that has left is free", func() bool {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", a.URL+path, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
}

func TestAdminSaysWhatANodesDeathWouldDo(t *testing.T) {
	a, c := startCluster(t, nil)
	c.Dies = admin.Loss{
		Node: "alpha", Rooms: 4, GoOn: []admin.NodeRooms{{Node: "beta", Rooms: 2}}, Wait: []admin.LossReason{{Why: "waits-lone", Rooms: 1}}, Lost: 1,
		Examples: []admin.LossExample{{Room: webtest.RoomID, Game: "go", Fate: "waits-lone"}},
	}
	got := a.Want(200, "GET", "/admin/v1/nodes/alpha/loss", "")
	if got.Body["rooms"] != 4.0 || got.Body["lost"] != 1.0 || len(got.Body["bare"].([]any)) != 0 || !strings.Contains(got.Text, `"go_on":[{"node":"beta","rooms":2}]`) {
		t.Errorf("it says %s", got.Text)
	}
	a.Refused(404, "", "GET", "/admin/v1/nodes/gamma/loss", "")
	c.Fail = actor.ErrUnreachable
	a.Refused(503, "", "GET", "/admin/v1/nodes/beta/loss", "")
	if nodes := a.Want(200, "GET", "/admin/v1/nodes", "").Text; !strings.Contains(nodes, `"lone":1`) || !strings.Contains(nodes, `"taken":[{"from":"beta","seized":3,"yielded":0}]`) {
		t.Errorf("nodes %s", nodes)
	}
}
