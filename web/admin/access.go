package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strings"

	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/rest"
)

// checkHost turns away requests that call this server by a name that it does not have.
func (a *handler) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !LocalHost(r.Host) && !a.opts.Named(hostName(r.Host)) {
			rest.NewProblem(http.StatusMisdirectedRequest, "wrong-host", "The admin server answers to localhost, IP addresses and the names in its certificate alone.").Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// LocalHost reports whether a request's Host is localhost or an IP address. A stranger may have pointed any other name at this
// address, to reach it by a page of that name (DNS rebinding).
func LocalHost(host string) bool {
	name := hostName(host)
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost"
}

// hostName is a Host without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// checkToken turns away requests without the admin token, if there is one. The page is served to everybody: it holds no secret, and
// asks for the token itself.
func (a *handler) checkToken(next http.Handler) http.Handler {
	if a.opts.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(a.opts.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Path == "/admin/" || strings.HasPrefix(r.URL.Path, "/assets/") && path.Clean(r.URL.Path) == r.URL.Path
		token, err := auth.Bearer(r)
		got := sha256.Sum256([]byte(token))
		if !page && (err != nil || subtle.ConstantTimeCompare(got[:], want[:]) != 1) {
			rest.NewProblem(http.StatusUnauthorized, "unauthorised", "Send the admin token as Authorization: Bearer …").Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
