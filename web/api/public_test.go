package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
)

// TestUnderAPath serves players through a proxy that takes a path off, and through one that leaves it.
func TestUnderAPath(t *testing.T) {
	const browser = "Accept: text/html"
	for _, way := range []struct{ name, before string }{{"taken off", ""}, {"left on", "/games/ring"}} {
		t.Run(way.name, func(t *testing.T) {
			a := webtest.StartAPI(t, func(o *api.Options) { o.PublicURL = "https://example.org/games/ring/" })
			a.Client = &http.Client{CheckRedirect: a.Client.CheckRedirect} // docs/openapi.yaml knows no path before its own
			made := a.Want(201, "POST", way.before+"/v1/rooms", `{"game":"chess"}`)
			id, _ := made.Body["id"].(string)
			if want := "wss://example.org/games/ring/v1/rooms/" + id + "/ws?node=alpha"; made.Body["ws_url"] != want {
				t.Errorf("ws_url %v, not %s", made.Body["ws_url"], want)
			}
			if got := made.Header.Get("Location"); got != "/games/ring/v1/rooms/"+id {
				t.Errorf("Location %q", got)
			}
			if c := made.Cookies()[0]; c.Path != "/games/ring" || !c.Secure {
				t.Errorf("cookie %v", c)
			}
			a.Want(200, "GET", way.before+"/v1/rooms/"+id, "")
			a.Want(426, "GET", way.before+"/v1/rooms/"+id+"/ws", "")
			for _, path := range pagePaths {
				for _, to := range leads(t, "/games/ring"+path, a.Want(200, "GET", way.before+path, "").Text) {
					if !strings.HasPrefix(to, "/games/ring/") {
						t.Errorf("%s leads out of the path: %s", path, to)
					}
				}
			}
			for _, path := range []string{"/nowhere", "/a/b/c/", "/assets/", "/play/"} {
				got := leads(t, "/games/ring"+path, a.Want(404, "GET", way.before+path, "", browser).Text)
				if !slices.Contains(got, "/games/ring/") || !slices.Contains(got, "/games/ring/assets/style.css") {
					t.Errorf("lost at %s, a browser is led to %v", path, got)
				}
			}
			a.Refused(404, "", "GET", way.before+"/v1/nothing", "", browser)
			a.Refused(405, "", "POST", way.before+"/v1/games", "")
		})
	}
	a := webtest.StartAPI(t, func(o *api.Options) { o.PublicURL = "https://example.org/play" }) // as one of its pages is called
	a.Client = &http.Client{CheckRedirect: a.Client.CheckRedirect}
	if got := a.Want(308, "GET", "/play?x=1", "").Header.Get("Location"); got != "/play/?x=1" {
		t.Errorf("without the slash a browser is sent to %q", got)
	}
	for _, path := range []string{"/play/", "/play/0123456789abcdef", "/play/play/0123456789abcdef", "/play/results/0123456789abcdef", "/play/v1/games", "/play/readyz", "/readyz"} {
		a.Want(200, "GET", path, "")
	}
	for _, path := range []string{"/playing/v1/games", "/play//v1/games", "/play/../v1/games", "/play/play/v1/games"} {
		a.Want(404, "GET", path, "")
	}
}
