package web

import (
	"net/http"
	"strings"
)

type statusBody struct {
	Status string `json:"status"`
}

// getLive depends on nothing but the process, so that a store that is away restarts no node.
func getLive(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, statusBody{"live"})
	return nil
}

// getReady tells everybody whether and nobody why: reasons name paths, addresses and other nodes.
func (s *Server) getReady(w http.ResponseWriter, _ *http.Request) error {
	if len(s.opts.Unready()) > 0 {
		return retryLater("unready", "This node should not get traffic now. GET /readyz of its admin listener says why.", 0)
	}
	writeJSON(w, http.StatusOK, statusBody{"ready"})
	return nil
}

// getReady tells the operator why as well.
func (a *admin) getReady(w http.ResponseWriter, _ *http.Request) error {
	reasons := a.opts.Unready()
	if len(reasons) > 0 {
		p := retryLater("unready", "This node should not get traffic: "+strings.Join(reasons, "; ")+".", 0)
		p.Reasons = reasons
		return p
	}
	writeJSON(w, http.StatusOK, statusBody{"ready"})
	return nil
}
