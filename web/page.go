package web

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// page serves a page under a policy that lets it load and reach nothing but this server.
func (s *Server) page(name string) handle { return servePage(name, s.reach) }

// servePage serves a page that reaches what reach says, and loads what the server itself has.
func servePage(name string, reach func() string) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := pageAssets()[name]
		if a == nil {
			return fmt.Errorf("the page %s is not built: run make generate", name)
		}
		restrict(w.Header(), reach())
		a.serve(w, r)
		return nil
	}
}

// restrict sets the policy of a page.
func restrict(h http.Header, reach string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "+
		reach+"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// unknownPage leads people who have lost their way to the lobby. Programs, and who asks the API, get the problem.
func unknownPage(w http.ResponseWriter, r *http.Request) {
	a := pageAssets()["404.html"]
	api := strings.HasPrefix(r.URL.Path+"/", "/v1/") || strings.HasPrefix(r.URL.Path+"/", "/admin/v1/")
	if a == nil || api || negotiate(r.Header.Values("Accept"), "application/problem+json", "text/html") != "text/html" {
		unknownPath(w, r)
		return
	}
	// The page's links are relative to the lobby, and it may stand at any depth.
	up := strings.Repeat("../", max(strings.Count(r.URL.EscapedPath(), "/"), 1)-1)
	body := bytes.ReplaceAll(a.plain, []byte(`="./`), []byte(`="./`+up))
	restrict(w.Header(), reachSelf())
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusNotFound)
	w.Write(body) // the client has gone if this fails
}

// reachSelf is a page that speaks to its own server alone.
func reachSelf() string { return "'self'" }

// reach is where a page may connect to. Where players come by another address than the page's, sockets go there.
func (s *Server) reach() string {
	reach := reachSelf()
	if s.public != nil {
		reach += " " + s.public.Scheme + "://" + s.public.Host + " " + strings.Replace(s.public.Scheme, "http", "ws", 1) + "://" + s.public.Host
	}
	return reach
}

// getAsset serves what pages are made of.
func getAsset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	a := pageAssets()[name]
	if a == nil || path.Ext(name) == ".html" {
		return notFound("There is no such file. A page that asks for it is of another version of this server: load it again.")
	}
	a.serve(w, r)
	return nil
}
