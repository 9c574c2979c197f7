package web

import (
	"fmt"
	"net/http"
	"path"
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
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "+
			reach()+"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		a.serve(w, r)
		return nil
	}
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
