package api

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
)

// page serves a page, one of the program's own before a built-in one.
func (s *Server) page(name string) rest.HandlerFunc { return s.pages.Page(name, s.reach()) }

// reach is what pages may connect to: this server alone, by the page's own address and by the public one.
func (s *Server) reach() string {
	if s.public == nil {
		return assets.Self
	}
	return assets.Self + " " + s.public.Scheme + "://" + s.public.Host + " " + strings.Replace(s.public.Scheme, "http", "ws", 1) + "://" + s.public.Host
}

// taken are the names that paths of the server itself begin with: nobody's own files are served below them.
func (s *Server) taken() []string {
	names := []string{"admin"}
	for _, route := range s.routes() {
		name, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
		if name != "{$}" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// ownFiles serves the files of the program's own pages at paths that the server itself does not have.
func (s *Server) ownFiles(files http.Handler) http.HandlerFunc {
	taken := s.taken()
	return func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if reads && !slices.Contains(taken, first) && s.pages.HasFile(r.URL.Path) {
			files.ServeHTTP(w, r)
			return
		}
		s.unknownPage(w, r)
	}
}

// unknownPage answers unknown paths: browsers with a page that links to the lobby, programs and requests to the API with a problem.
func (s *Server) unknownPage(w http.ResponseWriter, r *http.Request) {
	page, kind := s.pages.Text("404.html")
	api := strings.HasPrefix(r.URL.Path+"/", "/v1/") || strings.HasPrefix(r.URL.Path+"/", "/admin/v1/")
	if page == nil || api || negotiate(r.Header.Values("Accept"), "application/problem+json", "text/html") != "text/html" {
		rest.UnknownPath(w, r)
		return
	}
	// The page's links are relative to the lobby. They are served from paths of any depth.
	up := strings.Repeat("../", max(strings.Count(r.URL.EscapedPath(), "/"), 1)-1)
	html := bytes.ReplaceAll(page, []byte(`="./`), []byte(`="./`+up))
	assets.Restrict(w.Header(), assets.Self)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(html)))
	w.WriteHeader(http.StatusNotFound)
	w.Write(html) // the client has gone if this fails
}
