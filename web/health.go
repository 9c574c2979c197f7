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

func (s *Server) getReady(w http.ResponseWriter, _ *http.Request) error {
	reasons := s.opts.Unready()
	if len(reasons) == 0 {
		writeJSON(w, http.StatusOK, statusBody{"ready"})
		return nil
	}
	p := retryLater("unready", "This node should not get traffic: "+strings.Join(reasons, "; ")+".", 0)
	p.Reasons = reasons
	return p
}
