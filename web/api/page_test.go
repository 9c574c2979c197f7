package api_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
)

var pagePaths = []string{"/", "/lobby", "/play/0123456789abcdef?watch", "/results/0123456789abcdef", "/players/ann", "/leaderboards/chess"}

func TestPagesRunUnderAStrictPolicy(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	for _, path := range pagePaths {
		page := a.Want(200, "GET", path, "")
		policy := page.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(>| [^>]*>[^<])`).MatchString(page.Text) {
			t.Errorf("%s has script or style in it, which its policy %q must not let run", path, policy)
		}
		if page.Header.Get("Cache-Control") != "no-cache" || page.Header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, page.Header)
		}
	}
}

func TestEverythingThatPagesLoadIsThere(t *testing.T) {
	files := webtest.Loads(webtest.StartAPI(t, nil), pagePaths...)
	chunks := 0
	for path, got := range files {
		want := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
		for end, kind := range want {
			if strings.HasSuffix(path, end) && got.Header.Get("Content-Type") != kind {
				t.Errorf("%s is %q", path, got.Header.Get("Content-Type"))
			}
		}
		if strings.Contains(path, "/chunk-") {
			chunks++
			if !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s is not kept: %q", path, got.Header.Get("Cache-Control"))
			}
		}
	}
	if len(files) < 15 || chunks < 4 {
		t.Errorf("only %d files and %d chunks were found", len(files), chunks)
	}
}

func TestWhoHasAFileIsToldSo(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	for _, path := range []string{"/", "/assets/style.css"} {
		got := a.Want(200, "GET", path, "", "Accept-Encoding: gzip")
		tag := got.Header.Get("ETag")
		if got.Header.Get("Content-Encoding") != "gzip" || tag == a.Want(200, "GET", path, "", "Accept-Encoding: identity").Header.Get("ETag") {
			t.Errorf("%s: packed and plain are not told apart: %v", path, got.Header)
		}
		if again := a.Want(304, "GET", path, "", "Accept-Encoding: gzip", "If-None-Match: "+tag); again.Text != "" {
			t.Errorf("%s came again: %d bytes", path, len(again.Text))
		}
	}
	a.Refused(404, "", "GET", "/assets/chunk-GONE.js", "")
	a.Refused(404, "", "GET", "/assets/play.html", "")
	a.Refused(404, "", "GET", "/assets/..%2Fpage.go", "")
}

func TestPagesReachThePublicAddress(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) { o.PublicURL = "https://play.example.org" })
	policy := a.Want(200, "GET", "/play/0123456789abcdef", "").Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "connect-src 'self' https://play.example.org wss://play.example.org;") {
		t.Errorf("policy %q", policy)
	}
}

var link = regexp.MustCompile(`(?:href|src)="([^"#]+)"`)

// leads are where a page's links lead from the path that it is at.
func leads(t *testing.T, path, text string) (out []string) {
	t.Helper()
	at, err := url.Parse("http://host" + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range link.FindAllStringSubmatch(text, -1) {
		to, err := at.Parse(found[1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, to.Path)
	}
	return out
}

// TestWhoLosesTheWayIsLedToTheLobby asks for unknown paths as browsers and as programs do.
func TestWhoLosesTheWayIsLedToTheLobby(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	const browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	for _, path := range []string{"/nowhere", "/play", "/play/", "/play/0123456789abcdef/", "/results", "//", "/x/../", "/admin", "/v10", "/index.html", "/favicon.ico"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			got := a.Want(404, method, path, "", browser)
			if got.Header.Get("Content-Type") != "text/html; charset=utf-8" || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("ETag") != "" {
				t.Errorf("%s %s: %v", method, path, got.Header)
			}
			if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'self';") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s %s: policy %q", method, path, policy)
			}
			if method != "HEAD" && !slices.Contains(leads(t, path, got.Text), "/") {
				t.Errorf("%s %s leads nowhere: %s", method, path, got.Text)
			}
		}
		for _, accept := range []string{"Accept: */*", "Accept: application/json", "Accept: ", "Accept: application/json, text/html;q=0.5, */*;q=0.6", "Accept: text/html;q=0"} {
			a.Refused(404, "", "GET", path, "", accept)
		}
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing", "/v1/rooms/", "/v1//rooms", "/admin/v1", "/admin/v1/nodes", "/v1/rooms/0123456789abcdef", "/assets/gone.js"} {
		a.Refused(404, "", "GET", path, "", browser)
	}
	a.Want(404, "GET", "/nowhere", "", browser, "If-None-Match: *", "Range: bytes=0-1")
	for _, file := range webtest.Asset.FindAllString(a.Want(404, "GET", "/nowhere", "", browser).Text, -1) {
		a.Want(200, "GET", file, "")
	}
	webtest.StartAdmin(t, nil).Refused(404, "", "GET", "/nowhere", "", browser)
}
