package web_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/apitest"
)

func TestEveryRouteIsDescribedAndEveryDescriptionServed(t *testing.T) {
	served := web.Routes()
	var described []string
	for path, item := range apitest.Load(t).Doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	for _, route := range served {
		if !slices.Contains(described, route) {
			t.Errorf("%s is served and not described in docs/openapi.yaml", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(served, route) {
			t.Errorf("%s is described in docs/openapi.yaml and not served", route)
		}
	}
}

// The checker itself must find fault with what is not as described.
func TestCheckFindsFault(t *testing.T) {
	desc := apitest.Load(t)
	jsonType := http.Header{"Content-Type": {"application/json"}}
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		header                   http.Header
		answer                   string
		ok                       bool
	}{
		{"as described", "GET", "/livez", "", 200, jsonType, `{"status":"live"}`, true},
		{"another member", "GET", "/livez", "", 200, jsonType, `{"status":"live","x":1}`, false},
		{"another value", "GET", "/livez", "", 200, jsonType, `{"status":"dead"}`, false},
		{"another status", "GET", "/livez", "", 201, jsonType, `{"status":"live"}`, false},
		{"another type", "GET", "/livez", "", 200, http.Header{"Content-Type": {"text/plain"}}, "live", false},
		{"a failure", "GET", "/livez", "", 500, problem, `{"type":"urn:roomring:problem:internal","title":"","status":500}`, false},
		{"no problem document", "GET", "/livez", "", 503, jsonType, `{}`, false},
		{"a bad request taken", "POST", "/v1/guest", `{"name":1}`, 201, jsonType, `{"token":"t","player":"p","name":"n"}`, false},
		{"a bad request refused", "POST", "/v1/guest", `{"name":1}`, 400, problem, `{"type":"urn:roomring:problem:x","title":"","status":400}`, true},
		{"not described, taken", "GET", "/v9", "", 200, jsonType, `{}`, false},
		{"not described, refused", "GET", "/v9", "", 404, problem, `{}`, true},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		err := desc.Check(r, []byte(test.body), test.status, test.header, []byte(test.answer))
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestLimiterForgetsTheOldest(t *testing.T) {
	take := web.Limiter(web.Rate{PerSecond: 1, Burst: 1}, 8)
	now := time.Unix(1e9, 0)
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }
	spent := func(i int) bool { _, ok := take(addr(i), now); return !ok }
	spent(0)
	if !spent(0) {
		t.Error("a second request passed")
	}
	for i := range 5 {
		spent(1 + i) // fills one generation and begins the next
	}
	if !spent(0) {
		t.Error("forgotten while there was room")
	}
	for i := range 20 {
		spent(10 + i)
	}
	if spent(0) {
		t.Error("remembered beyond the bound")
	}
}

// FuzzAPI throws requests at both servers. Whatever comes in, what goes out is described, and never a 5xx.
func FuzzAPI(f *testing.F) {
	const id = "0123456789abcdef"
	for _, seed := range []struct{ method, target, header, body string }{
		{"POST", "/v1/rooms", "application/json", `{"game":"chess","name":"x","options":{"a":1},"private":true}`},
		{"POST", "/v1/rooms", "application/json", `{"game":"chess","options":{"bad":1}}`},
		{"POST", "/v1/rooms", "text/plain", `{}`},
		{"GET", "/v1/rooms?game=chess&phase=over&open=true&limit=1&after=" + id, "", ""},
		{"GET", "/v1/rooms?code=x", "", ""},
		{"GET", "/v1/rooms/" + id, "", ""},
		{"GET", "/v1/rooms/" + id + "/ws?node=a", "", ""},
		{"POST", "/v1/matchmake", "application/json", `{"game":"snakes","ticket":"a ticket of a test"}`},
		{"POST", "/v1/guest", "application/json", `{"name":"Ann"}`},
		{"GET", "/v1/results/" + id, "", ""},
		{"GET", "/v1/replays/" + id, "", "application/json"},
		{"GET", "/v1/players/a%2fb", "", ""},
		{"GET", "/v1/leaderboards/chess?offset=1&limit=2", "", ""},
		{"GET", "/v1/games", "", ""},
		{"GET", "/livez", "", ""}, {"GET", "/readyz", "", ""}, {"GET", "/", "", ""},
		{"GET", "/admin/v1/rooms?limit=3", "", ""},
		{"GET", "/admin/v1/rooms/" + id + "?as=player&player=ann", "", ""},
		{"POST", "/admin/v1/rooms/" + id + "/close", "application/json", `{"reason":"x"}`},
		{"POST", "/admin/v1/rooms/" + id + "/kick", "application/json", `{"player":"ann"}`},
		{"POST", "/admin/v1/rooms/" + id + "/signal", "application/json", `{"name":"n","data":[1]}`},
		{"GET", "/admin/v1/nodes", "", ""},
		{"DELETE", "/v1/rooms", "", ""}, {"GET", "/../x", "", ""}, {"CONNECT", "/", "", ""},
	} {
		f.Add(seed.method, seed.target, seed.header, []byte(seed.body))
	}
	desc := apitest.Load(f)
	rooms := newMemoryRooms()
	rooms.rooms[id] = actor.Info{ID: id, Game: "chess", Version: 1, Phase: core.PhasePlaying, MaxPlayers: 2, Node: "alpha"}
	public, err := web.NewServer(apiOptions(f, rooms, newMemoryRecords()))
	if err != nil {
		f.Fatal(err)
	}
	operator := adminHandler(f, rooms, nil)
	f.Fuzz(func(t *testing.T, method, target, header string, body []byte) {
		if !slices.Contains([]string{"GET", "POST", "PUT", "DELETE", "PATCH", "CONNECT"}, method) {
			return // what is no method never gets past net/http
		}
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || u.Host != "" {
			return
		}
		serveDescribed(t, desc, public, method, target, header, body)
		if !strings.HasPrefix(u.Path, "/debug/") { // profiles take their time
			serveDescribed(t, desc, operator, method, target, header, body)
		}
	})
}

func serveDescribed(t *testing.T, desc *apitest.Description, h http.Handler, method, target, header string, body []byte) {
	t.Helper()
	r := &http.Request{
		Method: method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "localhost", RemoteAddr: "192.0.2.1:1",
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), RequestURI: target,
	}
	r.URL, _ = url.ParseRequestURI(target)
	if header != "" {
		r.Header.Set("Content-Type", header)
		r.Header.Set("Accept", header)
		r.Header.Set("Authorization", header)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code >= 500 {
		t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	if method == "CONNECT" {
		return
	}
	if _, served := h.(*web.Server); served == strings.HasPrefix(r.URL.Path, "/admin/") && w.Code == http.StatusNotFound {
		return // the other listener's
	}
	if err := desc.Check(r, body, w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Fatalf("%s %s: %v\nanswer: %d %s", method, target, err, w.Code, w.Body)
	}
}
