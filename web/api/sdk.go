package api

import (
	"net/http"
	"strings"

	"github.com/roomring/roomring/web/internal/rest"
)

// getSDK serves what pages and programs in JavaScript import. Pages of every origin may load it.
func (s *Server) getSDK(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	file := s.sdk[name]
	if file == nil {
		return rest.NotFound("The SDK has no such file: import /sdk/roomring.js or /sdk/roomring-cbor.js.")
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if module, ok := strings.CutSuffix(name, ".js"); ok {
		w.Header().Set("X-TypeScript-Types", "./"+module+".d.ts")
	}
	file.Serve(w, r)
	return nil
}
