package api_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/trust"
)

func TestGuestOverHTTP(t *testing.T) {
	tokens := webtest.GuestAuth(t)
	a := webtest.StartAPI(t, func(o *api.Options) { o.Auth = tokens })
	got := a.Want(201, "POST", "/v1/guest", `{"name":" Ann "}`)
	who, err := tokens.Check(t.Context(), got.Body["token"].(string))
	if err != nil || string(who.Player) != got.Body["player"] || got.Body["name"] != "Ann" {
		t.Errorf("guest %s is %+v, %v", got.Text, who, err)
	}
	if name := a.Want(201, "POST", "/v1/guest", "").Body["name"].(string); len(name) < 5 {
		t.Errorf("drew the name %q", name)
	}
}

func TestWithAnAuthKeyCreatingNeedsAToken(t *testing.T) {
	keys := webtest.ParseKeys(t, webtest.Secret('k'))
	var log bytes.Buffer
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.Auth = webtest.NewAuth(t, auth.Options{Keys: keys})
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	mint := func(who auth.Identity) string {
		t.Helper()
		who.Player, who.Expires = "ann", time.Now().Add(time.Minute)
		token, err := keys.Mint(who, "", "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + token
	}
	for _, path := range []string{"/v1/rooms", "/v1/matchmake"} {
		if got := a.Refused(401, "", "POST", path, `{"game":"chess"}`); got.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("WWW-Authenticate %q", got.Header.Get("WWW-Authenticate"))
		}
		a.Refused(401, "", "POST", path, `{"game":"chess"}`, "Authorization: Bearer nonsense")
		a.Refused(401, "", "POST", path, `{"game":"chess"}`, "Authorization: Basic YTpi")
		a.Refused(403, "", "POST", path, `{"game":"chess"}`, mint(auth.Identity{Game: "snakes"}))
		a.Refused(403, "", "POST", path, `{"game":"chess"}`, mint(auth.Identity{Room: "0123456789abcdef"}))
	}
	a.Want(201, "POST", "/v1/rooms", `{"game":"chess"}`, mint(auth.Identity{}))
	a.Want(201, "POST", "/v1/rooms", `{"game":"chess"}`, mint(auth.Identity{Game: "chess"}))
	a.Want(200, "POST", "/v1/matchmake", `{"game":"chess"}`, mint(auth.Identity{}))
	if by, player := a.Rooms.Created[0].By, a.Rooms.Matched[0].Player; by != "ann" || player != "ann" {
		t.Errorf("made by %q, matched for %q", by, player)
	}
	a.Refused(403, "", "POST", "/v1/guest", "")
	a.Want(200, "GET", "/v1/rooms", "")
	if strings.Contains(log.String(), "eyJ") {
		t.Errorf("a token is in the log: %s", log.String())
	}
}

// TestNullIsNamedByItself checks that pages without an origin are let in where the operator says so, and nowhere else.
func TestNullIsNamedByItself(t *testing.T) {
	for list, want := range map[string]int{"null": 201, "*": 201, "https://*": 403, "file://": 403} {
		a := webtest.StartAPI(t, func(o *api.Options) { o.AllowedOrigins = webtest.Origins(t, list) })
		got := a.Want(want, "POST", "/v1/guest", "", "Origin: null", "Sec-Fetch-Site: cross-site")
		if shared := got.Header.Get("Access-Control-Allow-Origin"); (shared == "null") != (want == 201) {
			t.Errorf("%s: Access-Control-Allow-Origin %q", list, shared)
		}
	}
}

// TestForeignOriginsAreNamedOnce checks that the log says which flag a page of another origin needs, and that no page can fill the log.
func TestForeignOriginsAreNamedOnce(t *testing.T) {
	var log webtest.Log
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.AllowedOrigins, o.Log = webtest.Origins(t, "https://game.example"), log.Logger()
	})
	for range 3 {
		a.Want(200, "GET", "/v1/rooms", "", "Origin: https://other.example", "Sec-Fetch-Site: cross-site")
		a.Want(403, "POST", "/v1/guest", "", "Origin: https://other.example")
		a.Want(204, "OPTIONS", "/v1/rooms", "", "Origin: https://third.example", "Access-Control-Request-Method: POST")
		a.Want(200, "GET", "/v1/rooms", "", "Origin: https://game.example")                             // allowed
		a.Want(200, "GET", "/sdk/roomring.js", "", "Origin: https://fourth.example")                    // anybody may have it
		a.Want(200, "GET", "/v1/rooms", "", "Origin: "+a.URL)                                           // its own
		a.Want(201, "POST", "/v1/guest", "", "Origin: https://own.test", "Sec-Fetch-Site: same-origin") // behind a proxy that changes the Host
	}
	text := log.String()
	if lines := strings.Count(text, "\n"); lines != 2 || strings.Count(text, "--allowed-origins") != 2 ||
		!strings.Contains(text, "origin=https://other.example") || !strings.Contains(text, "origin=https://third.example") {
		t.Errorf("log:\n%s", text)
	}
	for i := range 300 {
		a.Want(200, "GET", "/v1/games", "", fmt.Sprintf("Origin: https://%d.example/%s", i, strings.Repeat("x", 1000)))
	}
	if text := log.String(); strings.Count(text, "\n") > 100 || len(text) > 100*500 {
		t.Errorf("strangers have made the log %d lines and %d bytes longer", strings.Count(text, "\n"), len(text))
	}
}

