//go:build !race

package play_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// clientFrom asks for a guest and opens a socket as a page of another origin does. It returns how both went.
func clientFrom(s *e2e.Server, origin string) (guest int, shared string, socket error) {
	s.T.Helper()
	req, err := http.NewRequest("POST", s.URL+"/v1/guest", nil)
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	_ = res.Body.Close()
	_, socket = (&e2e.Balancer{T: s.T}).Open(http.DefaultClient, s.Create("chess", nil).URL, http.Header{"Origin": {origin}})
	return res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"), socket
}

// TestOriginsOfApps connects from pages of apps. The server lets in the origins that the operator has named, and names the others in the
// log.
func TestOriginsOfApps(t *testing.T) {
	t.Parallel()
	apps := []string{"capacitor://localhost", "ionic://localhost", "tauri://localhost", "file://", "null"}
	for i, named := range apps {
		s := e2e.NewServer(t, "--allowed-origins", named).Start()
		stranger := apps[(i+1)%len(apps)]
		if guest, shared, socket := clientFrom(s, named); guest != http.StatusCreated || shared != named || socket != nil {
			t.Errorf("%s is named: %d, %q, %v", named, guest, shared, socket)
		}
		for range 2 {
			if guest, shared, socket := clientFrom(s, stranger); guest != http.StatusForbidden || shared != "" || socket == nil {
				t.Errorf("%s is not named: %d, %q, %v", stranger, guest, shared, socket)
			}
		}
		testwait.Until(t, "the log names "+stranger, func() bool { return strings.Contains(s.Log.String(), "origin="+stranger) })
		if text := s.Log.String(); strings.Count(text, "--allowed-origins") != 1 {
			t.Errorf("the log names the flag more or less than once:\n%s", text)
		}
	}
}
