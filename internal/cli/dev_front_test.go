package cli

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTheFrontRefusesLargeBodies checks that the front distinguishes a body that is too long from a node that is away.
func TestTheFrontRefusesLargeBodies(t *testing.T) {
	t.Parallel()
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }))
	away := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(node.Close)
	away.Close()
	for at, codes := range map[string][2]int{
		node.URL: {http.StatusCreated, http.StatusRequestEntityTooLarge},
		away.URL: {http.StatusServiceUnavailable, http.StatusRequestEntityTooLarge},
	} {
		front := Balance(func(*http.Request) []string { return []string{at} })
		for i, size := range []int{maxDevBody, maxDevBody + 1} {
			w := httptest.NewRecorder()
			front.ServeHTTP(w, httptest.NewRequest("POST", "/v1/rooms", strings.NewReader(strings.Repeat("x", size))))
			if w.Code != codes[i] {
				t.Errorf("%d bytes: %d %s, want %d", size, w.Code, w.Body, codes[i])
			}
		}
	}
}
