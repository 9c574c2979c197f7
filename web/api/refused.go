package api

import (
	"net/http"

	"github.com/roomring/roomring/web/internal/rest"
)

// curt is all that somebody hears who does not listen.
func curt(w http.ResponseWriter, last bool) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Retry-After", "1")
	if last {
		h.Set("Connection", "close")
	}
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(curtProblem)
}

var curtProblem = []byte(`{"type":"` + rest.ProblemType + `too-many","title":"Too Many Requests","status":429,"detail":"Too many requests from your address that were refused: pause, then retry."}` + "\n")
