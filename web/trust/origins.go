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
	return scheme + "://" + WithoutPort(scheme, host), nil
}

// WithoutPort takes off the port that is the scheme's own, as browsers do.
func WithoutPort(scheme, host string) string {
	switch scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

func (o Origins) Has(origin string) bool {
	origin = strings.ToLower(origin)
	return slices.ContainsFunc(o, func(p originPattern) bool { return p.text == "*" || p.expr.MatchString(origin) })
}

// Allow tells whether a request may come from where it does. One without Origin comes from no page.
func (o Origins) Allow(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.Has(origin) || Own(origin, r.Host)
}

// Own reports whether an origin is the server's own, by the Host that it was asked for. Pages of http and https have
// hosts; the localhost of an app's scheme is no host.
func Own(origin, host string) bool {
	u, err := url.Parse(strings.ToLower(origin))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		WithoutPort(u.Scheme, u.Host) == WithoutPort(u.Scheme, strings.ToLower(host))
}
