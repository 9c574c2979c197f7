// Package assets serves built files: pages under a strict policy, and what they are made of.
package assets

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/web/internal/rest"
)

// Files are the files of a folder by name.
type Files map[string]*file

// Read reads all files of a folder, of which nil has none. The error is that of reading.
func Read(from fs.FS) (Files, error) {
	out := Files{}
	if from == nil {
		return out, nil
	}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		out[name] = newFile(d.Name(), data)
		return err
	})
	return out, err
}

// Of are files whose content is made and not read.
func Of(made map[string][]byte) Files {
	out := Files{}
	for name, data := range made {
		out[name] = newFile(name, data)
	}
	return out
}

// Page serves a page under a policy that lets it load what this server has, and connect to reach alone.
func (f Files) Page(name, reach string) rest.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		page := f[name]
		if page == nil {
			return fmt.Errorf("the page %s is not built: run make generate", name)
		}
		Restrict(w.Header(), reach)
		page.Serve(w, r)
		return nil
	}
}

// Self lets a page connect to its own server.
const Self = "'self'"

// Restrict sets the policy of a page, as Page does.
func Restrict(h http.Header, reach string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self'; "+
		"worker-src 'self'; manifest-src 'self'; connect-src "+reach+"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// Part serves a file that pages load. It is named by the path value "file".
func (f Files) Part(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	part := f[name]
	if part == nil || path.Ext(name) == ".html" {
		return rest.NotFound("There is no such file. A page that asks for it is of another version of this server: load it again.")
	}
	part.Serve(w, r)
	return nil
}

// File is one built file.
type file struct {
	Plain   []byte
	Kind    string        // media type
	forever bool          // it never changes: a name of other content is another
	packed  func() packed // packs it when it is first asked for
}

type packed struct {
	sum  string // of the plain content
	gzip []byte // nil where that gains nothing
}

// kinds are media types that must not depend on the mime.types of the machine.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".ts":   "application/typescript; charset=utf-8",
	".json": "application/json",
	".map":  "application/json",
	".txt":  "text/plain; charset=utf-8",
	".md":   "text/markdown; charset=utf-8",
	".xml":  "text/xml; charset=utf-8",
	".wasm": "application/wasm",

	".webmanifest": "application/manifest+json",

	".svg":  "image/svg+xml",
	".png":  "image/png",
	".jpg":  "image/jpeg",
	".jpeg": "image/jpeg",
	".gif":  "image/gif",
	".webp": "image/webp",
	".avif": "image/avif",
	".ico":  "image/vnd.microsoft.icon",

	".woff":  "font/woff",
	".woff2": "font/woff2",
	".ttf":   "font/ttf",
	".otf":   "font/otf",

	".mp3":  "audio/mpeg",
	".ogg":  "audio/ogg",
	".opus": "audio/ogg",
	".wav":  "audio/wav",
	".m4a":  "audio/mp4",
	".mp4":  "video/mp4",
	".webm": "video/webm",
}

// kindOf is the media type of a file. Browsers guess none: see rest.SecurityHeaders.
func kindOf(name string) string {
	end := strings.ToLower(path.Ext(name))
	return cmp.Or(kinds[end], mime.TypeByExtension(end), "application/octet-stream")
}

func newFile(name string, data []byte) *file {
	return &file{Plain: data, Kind: kindOf(name), forever: strings.HasPrefix(name, "chunk-"), packed: sync.OnceValue(func() packed {
		sum := sha256.Sum256(data)
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a known one
		_, _ = z.Write(data)                                  // a buffer takes all
		_ = z.Close()
		p := packed{sum: hex.EncodeToString(sum[:8])}
		if b.Len() < len(data)*9/10 {
			p.gzip = b.Bytes()
		}
		return p
	})}
}

// Serve answers with the file, or 304 when the client has it. Browsers may keep it, and ask each time whether it has changed unless it
// never does.
func (f *file) Serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.Kind)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	packed := f.packed()
	body, tag := f.Plain, packed.sum
	if packed.gzip != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r) {
			body, tag = packed.gzip, tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip reports whether Accept-Encoding allows gzip (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			_, q, _ := strings.Cut(weight, "=")
			return strings.Trim(strings.TrimSpace(q), "0.") != "" || strings.TrimSpace(q) == ""
		}
	}
	return false
}
