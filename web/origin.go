package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// origins is who, beside the server's own pages, may use the API from a browser.
type origins struct {
	any  bool
	list []string
	csrf *http.CrossOriginProtection // nil: every page may
}

func newOrigins(list []string) (*origins, error) {
	o := &origins{any: slices.Contains(list, "*"), csrf: http.NewCrossOriginProtection()}
	o.csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem(http.StatusForbidden, "cross-origin", "Pages of this origin may not do that here: see --allowed-origins.").write(w)
	}))
	for _, origin := range list {
		if origin == "*" {
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return nil, fmt.Errorf("allowed origin %q: give scheme and host alone, such as https://example.org", origin)
		}
		if err := o.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("allowed origin %q: %w", origin, err)
		}
		o.list = append(o.list, origin)
	}
	return o, nil
}

// wrap turns away what other pages may not do, and tells browsers what the allowed ones may (the Fetch standard's CORS).
// No credentials are allowed: tokens travel in a header that the page sets itself.
func (o *origins) wrap(next http.Handler) http.Handler {
	guarded := o.csrf.Handler(next)
	if o.any {
		guarded = next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin != "" && (o.any || slices.Contains(o.list, origin)) {
			o.allow(w.Header(), origin, r.Method == http.MethodOptions)
		}
		guarded.ServeHTTP(w, r)
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
