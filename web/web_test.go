package web_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/internal/webtest"
)

// FuzzAPI sends requests to both servers. Every answer is described, and none is a 5xx.
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
	rooms := webtest.NewRooms()
	rooms.Rooms[id] = actor.Info{ID: id, Game: "chess", Version: 1, Phase: core.PhasePlaying, MaxPlayers: 2, Node: "alpha"}
	public, err := api.New(webtest.APIOptions(f, rooms, webtest.NewRecords()))
	if err != nil {
		f.Fatal(err)
	}
	operator := webtest.AdminHandler(f, rooms, nil)
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
	if _, served := h.(*api.Server); served == strings.HasPrefix(r.URL.Path, "/admin/") && w.Code == http.StatusNotFound {
		return // the other listener's
	}
	if err := desc.Check(r, body, w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Fatalf("%s %s: %v\nanswer: %d %s", method, target, err, w.Code, w.Body)
	}
}
