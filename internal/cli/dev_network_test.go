package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/slownet"
)

// Each browser has a cookie at the front of dev, and may have a network of its own.
func TestEachBrowserMayHaveANetworkOfItsOwn(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := slownet.Listen(inner)
	clients := newSlowClients(l)
	s := &http.Server{ConnContext: withConn, Handler: clients.note(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })

	ask := func(c *http.Client, cookie *http.Cookie) (took time.Duration, given *http.Cookie) {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+inner.Addr().String(), nil)
		req.RequestURI = ""
		req.Header.Set("Accept", "text/html")
		req.Header.Set("User-Agent", "Mozilla/5.0 Firefox/1")
		if cookie != nil {
			req.AddCookie(cookie)
		}
		begun := time.Now()
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		for _, given = range res.Cookies() {
		}
		return time.Since(begun), given
	}
	ann, bob := &http.Client{Transport: &http.Transport{}}, &http.Client{Transport: &http.Transport{}}
	_, cookie := ask(ann, nil)
	if cookie == nil || cookie.Name != devClientCookie || !cookie.HttpOnly {
		t.Fatalf("the browser is given %v", cookie)
	}
	if err := clients.set(slowRequest{Client: cookie.Value, Lag: "400ms"}); err != nil {
		t.Fatal(err)
	}
	if took, again := ask(ann, cookie); again != nil || took < 200*time.Millisecond {
		t.Errorf("the slow one took %v and is given %v", took, again)
	}
	if n := l.Usual(); n != (slownet.Network{}) {
		t.Errorf("the network of all is %v", n)
	}
	ask(bob, nil)
	status := clients.status()
	if len(status.Clients) != 2 || status.All != "as it is" || status.Clients[0].Own || !status.Clients[1].Own || status.Clients[1].Network != "lag 400ms" || status.Clients[1].Browser != "Firefox" {
		t.Errorf("the page is told %+v", status)
	}
	if err := clients.set(slowRequest{Client: cookie.Value, Usual: true}); err != nil || clients.status().Clients[1].Own {
		t.Errorf("its own is not taken away: %v", err)
	}
	for _, bad := range []slowRequest{{Lag: "fast"}, {Loss: "99%"}, {Slow: "1bit"}, {Client: "nobody"}} {
		if err := clients.set(bad); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for range 2 * maxSlowClients {
		ask(bob, nil)
	}
	if n := len(clients.status().Clients); n > maxSlowClients {
		t.Errorf("%d browsers are remembered", n)
	}
}
