package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
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

// checkToken turns away requests without the admin token, if there is one. The pages are served to everybody: they hold no secret, and
// ask for the token themselves.
func (a *handler) checkToken(next http.Handler) http.Handler {
	if a.opts.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(a.opts.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Path == "/admin/" || path.Clean(r.URL.Path) == r.URL.Path && (inFolder(r, "/assets/", "/sdk/", "/admin/inspect/") || a.ownFile(r))
		token, err := auth.Bearer(r)
		got := sha256.Sum256([]byte(token))
		if !page && (err != nil || subtle.ConstantTimeCompare(got[:], want[:]) != 1) {
			rest.NewProblem(http.StatusUnauthorized, "unauthorised", "Send the admin token as Authorization: Bearer …").Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func inFolder(r *http.Request, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(r.URL.Path, f) })
}

// taken are the names that paths of this server begin with: nobody's own files are served below them.
var taken = []string{"admin", "assets", "sdk", "v1", "readyz", "metrics", "debug"}

// ownFile reports whether a request is for a file of the program's own pages.
func (a *handler) ownFile(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return reads && !slices.Contains(taken, first) && a.pages.HasFile(r.URL.Path)
}

// ownFiles serves what a game's own table is made of: the page shows rooms with it.
func (a *handler) ownFiles(files http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.ownFile(r) {
			files.ServeHTTP(w, r)
			return
		}
		rest.UnknownPath(w, r)
	}
}
