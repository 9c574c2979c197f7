package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/web"
)

func TestGuestOverHTTP(t *testing.T) {
	auth := guestAuth(t)
	a := startAPI(t, func(o *web.ServerOptions) { o.Auth = auth })
	got := a.want(201, "POST", "/v1/guest", `{"name":" Ann "}`)
	who, err := auth.Check(t.Context(), got.body["token"].(string))
	if err != nil || string(who.Player) != got.body["player"] || got.body["name"] != "Ann" {
		t.Errorf("guest %s is %+v, %v", got.text, who, err)
	}
	if name := a.want(201, "POST", "/v1/guest", "").body["name"].(string); len(name) < 5 {
		t.Errorf("drew the name %q", name)
	}
}

func TestWithAnAuthKeyCreatingNeedsAToken(t *testing.T) {
	keys := parse(t, secret('k'))
	var log bytes.Buffer
	a := startAPI(t, func(o *web.ServerOptions) {
		o.Auth = newAuth(t, web.AuthOptions{Keys: keys})
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	mint := func(who web.Identity) string {
		t.Helper()
		who.Player, who.Expires = "ann", time.Now().Add(time.Minute)
		token, err := keys.Mint(who, "", "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + token
	}
	for _, path := range []string{"/v1/rooms", "/v1/matchmake"} {
		if got := a.refused(401, "", "POST", path, `{"game":"chess"}`); got.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("WWW-Authenticate %q", got.Header.Get("WWW-Authenticate"))
		}
		a.refused(401, "", "POST", path, `{"game":"chess"}`, "Authorization: Bearer nonsense")
		a.refused(401, "", "POST", path, `{"game":"chess"}`, "Authorization: Basic YTpi")
		a.refused(403, "", "POST", path, `{"game":"chess"}`, mint(web.Identity{Game: "snakes"}))
		a.refused(403, "", "POST", path, `{"game":"chess"}`, mint(web.Identity{Room: "0123456789abcdef"}))
	}
	a.want(201, "POST", "/v1/rooms", `{"game":"chess"}`, mint(web.Identity{}))
	a.want(201, "POST", "/v1/rooms", `{"game":"chess"}`, mint(web.Identity{Game: "chess"}))
	a.want(200, "POST", "/v1/matchmake", `{"game":"chess"}`, mint(web.Identity{}))
	if by, player := a.rooms.created[0].By, a.rooms.matched[0].Player; by != "ann" || player != "ann" {
		t.Errorf("made by %q, matched for %q", by, player)
	}
	a.refused(403, "", "POST", "/v1/guest", "")
	a.want(200, "GET", "/v1/rooms", "")
	if strings.Contains(log.String(), "eyJ") {
		t.Errorf("a token is in the log: %s", log.String())
	}
}

func TestOrigins(t *testing.T) {
	a := startAPI(t, func(o *web.ServerOptions) {
		o.AllowedOrigins = []string{"https://game.example", "https://*.friends.example"}
	})
	for origin, allowed := range map[string]bool{
		"https://game.example": true, "https://a.friends.example": true, "https://evil.example": false,
		"http://game.example": false, "https://friends.example.evil": false, "null": false,
	} {
		status := map[bool]int{true: 201, false: 403}[allowed]
		got := a.want(status, "POST", "/v1/guest", "", "Origin: "+origin, "Sec-Fetch-Site: cross-site")
		if shared := got.Header.Get("Access-Control-Allow-Origin"); (shared == origin) != allowed {
			t.Errorf("%s: Access-Control-Allow-Origin %q", origin, shared)
		}
		read := a.want(200, "GET", "/v1/rooms", "", "Origin: "+origin, "Sec-Fetch-Site: cross-site")
		if shared := read.Header.Get("Access-Control-Allow-Origin"); (shared == origin) != allowed {
			t.Errorf("%s: reading: Access-Control-Allow-Origin %q", origin, shared)
		}
	}
	preflight := a.want(204, "OPTIONS", "/v1/rooms", "", "Origin: https://game.example", "Access-Control-Request-Method: POST")
	if !strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight %v", preflight.Header)
	}
	if got := a.want(204, "OPTIONS", "/v1/rooms", "", "Origin: https://evil.example"); got.Header.Get("Access-Control-Allow-Headers") != "" {
		t.Error("a stranger's preflight passed")
	}
	a.want(201, "POST", "/v1/guest", "", "Origin: "+a.url, "Sec-Fetch-Site: same-origin")
}

func TestBadServerOptions(t *testing.T) {
	for name, edit := range map[string]func(*web.ServerOptions){
		"WebSocket":      func(o *web.ServerOptions) { o.WebSocket = nil },
		"public URL":     func(o *web.ServerOptions) { o.PublicURL = "play.example" },
		"allowed origin": func(o *web.ServerOptions) { o.AllowedOrigins = []string{"https://game.example/path"} },
	} {
		opts := apiOptions(t, newMemoryRooms(), newMemoryRecords())
		edit(&opts)
		if _, err := web.NewServer(opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := web.NewAuth(web.AuthOptions{GuestKey: []byte("short")}); err == nil {
		t.Error("a short guest key was taken")
	}
	if _, err := web.ParseProxies([]string{"10.0.0.0/8", "proxy.example"}); err == nil {
		t.Error("a name was taken for a proxy")
	}
}

func TestHealth(t *testing.T) {
	var reasons []string
	a := startAPI(t, func(o *web.ServerOptions) { o.Unready = func() []string { return reasons } })
	a.want(200, "GET", "/livez", "")
	a.want(200, "GET", "/readyz", "")
	reasons = []string{"the store is away", "draining"}
	got := a.refused(503, "", "GET", "/readyz", "")
	if told := got.body["reasons"].([]any); len(told) != 2 || told[0] != "the store is away" {
		t.Errorf("reasons %v", told)
	}
	a.want(200, "GET", "/livez", "")
}

func TestGames(t *testing.T) {
	a := startAPI(t, nil)
	games := a.want(200, "GET", "/v1/games", "").body["games"].([]any)
	if len(games) != 2 || games[0].(map[string]any)["name"] != "chess" {
		t.Errorf("games %v", games)
	}
}

func TestEveryAnswerHasItsSafetyHeaders(t *testing.T) {
	a := startAPI(t, nil)
	for _, path := range []string{"/", "/v1/rooms", "/nowhere", "/v1/rooms/0123456789abcdef/ws"} {
		h := a.ask("GET", path, "").Header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	if got := a.want(http.StatusUpgradeRequired, "GET", "/v1/rooms/0123456789abcdef/ws", ""); !strings.Contains(got.text, "0123456789abcdef") {
		t.Errorf("the socket's handler was told %q", got.text)
	}
	if got := a.want(200, "HEAD", "/v1/rooms", ""); got.text != "" {
		t.Errorf("HEAD got a body")
	}
}
