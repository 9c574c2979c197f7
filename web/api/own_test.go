package api_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
)

// ownSite serves pages of somebody's own. Their paths are not those that docs/openapi.yaml describes.
func ownSite(t *testing.T, pages fs.FS, edit func(*api.Options)) *webtest.Site {
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.OwnPages = pages
		if edit != nil {
			edit(o)
		}
	})
	a.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return a
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestOwnPagesLieOverTheBuiltInOnes(t *testing.T) {
	a := ownSite(t, fstest.MapFS{
		"index.html": file("<title>ours</title>"), "play.html": file("<title>our table</title>"), "404.html": file(`<a href="./">lost</a>`),
		"about/index.html": file("about"), "a/b/c.json": file("{}"), "chess.js": file("export default {}"), "chess.css": file("p{}"),
		"sound.mp3": file("ID3"), "strange.unheardof": file("?"), "snakes.css": file("p{}"),
	}, nil)
	for path, want := range map[string]string{
		"/": "<title>ours</title>", "/play/0123456789abcdef": "our table", "/lobby": "Pick a game", "/results/0123456789abcdef": "Result · Roomring",
		"/about/": "about", "/a/b/c.json": "{}", "/index.html": "ours", "/assets/style.css": "--ground",
	} {
		got := a.Want(200, "GET", path, "")
		if !strings.Contains(got.Text, want) {
			t.Errorf("%s is %.100q", path, got.Text)
		}
		tag := got.Header.Get("ETag")
		if again := a.Want(304, "GET", path, "", "If-None-Match: "+tag); tag == "" || again.Text != "" {
			t.Errorf("%s came again although its tag is %q", path, tag)
		}
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.Contains(path, "/assets/") && (!strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe")) {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
	for path, kind := range map[string]string{
		"/chess.js": "text/javascript; charset=utf-8", "/a/b/c.json": "application/json", "/sound.mp3": "audio/mpeg", "/strange.unheardof": "application/octet-stream",
	} {
		if got := a.Want(200, "GET", path, "").Header.Get("Content-Type"); got != kind {
			t.Errorf("%s is %q, not %q", path, got, kind)
		}
	}
	if got := a.Want(308, "GET", "/about?x=1", "").Header.Get("Location"); got != "./about/?x=1" {
		t.Errorf("the folder without its slash leads to %q", got)
	}
	if got := a.Want(404, "GET", "/x/y", "", "Accept: text/html").Text; got != `<a href="./../">lost</a>` {
		t.Errorf("lost at /x/y, a browser reads %q", got)
	}
	if got := a.Want(206, "GET", "/sound.mp3", "", "Range: bytes=1-2").Text; got != "D3" {
		t.Errorf("of the sound came %q", got)
	}
	games := a.Want(200, "GET", "/v1/games", "").Body["games"].([]any)
	chess, snakes := games[0].(map[string]any), games[1].(map[string]any)
	if chess["ui"] != "chess.js" || chess["style"] != "chess.css" || snakes["ui"] != nil || snakes["style"] != nil {
		t.Errorf("the tables are told as %v and %v", chess, snakes)
	}
	a.Want(200, "HEAD", "/chess.js", "")
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		a.Want(404, method, "/chess.js", "")
	}
}

// What the server has itself, what is hidden, and lists of folders are not served; the log names what can never be.
func TestOwnPagesAreServedNowhereElse(t *testing.T) {
	var log webtest.Log
	a := ownSite(t, fstest.MapFS{
		"v1/x.js": file("NEVER SERVED"), "sdk/roomring.js": file("NEVER SERVED"), "assets/style.css": file("NEVER SERVED"), "play/x.js": file("NEVER SERVED"), "lobby": file("NEVER SERVED"), "admin/x": file("NEVER SERVED"),
		".env": file("NEVER SERVED"), "a/.git/config": file("NEVER SERVED"), "a/ok.js": file("FINE"), "empty/x.txt": file("FINE"),
	}, func(o *api.Options) { o.Log = log.Logger() })
	for _, path := range []string{
		"/v1/x.js", "/sdk/roomring.js", "/assets/style.css", "/play/x.js", "/lobby", "/admin/x", "/.env", "/a/.git/config", "/a/%2egit/config", "/a", "/a/", "/empty/",
		"/a/../.env", "/a/..%2f.env", "/%2e%2e/%2e%2e/etc/passwd", "/a//ok.js", "/a/ok.js/", "//a/ok.js", "/a\\ok.js", "/a%00", "/a/./ok.js",
	} {
		if got := a.Ask("GET", path, ""); strings.Contains(got.Text, "NEVER SERVED") || got.Text == "FINE" || got.StatusCode == 500 {
			t.Errorf("%s: %d %.60q", path, got.StatusCode, got.Text)
		}
	}
	a.Want(200, "GET", "/a/ok.js", "")
	if text := log.String(); strings.Count(text, "can never be asked for") != 1 || !strings.Contains(text, `names="admin, assets, lobby, play, sdk, v1"`) {
		t.Errorf("the log says %s", text)
	}
}

// A file of a real folder is seen as it is now.
func TestAChangedFileIsSeenAtOnce(t *testing.T) {
	dir := t.TempDir()
	a := ownSite(t, os.DirFS(dir), nil)
	name := filepath.Join(dir, "nim.js")
	a.Want(404, "GET", "/nim.js", "")
	tag := ""
	for i, text := range []string{"let a = 1", "let a = 2"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, time.Unix(int64(1000+i), 5)); err != nil {
			t.Fatal(err)
		}
		got := a.Want(200, "GET", "/nim.js", "", "If-None-Match: "+tag)
		if tag = got.Header.Get("ETag"); got.Text != text || got.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("after a change it is %q, kept as %q", got.Text, got.Header.Get("Cache-Control"))
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	a.Want(404, "GET", "/nim.js", "")
}

// The operator's page loads a game's table from its own listener, before anybody has said the token.
func TestTheAdminListenerHasTablesToo(t *testing.T) {
	a := webtest.StartAdmin(t, func(o *admin.Options) {
		o.Token = "open sesame, please"
		o.OwnPages = fstest.MapFS{"chess.js": file("table"), "metrics": file("NEVER SERVED"), "debug/pprof/x": file("NEVER SERVED"), "v1/x": file("NEVER SERVED")}
	})
	const token = "Authorization: Bearer open sesame, please"
	if got := a.Want(200, "GET", "/admin/v1/rooms/"+string(webtest.RoomID), "", token).Body["ui"]; got != "chess.js" {
		t.Errorf("the table is told as %v", got)
	}
	a.Client = http.DefaultClient
	a.Want(200, "GET", "/chess.js", "")
	for _, path := range []string{"/metrics", "/debug/pprof/x", "/v1/x", "/chess.js/", "//chess.js", "/nothing.js"} {
		a.Want(401, "GET", path, "")
	}
	a.Want(401, "POST", "/chess.js", "")
}

// Who asks what a seat may do must have one.
func TestLegalIsForWhoHasASeat(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	id := string(a.Create(`{"game":"chess"}`))
	a.Refused(401, "", "GET", "/v1/rooms/"+id+"/legal", "")
	a.Refused(401, "", "GET", "/v1/rooms/"+id+"/legal", "", "Authorization: Bearer nonsense")
	guest := a.Want(201, "POST", "/v1/guest", `{}`).Body
	token := "Authorization: Bearer " + guest["token"].(string)
	a.Refused(403, "", "GET", "/v1/rooms/"+id+"/legal", "", token)
	a.Refused(404, "", "GET", "/v1/rooms/0123456789abcdef/legal", "", token)
	a.Refused(400, "id", "GET", "/v1/rooms/no-room/legal", "", token)
}
