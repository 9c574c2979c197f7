package trust

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Origins are the origins whose pages may use the server from a browser, beside the server's own.
type Origins []originPattern

// originPattern is a serialised origin (RFC 6454, section 6.2) in lower case; a star stands for anything but a slash.
type originPattern struct {
	text string // "*" is every page
	expr *regexp.Regexp
}

var schemeSyntax = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// ParseOrigins reads origins as browsers write them: https://example.org, https://*.example.org, http://localhost:*, those of apps such as
// capacitor://localhost and file://, null, and * for all. The error quotes the first that is wrong and says why.
func ParseOrigins(list []string) (Origins, error) {
	var out Origins
	for _, raw := range list {
		text, err := normalise(raw)
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

// normalise spells an origin as browsers do.
func normalise(raw string) (string, error) {
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
		return text, nil // the apps of a scheme decide what follows it
	}
	if _, err := url.Parse(strings.NewReplacer(":*", ":1", "*", "x").Replace(text)); err != nil {
		return "", errOrigin
	}
	return scheme + "://" + WithoutDefaultPort(scheme, host), nil
}

// WithoutDefaultPort takes the default port of http or https off a host, as browsers do.
func WithoutDefaultPort(scheme, host string) string {
	switch scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// Contains reports whether an origin is one of these.
func (o Origins) Contains(origin string) bool {
	origin = strings.ToLower(origin)
	return slices.ContainsFunc(o, func(p originPattern) bool { return p.text == "*" || p.expr.MatchString(origin) })
}

// Allow reports whether a request comes from a page that may send it, or from no page: then it has no Origin.
func (o Origins) Allow(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.Contains(origin) || SameOrigin(origin, r.Host)
}

// SameOrigin reports whether an origin is the server's own, by the Host of a request. Only origins of http and https have a
// host: the localhost in capacitor://localhost is none.
func SameOrigin(origin, host string) bool {
	u, err := url.Parse(strings.ToLower(origin))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		WithoutDefaultPort(u.Scheme, u.Host) == WithoutDefaultPort(u.Scheme, strings.ToLower(host))
}
