package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// The pages and the SDK are built from sources in TypeScript beside them, and committed, so that building the server
// needs Go alone: scripts/pages and scripts/sdk make them.
//
//go:embed pages/dist sdk/dist/*.js sdk/dist/*.ts
var built embed.FS

// asset is one built file.
type asset struct {
	plain, packed []byte // packed is gzip; nil where that gains nothing
	kind          string // media type
	sum           string
	forever       bool // its name changes with its content
}

// pageAssets and sdkAssets are the built files by name. They are hashed and packed once a process.
var (
	pageAssets = sync.OnceValue(func() map[string]*asset { return assetsOf("pages/dist") })
	sdkAssets  = sync.OnceValue(func() map[string]*asset { return assetsOf("sdk/dist") })
)

func assetsOf(folder string) map[string]*asset {
	out := map[string]*asset{}
	err := fs.WalkDir(built, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := built.ReadFile(name)
		out[strings.TrimPrefix(name, folder+"/")] = newAsset(d.Name(), data)
		return err
	})
	if err != nil {
		panic(err) // an embedded file can always be read
	}
	return out
}

// kinds are said here and not left to the machine's mime.types.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".ts":   "application/typescript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newAsset(name string, data []byte) *asset {
	sum := sha256.Sum256(data)
	kind, known := kinds[path.Ext(name)]
	if !known {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	a := &asset{plain: data, kind: kind, sum: hex.EncodeToString(sum[:8]), forever: strings.HasPrefix(name, "chunk-")}
	if packed := pack(data); len(packed) < len(data)*9/10 {
		a.packed = packed
	}
	return a
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a known one
	_, _ = z.Write(data)                                  // a buffer takes all
	_ = z.Close()
	return b.Bytes()
}

// serve answers with the file, or 304 to who has it. Browsers may keep it and ask each time whether it is still the
// same, or for ever.
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
		if takesGzip(r) {
			body, tag = a.packed, tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3). A client that names gzip only to refuse it gets it plain.
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
