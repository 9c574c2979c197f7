package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// The pages are static: what they show comes from the API. They are built from pages/src, and committed, so that
// building the server needs Go alone: scripts/pages makes them.
//
//go:embed pages/dist
var built embed.FS

// asset is one built file.
type asset struct {
	plain, packed []byte // packed is gzip; nil where that gains nothing
	kind          string // media type
	sum           string
	forever       bool // its name changes with its content
}

// assets are the built files by name. They are hashed and packed once a process.
var assets = sync.OnceValue(func() map[string]*asset {
	out := map[string]*asset{}
	err := fs.WalkDir(built, "pages/dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := built.ReadFile(name)
		out[strings.TrimPrefix(name, "pages/dist/")] = newAsset(d.Name(), data)
		return err
	})
	if err != nil {
		panic(err) // an embedded file can always be read
	}
	return out
})

// kinds are said here and not left to the machine's mime.types.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newAsset(name string, data []byte) *asset {
	sum := sha256.Sum256(data)
	kind, known := kinds[path.Ext(name)]
	if !known {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	a := &asset{plain: data, kind: kind, sum: hex.EncodeToString(sum[:8]), forever: strings.HasPrefix(name, "chunk-")}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err == nil && z.Close() == nil && b.Len() < len(data)*9/10 {
		a.packed = b.Bytes()
	}
	return a
}

// serve answers with the file, or 304 to who has it.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache")
	if a.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := a.plain, a.sum
	if a.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			body, tag = a.packed, tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// page serves a page under a policy that lets it load and reach nothing but this server.
func (s *Server) page(name string) handle { return servePage(name, s.reach) }

// servePage serves a page that reaches what reach says, and loads what the server itself has.
func servePage(name string, reach func() string) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := assets()[name]
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
	a := assets()[name]
	if a == nil || path.Ext(name) == ".html" {
		return notFound("There is no such file. A page that asks for it is of another version of this server: load it again.")
	}
	a.serve(w, r)
	return nil
}
