package web

import (
	"net/http"
	"strings"
)

// getSDK serves what pages and programs in JavaScript import. Pages of every origin may load it: it is code that
// anybody may have.
func (s *Server) getSDK(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	a := sdkAssets()[name]
	if a == nil {
		return notFound("The SDK has no such file: import /sdk/roomring.js or /sdk/roomring-cbor.js.")
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if module, ok := strings.CutSuffix(name, ".js"); ok {
		w.Header().Set("X-TypeScript-Types", "./"+module+".d.ts")
	}
	a.serve(w, r)
	return nil
}
