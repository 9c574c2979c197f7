package assets_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/roomring/roomring/web/internal/assets"
)

// FuzzOwnFiles asks for anything: what is hidden or no file is never read, and no answer is a failure of the server.
func FuzzOwnFiles(f *testing.F) {
	const secret = "SECRET"
	site, err := assets.ReadSite(nil, fstest.MapFS{
		"a.js": {Data: []byte("fine")}, "b/index.html": {Data: []byte("fine")}, "pipe": {Data: []byte(secret), Mode: fs.ModeNamedPipe | 0o600},
		".env": {Data: []byte(secret)}, "b/.git/config": {Data: []byte(secret)}, ".well/index.html": {Data: []byte(secret)},
	})
	if err != nil {
		f.Fatal(err)
	}
	serve := site.File(assets.Self)
	for _, path := range []string{"/a.js", "/b", "/b/", "/.env", "/b/.git/config", "/b//.git/config", "/b/../.env", "/.well/", "/pipe", "/", "", "/\x00", "/a.js/", "//", "/b/index.html", "/..", "/é"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path}
		has := site.HasFile(path)
		err := serve(w, r)
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("%q reads what is hidden", path)
		}
		if strings.HasPrefix(path, "/") && has != (err == nil) {
			t.Errorf("%q is there: %v, and serving it says %v", path, has, err)
		}
		if to := w.Header().Get("Location"); to != "" && !strings.HasPrefix(to, "./") {
			t.Errorf("%q leads to %q", path, to)
		}
	})
}
