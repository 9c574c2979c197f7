package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/apitest"
)

func adminHandler(t testing.TB, rooms *memoryRooms, edit func(*web.AdminOptions)) http.Handler {
	t.Helper()
	opts := web.AdminOptions{
		Rooms: rooms, Games: gameSpecs, Cluster: &twoNodes{},
	}
	if edit != nil {
		edit(&opts)
	}
	h, err := web.AdminHandler(opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func startAdmin(t *testing.T, edit func(*web.AdminOptions)) *api {
	rooms := newMemoryRooms()
	rooms.rooms[roomID] = actor.Info{
		ID: roomID, Game: "chess", Version: 1, Private: true, Code: "joincode", Phase: core.PhasePlaying, MaxPlayers: 2,
		Epoch: 2, Index: 40, Node: "alpha", Created: clock, Seats: []core.SeatInfo{{Seat: 1, Player: "ann", Name: "Ann"}},
	}
	return &api{t: t, rooms: rooms, url: serve(t, adminHandler(t, rooms, edit)), client: apitest.Client(t)}
}

func TestAdminSeesPrivateRooms(t *testing.T) {
	a := startAdmin(t, nil)
	list := a.want(200, "GET", "/admin/v1/rooms?game=chess", "")
	if rooms := list.body["rooms"].([]any); len(rooms) != 1 || rooms[0].(map[string]any)["code"] != "joincode" {
		t.Errorf("rooms %s", list.text)
	}
	a.refused(400, "limit", "GET", "/admin/v1/rooms?limit=x", "")
}

func TestAdminLooksIntoARoom(t *testing.T) {
	a := startAdmin(t, nil)
	path := "/admin/v1/rooms/" + string(roomID)
	whole := a.want(200, "GET", path, "")
	for field, want := range map[string]any{
		"index": 43.0, "commit": 40.0, "epoch": 2.0, "code": "joincode", "as": "whole", "state": "everything", "time_ms": 60000.0, "deadline_ms": 120000.0,
	} {
		if whole.body[field] != want {
			t.Errorf("%s is %v, want %v", field, whole.body[field], want)
		}
	}
	queues := whole.body["queues"].(map[string]any)
	if queues["mailbox"] != 1.0 || queues["pending"] != 2.0 || queues["held"] != 4.0 || queues["sessions"].([]any)[0].(map[string]any)["edge"] != "beta" {
		t.Errorf("queues %v", queues)
	}
	if edges := whole.body["edges"].([]any); len(edges) != 1 || edges[0].(map[string]any)["node"] != "beta" || edges[0].(map[string]any)["sessions"] != 1.0 {
		t.Errorf("edges %v", edges)
	}
	seat := func(query string) any {
		t.Helper()
		return a.want(200, "GET", path+query, "").body["state"].(map[string]any)["Seat"]
	}
	if got := seat("?as=spectator"); got != -1.0 {
		t.Errorf("a spectator has seat %v", got)
	}
	if got := seat("?as=player&player=ann"); got != 1.0 {
		t.Errorf("ann has seat %v", got)
	}
	a.refused(409, "", "GET", path+"?as=player&player=bob", "")
	a.refused(400, "player", "GET", path+"?as=player", "")
	a.refused(400, "as", "GET", path+"?as=god", "")
	a.refused(404, "", "GET", "/admin/v1/rooms/fedcba9876543210", "")
}

func TestAdminActsAndSaysSo(t *testing.T) {
	var log bytes.Buffer
	a := startAdmin(t, func(o *web.AdminOptions) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	path := "/admin/v1/rooms/" + string(roomID)
	a.want(204, "POST", path+"/kick", `{"player":"ann"}`)
	a.want(204, "POST", path+"/signal", `{"name":"pause","data":{"for":5}}`)
	a.want(204, "POST", path+"/close", "")
	a.want(204, "POST", path+"/close", `{"reason":"cheating"}`)
	want := `kick: ann, signal: pause{"for":5}, close: closed by the operator, close: cheating`
	if got := strings.Join(a.rooms.acted, ", "); got != want {
		t.Errorf("did %s, want %s", got, want)
	}
	a.rooms.failWith(room.Refuse("no", "not now"))
	a.refused(409, "", "POST", path+"/signal", `{"name":"pause"}`)
	a.rooms.failWith(actor.ErrNotSeated)
	a.refused(409, "", "POST", path+"/kick", `{"player":"bob"}`)
	if lines := strings.Count(log.String(), "admin action"); lines != 6 {
		t.Errorf("%d audit lines, want 6:\n%s", lines, log.String())
	}
	for _, word := range []string{"action=kick", "player=ann", "room=" + string(roomID), "outcome=done", `outcome="not now"`, "from=127.0.0.1", "node=alpha", `by="anybody on this machine"`} {
		if !strings.Contains(log.String(), word) {
			t.Errorf("the audit log lacks %s:\n%s", word, log.String())
		}
	}
	a.rooms.failWith(nil)
	a.refused(400, "player", "POST", path+"/kick", `{}`)
	a.refused(400, "name", "POST", path+"/signal", `{}`)
	a.refused(400, "reason", "POST", path+"/close", `{"reason":"`+strings.Repeat("x", 124)+`"}`)
	a.refused(404, "", "POST", "/admin/v1/rooms/fedcba9876543210/close", "")
	a.refused(400, "id", "POST", "/admin/v1/rooms/nonsense/close", "")
	a.refused(405, "", "GET", path+"/close", "")
}

func TestAdminHearsWhyANodeIsNotReady(t *testing.T) {
	var reasons []string
	a := startAdmin(t, func(o *web.AdminOptions) { o.Unready = func() []string { return reasons } })
	a.want(200, "GET", "/readyz", "")
	reasons = []string{"the store is away", "draining"}
	got := a.refused(503, "", "GET", "/readyz", "")
	if told := got.body["reasons"].([]any); len(told) != 2 || told[0] != reasons[0] || !strings.Contains(got.body["detail"].(string), reasons[1]) {
		t.Errorf("told %s", got.text)
	}
}

func TestAdminDoor(t *testing.T) {
	a := startAdmin(t, func(o *web.AdminOptions) { o.Named = func(name string) bool { return name == "admin.internal" } })
	for host, status := range map[string]int{
		"localhost:7778": 200, "127.0.0.1": 200, "[::1]:7778": 200, "10.1.2.3:80": 200, "admin.internal": 200, "ADMIN.internal:1": 200,
		"evil.example": 421, "localhost.evil.example": 421,
	} {
		a.want(status, "GET", "/admin/v1/nodes", "", "Host: "+host)
	}
	a.refused(403, "", "POST", "/admin/v1/rooms/"+string(roomID)+"/close", "", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")

	a = startAdmin(t, func(o *web.AdminOptions) { o.Token = "open sesame" })
	for _, path := range []string{"/admin/v1/nodes", "/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/nowhere"} {
		a.refused(401, "", "GET", path, "")
		a.refused(401, "", "GET", path, "", "Authorization: Bearer open sesam")
	}
	a.want(200, "GET", "/admin/v1/nodes", "", "Authorization: Bearer open sesame")
}

func TestMetricsAndProfiles(t *testing.T) {
	m := web.NewMetrics()
	a := startAdmin(t, func(o *web.AdminOptions) { o.Metrics = m })
	rooms := m.Actor()
	rooms.Rooms("chess", 2)
	rooms.Rooms("chess", -1)
	rooms.Sessions("chess", 3)
	rooms.Inputs("chess", core.KindAct)
	rooms.Sent("chess", 50)
	rooms.StepTime("chess", 20*time.Microsecond)
	rooms.CommitDelay(time.Millisecond)
	rooms.LostEvents("chess", 4)
	rooms.LateTicks("chess", 5)
	rooms.Closed("chess", wire.CloseReplaced)
	rooms.Ended("chess", record.Finished)
	rooms.Panics("chess")
	rooms.SlowSteps("chess")
	m.SocketOpened()
	m.SocketOpened()
	m.SocketClosed(wire.CloseNormal)
	m.SocketRead(1, 100)
	m.SocketWritten(3, 900)
	m.Gauge("roomring_results_unflushed", "Results that wait for the store.", func() float64 { return 6 })
	m.Counter("roomring_results_alarms_total", "Results that the store refused.", func() float64 { return 7 })
	a.want(200, "GET", "/admin/v1/nodes", "")
	text := a.want(200, "GET", "/metrics", "").text
	for _, line := range []string{
		`roomring_rooms{game="chess"} 1`, `roomring_sessions{game="chess"} 3`, `roomring_inputs_total{game="chess",kind="act"} 1`,
		`roomring_messages_sent_total{game="chess"} 50`, `roomring_step_seconds_count{game="chess"} 1`, `roomring_commit_delay_seconds_sum 0.001`,
		`roomring_events_lost_total{game="chess"} 4`, `roomring_ticks_left_out_total{game="chess"} 5`,
		`roomring_sessions_closed_total{code="4409",game="chess"} 1`, `roomring_rooms_ended_total{end="finished",game="chess"} 1`,
		`roomring_game_panics_total{game="chess"} 1`, `roomring_slow_steps_total{game="chess"} 1`, `roomring_sockets 1`,
		`roomring_sockets_closed_total{code="1000"} 1`, `roomring_socket_bytes_total{direction="out"} 900`,
		`roomring_socket_messages_total{direction="in"} 1`, `roomring_results_unflushed 6`, `roomring_results_alarms_total 7`,
		`roomring_http_requests_total{method="GET",route="/admin/v1/nodes",status="200"} 1`,
		"# HELP roomring_commit_delay_seconds Time from the first step of a batch to its commit, in seconds.", "go_goroutines",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	a.want(200, "GET", "/debug/pprof/", "")
	a.want(200, "GET", "/debug/pprof/goroutine?debug=1", "")
	if line := a.want(200, "GET", "/debug/pprof/cmdline", "").text; line != os.Args[0] {
		t.Errorf("the command line is told with its flags: %q", line)
	}
	a.refused(404, "", "GET", "/debug/pprof/secrets", "")
	a.refused(404, "", "GET", "/debug/vars", "")
}
