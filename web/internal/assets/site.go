package assets

import (
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/roomring/roomring/web/internal/rest"
)

// Site is the built-in pages, with files of somebody's own over and beside them.
type Site struct {
	built Files
	own   own
}

// ReadSite reads the built-in files. Nil has no files. The error is that of reading.
func ReadSite(built, ours fs.FS) (*Site, error) {
	files, err := Read(built)
	return &Site{files, own{from: ours}}, err
}

// Page serves a page under a policy that lets it load what this server has, and connect to reach alone.
func (s *Site) Page(name, reach string) rest.HandlerFunc {
	built := s.built.Page(name, reach)
	return func(w http.ResponseWriter, r *http.Request) error {
		if !s.own.has(name) {
			return built(w, r)
		}
		Restrict(w.Header(), reach)
		return s.own.serve(w, r, name)
	}
}

// BuiltIn is Page that leaves the own files aside.
func (s *Site) BuiltIn(name, reach string) rest.HandlerFunc { return s.built.Page(name, reach) }

// Part serves a file that the built-in pages load. It is named by the path value "file".
func (s *Site) Part(w http.ResponseWriter, r *http.Request) error { return s.built.Part(w, r) }

// Text is a page as it stands, with its media type; nil: there is none.
func (s *Site) Text(name string) (page []byte, kind string) {
	if text, ok := s.own.read(name); ok {
		return text, kindOf(name)
	}
	if page := s.built[name]; page != nil {
		return page.Plain, page.Kind
	}
	return nil, ""
}

// HasFile reports whether there is an own file at the path of a URL, or a folder with a page.
func (s *Site) HasFile(urlPath string) bool {
	name, ok := strings.CutPrefix(urlPath, "/")
	return ok && (s.own.has(name) || s.own.has(indexOf(name)))
}

// File serves the own file at the request's path, under the policy of pages: scripts of workers and pictures have one too. At the path
// of a folder that is its index.html, and no list.
func (s *Site) File(reach string) rest.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch index := indexOf(name); {
		case s.own.has(name):
		case !s.own.has(index):
			return noFile
		case !strings.HasSuffix(name, "/"): // without the slash, the page's relative links would lead beside it
			to := "./" + path.Base(r.URL.EscapedPath()) + "/"
			if r.URL.RawQuery != "" {
				to += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusPermanentRedirect)
			return nil
		default:
			name = index
		}
		Restrict(w.Header(), reach)
		return s.own.serve(w, r, name)
	}
}

func indexOf(folder string) string { return strings.TrimSuffix(folder, "/") + "/index.html" }

// Table says where a game's own table is: its module and its style sheet, relative to the server's address. Empty: there is none.
func (s *Site) Table(game string) (module, style string) {
	if !s.own.has(game + ".js") {
		return "", ""
	}
	if s.own.has(game + ".css") {
		style = game + ".css"
	}
	return game + ".js", style
}

// Unreachable are the names in the own folder that can never be asked for, because the server has them itself.
func (s *Site) Unreachable(taken []string) (names []string) {
	if s.own.from == nil {
		return nil
	}
	entries, _ := fs.ReadDir(s.own.from, ".") // a folder that cannot be listed still has its files
	for _, e := range entries {
		if slices.Contains(taken, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}
