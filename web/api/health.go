package api

import (
	"net/http"

	"github.com/roomring/roomring/web/internal/rest"
)

// getLive depends on nothing but the process, so that no node is restarted because the store is away.
func getLive(w http.ResponseWriter, _ *http.Request) error {
	rest.WriteJSON(w, http.StatusOK, map[string]string{"status": "live"})
	return nil
}

// getReady does not tell the reasons: they name paths, addresses and other nodes.
func (s *Server) getReady(w http.ResponseWriter, _ *http.Request) error {
	if len(s.opts.Unready()) > 0 {
		return rest.RetryLater("unready", "This node should not get traffic now. GET /readyz of its admin listener says why.", 0)
	}
	rest.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	return nil
}
