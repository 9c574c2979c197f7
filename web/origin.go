package web

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// origins is who, beside the server's own pages, may use the API from a browser.
type origins struct {
	patterns []string // such as https://*.example.org; "*" is every page
	csrf     *http.CrossOriginProtection
}

func newOrigins(patterns []string) (*origins, error) {
	for _, p := range patterns {
		_, err := path.Match(p, "")
		scheme, host, found := strings.Cut(p, "://")
		if p != "*" && (err != nil || !found || scheme == "" || host == "" || strings.Contains(host, "/")) {
			return nil, fmt.Errorf("allowed origin %q: give scheme and host alone, such as https://example.org or https://*.example.org", p)
		}
	}
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(http.StatusForbidden, "cross-origin", "Pages of this origin may not do that here: see --allowed-origins.").write(w)
	}))
	return &origins{patterns, csrf}, nil
}

func (o *origins) has(origin string) bool {
	return slices.ContainsFunc(o.patterns, func(p string) bool {
		ok, _ := path.Match(strings.ToLower(p), strings.ToLower(origin))
		return ok || p == "*"
	})
}

// wrap turns away what other pages may not do, and tells browsers what the allowed ones may (the Fetch standard's CORS).
// No credentials are allowed: tokens travel in a header that the page sets itself.
func (o *origins) wrap(next http.Handler) http.Handler {
	guarded := o.csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !o.has(origin) {
			guarded.ServeHTTP(w, r)
			return
		}
		o.allow(w.Header(), origin, r.Method == http.MethodOptions)
		next.ServeHTTP(w, r)
	})
}

func (o *origins) allow(h http.Header, origin string, preflight bool) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if preflight {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600") // seconds
	}
}