func TestOrigins(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.AllowedOrigins = webtest.Origins(t, "https://game.example", "https://*.friends.example", "http://[::1]:3000", "https://Port.example:443",
			"capacitor://localhost", "ionic://localhost", "tauri://localhost", "file://")
	})
	for origin, allowed := range map[string]bool{
		"https://game.example": true, "https://a.friends.example": true, "https://evil.example": false,
		"http://game.example": false, "https://friends.example.evil": false, "null": false, "http://[::1]:3000": true, "http://:": false,
		"https://port.example": true, "https://evil.example/.friends.example": false, "https://gamexexample": false,
		"capacitor://localhost": true, "ionic://localhost": true, "tauri://localhost": true, "file://": true,
		"capacitor://elsewhere": false, "http://localhost": false,
	} {
		status := map[bool]int{true: 201, false: 403}[allowed]
		got := a.Want(status, "POST", "/v1/guest", "", "Origin: "+origin, "Sec-Fetch-Site: cross-site")
		if shared := got.Header.Get("Access-Control-Allow-Origin"); (shared == origin) != allowed {
			t.Errorf("%s: Access-Control-Allow-Origin %q", origin, shared)
		}
		read := a.Want(200, "GET", "/v1/rooms", "", "Origin: "+origin, "Sec-Fetch-Site: cross-site")
		if shared := read.Header.Get("Access-Control-Allow-Origin"); (shared == origin) != allowed {
			t.Errorf("%s: reading: Access-Control-Allow-Origin %q", origin, shared)
		}
	}
	preflight := a.Want(204, "OPTIONS", "/v1/rooms", "", "Origin: https://game.example", "Access-Control-Request-Method: POST")
	if !strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight %v", preflight.Header)
	}
	if got := a.Want(204, "OPTIONS", "/v1/rooms", "", "Origin: https://evil.example"); got.Header.Get("Access-Control-Allow-Headers") != "" {
		t.Error("a stranger's preflight passed")
	}
	a.Want(201, "POST", "/v1/guest", "", "Origin: "+a.URL, "Sec-Fetch-Site: same-origin")
}

func TestBadServerOptions(t *testing.T) {
	for name, edit := range map[string]func(*api.Options){
		"WebSocket":  func(o *api.Options) { o.WebSocket = nil },
		"public URL": func(o *api.Options) { o.PublicURL = "play.example" },
	} {
		opts := webtest.APIOptions(t, webtest.NewRooms(), webtest.NewRecords())
		edit(&opts)
		if _, err := api.New(opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := auth.New(auth.Options{GuestKey: []byte("short")}); err == nil {
		t.Error("a short guest key was taken")
	}
	if _, err := trust.ParseProxies([]string{"10.0.0.0/8", "proxy.example"}); err == nil {
		t.Error("a name was taken for a proxy")
	}
}

func TestHealth(t *testing.T) {
	var reasons []string
	a := webtest.StartAPI(t, func(o *api.Options) { o.Unready = func() []string { return reasons } })
	a.Want(200, "GET", "/livez", "")
	a.Want(200, "GET", "/readyz", "")
	reasons = []string{"the store is away", "draining"}
	if got := a.Refused(503, "", "GET", "/readyz", ""); got.Body["reasons"] != nil || strings.Contains(got.Text, reasons[0]) {
		t.Errorf("strangers are told why: %s", got.Text)
	}
	a.Want(200, "GET", "/livez", "")
}

func TestGames(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	games := a.Want(200, "GET", "/v1/games", "").Body["games"].([]any)
	if len(games) != 2 || games[0].(map[string]any)["name"] != "chess" {
		t.Errorf("games %v", games)
	}
}

func TestEveryAnswerHasItsSafetyHeaders(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	for _, path := range []string{"/", "/v1/rooms", "/nowhere", "/v1/rooms/0123456789abcdef/ws"} {
		h := a.Ask("GET", path, "").Header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	if got := a.Want(http.StatusUpgradeRequired, "GET", "/v1/rooms/0123456789abcdef/ws", ""); !strings.Contains(got.Text, "0123456789abcdef") {
		t.Errorf("the socket's handler was told %q", got.Text)
	}
	if got := a.Want(200, "HEAD", "/v1/rooms", ""); got.Text != "" {
		t.Errorf("HEAD got a body")
	}
}
