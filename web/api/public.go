package api

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/trust"
)

// PublicURL is the address that players reach the server by: scheme, host, and perhaps a path that a proxy puts it
// under. Its Path is empty or begins with a slash and ends without one.
type PublicURL struct{ url.URL }

var prefixPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?$`)

// ParsePublicURL reads addresses such as https://play.example.org and https://example.org/games/ring.
func ParsePublicURL(raw string) (PublicURL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return PublicURL{}, errors.New("give an http or https URL of scheme, host and perhaps a path, such as https://play.example.com or https://example.com/games/ring")
	}
	switch path := u.EscapedPath(); {
	case !prefixPath.MatchString(path):
		return PublicURL{}, errors.New("its path may have letters, digits and - . _ ~ between single slashes, such as /games/ring")
	case strings.HasPrefix(path+"/", "/v1/"): // /v1/results/ID would be a page of the prefix and a path of the API
		return PublicURL{}, errors.New("its path may not begin with /v1, where the API's own paths begin")
	}
	return PublicURL{url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: strings.TrimSuffix(u.Path, "/")}}, nil
}

// Origin is what browsers call the origin of pages at this address: without the scheme's own port.
func (u PublicURL) Origin() string {
	return u.Scheme + "://" + trust.WithoutDefaultPort(u.Scheme, u.Host)
}

// underPrefix serves the paths of a mux with a prefix and without, so that it does not matter whether the proxy in front takes the
// prefix off. A path that means something both ways is read as one with the prefix.
func underPrefix(prefix string, mux rest.Mux) http.Handler {
	if prefix == "" {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == prefix { // without the slash, relative links would lead out of it
			to := url.URL{Path: prefix + "/", RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
			return
		}
		if bare := withoutPrefix(prefix, r); bare != nil && (mux.Has(bare) || !mux.Has(r)) {
			r = bare
		}
		mux.ServeHTTP(w, r)
	})
}

// withoutPrefix is the request with the prefix taken off its path; nil when the path does not begin with it.
func withoutPrefix(prefix string, r *http.Request) *http.Request {
	path, found := strings.CutPrefix(r.URL.Path, prefix+"/")
	raw, rawFound := strings.CutPrefix(r.URL.RawPath, prefix+"/")
	if !found || r.URL.RawPath != "" && !rawFound {
		return nil
	}
	out := *r
	out.URL = new(url.URL)
	*out.URL = *r.URL
	out.URL.Path, out.URL.RawPath = "/"+path, ""
	if rawFound {
		out.URL.RawPath = "/" + raw
	}
	return &out
}

// mounted is the path that the program has put the server under: what http.StripPrefix has taken off the path that was asked for.
func mounted(r *http.Request) string {
	asked, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return ""
	}
	prefix, found := strings.CutSuffix(asked.Path, r.URL.Path)
	if !found || !prefixPath.MatchString(prefix) {
		return ""
	}
	return strings.TrimSuffix(prefix, "/")
}

// base is the address by which the client of a request reaches the server. Its Path ends without a slash.
func (s *Server) base(r *http.Request) url.URL {
	if s.public != nil {
		return s.public.URL
	}
	u := url.URL{Scheme: "http", Host: r.Host, Path: mounted(r)}
	if s.opts.TrustedProxies.Secure(r) {
		u.Scheme = "https"
	}
	return u
}
