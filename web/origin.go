package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Origins are the origins whose pages may use the server from a browser, beside its own.
type Origins []originPattern

// originPattern is a serialised origin (RFC 6454, section 6.2) in lower case; a star stands for anything but a slash.
type originPattern struct {
	text string // "*": every page
	expr *regexp.Regexp
}

var schemeSyntax = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// ParseOrigins reads origins as browsers write them: https://example.org, https://*.example.org, those that apps are served
// from, such as capacitor://localhost, file:// and null, and * for all. The error quotes the one that is wrong and says why.
func ParseOrigins(list []string) (Origins, error) {
	var out Origins
	for _, raw := range list {
		text, err := originText(raw)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", raw, err)
		}
		parts := strings.Split(text, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		out = append(out, originPattern{text, regexp.MustCompile("^" + strings.Join(parts, "[^/]*") + "$")})
	}
	return out, nil
}

var errOrigin = errors.New("give scheme and host alone, such as https://example.com, capacitor://localhost, file://, null, or * for all")

// originText is an origin as browsers spell it.
func originText(raw string) (string, error) {
	text := strings.ToLower(raw)
	if text == "*" || text == "null" {
		return text, nil
	}
	scheme, host, found := strings.Cut(text, "://")
	web := scheme == "http" || scheme == "https"
	switch {
	case !found || !schemeSyntax.MatchString(scheme):
		return "", errOrigin
	case scheme == "ws" || scheme == "wss":
		return "", errors.New("this is the origin of pages, not of sockets: it begins with http:// or https://")
	case strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("browsers write such a name in ASCII, beginning with xn--: give it so")
	case strings.ContainsAny(host, `/\?#@`), web && host == "":
		return "", errOrigin
	}
	if !web {
		return text, nil // what the scheme's app says
	}
	if _, err := url.Parse(strings.ReplaceAll(text, "*", "x")); err != nil {
		return "", errOrigin
	}
	return scheme + "://" + withoutPort(scheme, host), nil
}

// withoutPort takes off the port that is the scheme's own, as browsers do.
func withoutPort(scheme, host string) string {
	switch scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

func (o Origins) has(origin string) bool {
	origin = strings.ToLower(origin)
	return slices.ContainsFunc(o, func(p originPattern) bool { return p.text == "*" || p.expr.MatchString(origin) })
}

// allow tells whether a request may come from where it does. One without Origin comes from no page.
func (o Origins) allow(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.has(origin) || ownOrigin(origin, r.Host)
}

// ownOrigin reports whether an origin is the server's own, by the Host that it was asked for. Pages of http and https have
// hosts; the localhost of an app's scheme is no host.
func ownOrigin(origin, host string) bool {
	u, err := url.Parse(strings.ToLower(origin))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		withoutPort(u.Scheme, u.Host) == withoutPort(u.Scheme, strings.ToLower(host))
}

// sharing lets the pages of other origins use a server, or keeps them from it.
type sharing struct {
	with  Origins
	csrf  *http.CrossOriginProtection
	told  *seldom // the origins that the log has named; nil: it names none
	log   *slog.Logger
	clock func() time.Time
}

// maxForeignOrigins bounds how many origins the log names, and the memory of them.
const maxForeignOrigins = 100

// newSharing is for the server that a list of allowed origins belongs to. Without a log no origin is named.
func newSharing(with Origins, log *slog.Logger) *sharing {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(http.StatusForbidden, "cross-origin", "Pages of this origin may not do that here: see --allowed-origins.").write(w)
	}))
	return &sharing{with: with, csrf: csrf, told: newSeldom(maxForeignOrigins), log: log, clock: time.Now}
}

// wrap turns away what other pages may not do, and tells browsers what the allowed ones may (the Fetch standard's CORS).
// No credentials are allowed: tokens travel in a header that the page sets itself.
func (s *sharing) wrap(next http.Handler) http.Handler {
	guarded := s.csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !s.with.has(origin) {
			guarded.ServeHTTP(w, r)
			s.name(w.Header(), r, origin)
			return
		}
		s.allow(w.Header(), origin, r.Method == http.MethodOptions)
		next.ServeHTTP(w, r)
	})
}

// name says in the log what a browser says to nobody but the page's author: that this origin's pages may not read the answer.
func (s *sharing) name(h http.Header, r *http.Request, origin string) {
	own := r.Header.Get("Sec-Fetch-Site") == "same-origin" || ownOrigin(origin, r.Host)
	if s.log == nil || origin == "" || own || h.Get("Access-Control-Allow-Origin") != "" {
		return
	}
	origin = origin[:min(len(origin), 200)]
	if s.told.first(origin, s.clock(), time.Hour) {
		s.log.Warn("a page of another origin was turned away: if it is yours, add its origin to --allowed-origins", "origin", origin)
	}
}

func (s *sharing) allow(h http.Header, origin string, preflight bool) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if preflight {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600") // seconds
	}
}
