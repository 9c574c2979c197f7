// Package sdk holds the SDK for browsers and Node as it is built, and serves it. The sources are beside it in
// TypeScript; scripts/sdk builds dist from them.
package sdk

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed dist
var dist embed.FS

// file is one of the SDK's, ready to be sent.
type file struct {
	mediaType   string
	types       string // the name of the file that holds its types
	tag         string
	plain, zips []byte
}

var files = load()

func load() map[string]file {
	entries, err := dist.ReadDir("dist")
	if err != nil {
		panic(err) // it is compiled in
	}
	all := map[string]file{}
	for _, e := range entries {
		data, err := dist.ReadFile(path.Join("dist", e.Name()))
		if err != nil {
			panic(err)
		}
		all[e.Name()] = newFile(e.Name(), data)
	}
	return all
}

func newFile(name string, data []byte) file {
	sum := sha256.Sum256(data)
	f := file{mediaType: "application/typescript; charset=utf-8", tag: hex.EncodeToString(sum[:8]), plain: data, zips: zipped(data)}
	if module, ok := strings.CutSuffix(name, ".js"); ok {
		f.mediaType, f.types = "text/javascript; charset=utf-8", module+".d.ts"
	}
	return f
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a known one
	w.Write(data)                                         // a buffer takes all
	w.Close()
	return b.Bytes()
}

// Serve sends the file of that name, and reports whether there is one. Browsers may keep it and ask each time
// whether it is still the same. Pages of every origin may load it: it is code that anybody may have.
func Serve(w http.ResponseWriter, r *http.Request, name string) bool {
	f, ok := files[name]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Add("Vary", "Accept-Encoding")
	if f.types != "" {
		h.Set("X-TypeScript-Types", "./"+f.types)
	}
	body, tag := f.plain, f.tag
	if takesGzip(r) {
		body, tag = f.zips, f.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	return true
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
