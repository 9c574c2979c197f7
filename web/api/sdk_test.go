package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/internal/webtest"
)

// sdkServer answers GETs, each checked against the description.
func sdkServer(t *testing.T) func(name string, header ...string) *httptest.ResponseRecorder {
	server, err := api.New(webtest.APIOptions(t, webtest.NewRooms(), webtest.NewRecords()))
	if err != nil {
		t.Fatal(err)
	}
	desc := apitest.Load(t)
	return func(name string, header ...string) *httptest.ResponseRecorder {
		t.Helper()
		r, w := httptest.NewRequest("GET", "/sdk/"+name, nil), httptest.NewRecorder()
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		server.ServeHTTP(w, r)
		if err := desc.Check(r, nil, w.Code, w.Header(), w.Body.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return w
	}
}

func TestSDKIsServedWithItsTypes(t *testing.T) {
	get := sdkServer(t)
	for name, want := range map[string]struct{ mediaType, types, holds string }{
		"roomring.js":        {"text/javascript; charset=utf-8", "./roomring.d.ts", "roomring.v1.json"},
		"roomring-cbor.js":   {"text/javascript; charset=utf-8", "./roomring-cbor.d.ts", "roomring.v1.cbor"},
		"roomring.d.ts":      {"application/typescript; charset=utf-8", "", "export declare class Roomring"},
		"roomring-cbor.d.ts": {"application/typescript; charset=utf-8", "", `from "./roomring.js"`},
	} {
		w := get(name)
		if h := w.Header(); w.Code != 200 || h.Get("Content-Type") != want.mediaType || h.Get("X-Typescript-Types") != want.types {
			t.Errorf("%s: %d %v", name, w.Code, h)
		}
		if !strings.Contains(w.Body.String(), want.holds) {
			t.Errorf("%s lacks %s", name, want.holds)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: pages of other origins may not load it", name)
		}
	}
	for _, name := range []string{"other.js", "package.json", "dist"} {
		if w := get(name); w.Code != 404 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestSDKIsSentOnceAndZipped(t *testing.T) {
	get := sdkServer(t)
	plain, zipped := get("roomring.js"), get("roomring.js", "Accept-Encoding", "br;q=1, gzip;q=0.5")
	if plain.Header().Get("Content-Encoding") != "" || zipped.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("encodings: %v, %v", plain.Header(), zipped.Header())
	}
	if n := zipped.Body.Len(); n > 8<<10 {
		t.Errorf("the JSON build is %d bytes gzipped", n)
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, plain.Body.Bytes()) {
		t.Errorf("zipped is not the same as plain: %v", err)
	}
	if refused := get("roomring.js", "Accept-Encoding", "gzip;q=0.0"); refused.Header().Get("Content-Encoding") != "" {
		t.Error("gzip was refused and sent")
	}
	for _, w := range []*httptest.ResponseRecorder{plain, zipped} {
		h := w.Header()
		if h.Get("ETag") == "" || h.Get("Cache-Control") != "no-cache" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("a cache could not tell: %v", h)
		}
		again := get("roomring.js", "If-None-Match", h.Get("ETag"), "Accept-Encoding", h.Get("Content-Encoding"))
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("asked whether it is still the same: %d", again.Code)
		}
	}
	if plain.Header().Get("ETag") == zipped.Header().Get("ETag") {
		t.Error("two encodings share a strong tag")
	}
}
