package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
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

func origins(t testing.TB, list ...string) web.Origins {
	t.Helper()
	out, err := web.ParseOrigins(list)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBadOrigins(t *testing.T) {
	for _, bad := range []string{
		"example.org", "https://[", "https://[::1", "", "https://", "https://game.example/", "https://game.example/path", "https://ann@game.example", "ws://game.example",
		"https://game.example?x", "https://b\u00fccher.example", "://x", "1://x", "nul", "localhost", "https://game .example",
	} {
		if _, err := web.ParseOrigins([]string{"https://fine.example", bad}); err == nil || !strings.Contains(err.Error(), strconv.Quote(bad)) {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

// TestNullIsNamedByItself: what has no origin of its own gets in where the operator says so, and nowhere else.
func TestNullIsNamedByItself(t *testing.T) {
	for list, want := range map[string]int{"null": 201, "*": 201, "https://*": 403, "file://": 403} {
		a := startAPI(t, func(o *web.ServerOptions) { o.AllowedOrigins = origins(t, list) })
		got := a.want(want, "POST", "/v1/guest", "", "Origin: null", "Sec-Fetch-Site: cross-site")
		if shared := got.Header.Get("Access-Control-Allow-Origin"); (shared == "null") != (want == 201) {
			t.Errorf("%s: Access-Control-Allow-Origin %q", list, shared)
		}
	}
}

// TestForeignOriginsAreNamedOnce: the log says which flag a page of another origin lacks, and no page can fill the log.
func TestForeignOriginsAreNamedOnce(t *testing.T) {
	var log logText
	a := startAPI(t, func(o *web.ServerOptions) {
		o.AllowedOrigins, o.Log = origins(t, "https://game.example"), log.logger()
	})
	for range 3 {
		a.want(200, "GET", "/v1/rooms", "", "Origin: https://other.example", "Sec-Fetch-Site: cross-site")
		a.want(403, "POST", "/v1/guest", "", "Origin: https://other.example")
		a.want(204, "OPTIONS", "/v1/rooms", "", "Origin: https://third.example", "Access-Control-Request-Method: POST")
		a.want(200, "GET", "/v1/rooms", "", "Origin: https://game.example")                             // allowed
		a.want(200, "GET", "/sdk/roomring.js", "", "Origin: https://fourth.example")                    // anybody may have it
		a.want(200, "GET", "/v1/rooms", "", "Origin: "+a.url)                                           // its own
		a.want(201, "POST", "/v1/guest", "", "Origin: https://own.test", "Sec-Fetch-Site: same-origin") // behind a proxy that changes the Host
	}
	text := log.String()
	if lines := strings.Count(text, "\n"); lines != 2 || strings.Count(text, "--allowed-origins") != 2 ||
		!strings.Contains(text, "origin=https://other.example") || !strings.Contains(text, "origin=https://third.example") {
		t.Errorf("log:\n%s", text)
	}
	for i := range 300 {
		a.want(200, "GET", "/v1/games", "", fmt.Sprintf("Origin: https://%d.example/%s", i, strings.Repeat("x", 1000)))
	}
	if text := log.String(); strings.Count(text, "\n") > 100 || len(text) > 100*500 {
		t.Errorf("strangers have made the log %d lines and %d bytes longer", strings.Count(text, "\n"), len(text))
	}
}

func TestOrigins(t *testing.T) {
	a := startAPI(t, func(o *web.ServerOptions) {
		o.AllowedOrigins = origins(t, "https://game.example", "https://*.friends.example", "http://[::1]:3000", "https://Port.example:443",
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
		"WebSocket":  func(o *web.ServerOptions) { o.WebSocket = nil },
		"public URL": func(o *web.ServerOptions) { o.PublicURL = "play.example" },
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
	if got := a.refused(503, "", "GET", "/readyz", ""); got.body["reasons"] != nil || strings.Contains(got.text, reasons[0]) {
		t.Errorf("strangers are told why: %s", got.text)
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
