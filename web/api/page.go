package api

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
)

// page serves a page under a policy that lets it load and reach this server alone: by the page's own address and by the public one.
func (s *Server) page(name string) rest.HandlerFunc {
	reach := assets.Self
	if s.public != nil {
		reach += " " + s.public.Scheme + "://" + s.public.Host + " " + strings.Replace(s.public.Scheme, "http", "ws", 1) + "://" + s.public.Host
	}
	return s.pages.Page(name, reach)
}

// unknownPage answers unknown paths: browsers with a page that links to the lobby, programs and requests to the API with a problem.
func (s *Server) unknownPage(w http.ResponseWriter, r *http.Request) {
	page := s.pages["404.html"]
	api := strings.HasPrefix(r.URL.Path+"/", "/v1/") || strings.HasPrefix(r.URL.Path+"/", "/admin/v1/")
	if page == nil || api || negotiate(r.Header.Values("Accept"), "application/problem+json", "text/html") != "text/html" {
		rest.UnknownPath(w, r)
		return
	}
	// The page's links are relative to the lobby. They are served from paths of any depth.
	up := strings.Repeat("../", max(strings.Count(r.URL.EscapedPath(), "/"), 1)-1)
	html := bytes.ReplaceAll(page.Plain, []byte(`="./`), []byte(`="./`+up))
	assets.Restrict(w.Header(), assets.Self)
	w.Header().Set("Content-Type", page.Kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(html)))
	w.WriteHeader(http.StatusNotFound)
	w.Write(html) // the client has gone if this fails
}
