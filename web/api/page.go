package api

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
)

// page serves a page under a policy that lets it load and reach nothing but this server. Where players come by another address
// than the page's, its sockets go there.
func (s *Server) page(name string) rest.Handle {
	reach := assets.Self
	if s.public != nil {
		reach += " " + s.public.Scheme + "://" + s.public.Host + " " + strings.Replace(s.public.Scheme, "http", "ws", 1) + "://" + s.public.Host
	}
	return s.pages.Page(name, reach)
}

// unknownPage leads people who have lost their way to the lobby. Programs, and who asks the API, get the problem.
func (s *Server) unknownPage(w http.ResponseWriter, r *http.Request) {
	page := s.pages["404.html"]
	api := strings.HasPrefix(r.URL.Path+"/", "/v1/") || strings.HasPrefix(r.URL.Path+"/", "/admin/v1/")
	if page == nil || api || negotiate(r.Header.Values("Accept"), "application/problem+json", "text/html") != "text/html" {
		rest.UnknownPath(w, r)
		return
	}
	// The page's links are relative to the lobby, and it may stand at any depth.
	up := strings.Repeat("../", max(strings.Count(r.URL.EscapedPath(), "/"), 1)-1)
	body := bytes.ReplaceAll(page.Plain, []byte(`="./`), []byte(`="./`+up))
	assets.Restrict(w.Header(), assets.Self)
	w.Header().Set("Content-Type", page.Kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusNotFound)
	w.Write(body) // the client has gone if this fails
}
