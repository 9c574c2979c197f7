package web

import (
	"net/http"

	"github.com/roomring/roomring/web/sdk"
)

// getSDK serves what pages and programs in JavaScript import.
func (s *Server) getSDK(w http.ResponseWriter, r *http.Request) error {
	if !sdk.Serve(w, r, r.PathValue("file")) {
		return notFound("The SDK has no such file: import /sdk/roomring.js or /sdk/roomring-cbor.js.")
	}
	return nil
}
