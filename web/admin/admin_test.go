package admin_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
)

func TestAdminSeesPrivateRooms(t *testing.T) {
	a := webtest.StartAdmin(t, nil)
	list := a.Want(200, "GET", "/admin/v1/rooms?game=chess", "")
	if rooms := list.Body["rooms"].([]any); len(rooms) != 1 || rooms[0].(map[string]any)["code"] != "joincode" {
		t.Errorf("rooms %s", list.Text)
	}
	a.Refused(400, "limit", "GET", "/admin/v1/rooms?limit=x", "")
}

func TestAdminLooksIntoARoom(t *testing.T) {
	a := webtest.StartAdmin(t, nil)
	path := "/admin/v1/rooms/" + string(webtest.RoomID)
	whole := a.Want(200, "GET", path, "")
	for field, want := range map[string]any{
		"index": 43.0, "commit": 40.0, "epoch": 2.0, "code": "joincode", "as": "whole", "state": "everything", "time_ms": 60000.0, "deadline_ms": 120000.0,
	} {
		if whole.Body[field] != want {
			t.Errorf("%s is %v, want %v", field, whole.Body[field], want)
		}
	}
	if !strings.Contains(whole.Text, `"members":{"standby":{"node":"beta","folder":"f2","whole":true,"linked":true,"lag_entries":3,"lag_ms":1.5},"learner":{"node":"","folder":"f3",`) || whole.Body["standby"] != "beta" {
		t.Errorf("its members are not told: %s", whole.Text)
	}
	queues := whole.Body["queues"].(map[string]any)
	if queues["mailbox"] != 1.0 || queues["pending"] != 2.0 || queues["held"] != 4.0 || queues["sessions"].([]any)[0].(map[string]any)["edge"] != "beta" {
		t.Errorf("queues %v", queues)
	}
	if edges := whole.Body["edges"].([]any); len(edges) != 1 || edges[0].(map[string]any)["node"] != "beta" || edges[0].(map[string]any)["sessions"] != 1.0 {
		t.Errorf("edges %v", edges)
	}
	seat := func(query string) any {
		t.Helper()
		return a.Want(200, "GET", path+query, "").Body["state"].(map[string]any)["Seat"]
	}
	if got := seat("?as=spectator"); got != -1.0 {
		t.Errorf("a spectator has seat %v", got)
	}
	if got := seat("?as=player&player=ann"); got != 1.0 {
		t.Errorf("ann has seat %v", got)
	}
	a.Refused(409, "", "GET", path+"?as=player&player=bob", "")
	a.Refused(400, "player", "GET", path+"?as=player", "")
	a.Refused(400, "as", "GET", path+"?as=god", "")
	a.Refused(404, "", "GET", "/admin/v1/rooms/fedcba9876543210", "")
}

func TestAdminActsAndSaysSo(t *testing.T) {
	var log bytes.Buffer
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	path := "/admin/v1/rooms/" + string(webtest.RoomID)
	a.Want(204, "POST", path+"/kick", `{"player":"ann"}`)
	a.Want(204, "POST", path+"/signal", `{"name":"pause","data":{"for":5}}`)
	a.Want(204, "POST", path+"/close", "")
	a.Want(204, "POST", path+"/close", `{"reason":"cheating"}`)
	want := `kick: ann, signal: pause{"for":5}, close: closed by the operator, close: cheating`
	if got := strings.Join(a.Rooms.Acted, ", "); got != want {
		t.Errorf("did %s, want %s", got, want)
	}
	a.Rooms.FailWith(room.Refuse("no", "not now"))
	a.Refused(409, "", "POST", path+"/signal", `{"name":"pause"}`)
	a.Rooms.FailWith(actor.ErrNotSeated)
	a.Refused(409, "", "POST", path+"/kick", `{"player":"bob"}`)
	if lines := strings.Count(log.String(), "admin action"); lines != 6 {
		t.Errorf("%d audit lines, want 6:\n%s", lines, log.String())
	}
	for _, word := range []string{"action=kick", "player=ann", "room=" + string(webtest.RoomID), "outcome=done", `outcome="not now"`, "from=127.0.0.1", "node=alpha", `by="anybody on this machine"`} {
		if !strings.Contains(log.String(), word) {
			t.Errorf("the audit log lacks %s:\n%s", word, log.String())
		}
	}
	a.Rooms.FailWith(nil)
	a.Refused(400, "player", "POST", path+"/kick", `{}`)
	a.Refused(400, "name", "POST", path+"/signal", `{}`)
	a.Refused(400, "reason", "POST", path+"/close", `{"reason":"`+strings.Repeat("x", 124)+`"}`)
	a.Refused(404, "", "POST", "/admin/v1/rooms/fedcba9876543210/close", "")
	a.Refused(400, "id", "POST", "/admin/v1/rooms/nonsense/close", "")
	a.Refused(405, "", "GET", path+"/close", "")
}

func TestAdminHearsWhyANodeIsNotReady(t *testing.T) {
	var reasons []string
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Unready = func() []string { return reasons } })
	a.Want(200, "GET", "/readyz", "")
	reasons = []string{"the store is away", "draining"}
	got := a.Refused(503, "", "GET", "/readyz", "")
	if told := got.Body["reasons"].([]any); len(told) != 2 || told[0] != reasons[0] || !strings.Contains(got.Body["detail"].(string), reasons[1]) {
		t.Errorf("told %s", got.Text)
	}
}

func TestAdminDoor(t *testing.T) {
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Named = func(name string) bool { return name == "admin.internal" } })
	for host, status := range map[string]int{
		"localhost:7778": 200, "127.0.0.1": 200, "[::1]:7778": 200, "10.1.2.3:80": 200, "admin.internal": 200, "ADMIN.internal:1": 200,
		"evil.example": 421, "localhost.evil.example": 421,
	} {
		a.Want(status, "GET", "/admin/v1/nodes", "", "Host: "+host)
	}
	a.Refused(403, "", "POST", "/admin/v1/rooms/"+string(webtest.RoomID)+"/close", "", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")

	a = webtest.StartAdmin(t, func(o *admin.Options) { o.Token = "open sesame" })
	for _, path := range []string{"/admin/v1/nodes", "/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/nowhere"} {
		a.Refused(401, "", "GET", path, "")
		a.Refused(401, "", "GET", path, "", "Authorization: Bearer open sesam")
	}
	a.Want(200, "GET", "/admin/v1/nodes", "", "Authorization: Bearer open sesame")
}
