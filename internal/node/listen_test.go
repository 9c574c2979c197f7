package node

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/httpd"
)

func freePorts() Options {
	return Options{Config: &Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}}
}

// answering returns a node that only answers on its listeners.
func answering(public, admin http.Handler) *Node {
	n := &Node{cfg: &Config{}, log: slog.New(slog.DiscardHandler)}
	n.web.Store(&web.Server{Players: public, Admin: admin, Connections: httpd.NewConnections(httpd.ConnectionOptions{})})
	return n
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

// TestServeStops checks that serve returns although a request never ends by itself.
func TestServeStops(t *testing.T) {
	listeners, err := listen(t.Context(), freePorts())
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{})
	hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- listeners.serve(ctx, answering(hangs, says("admin")))
	}()

	ready := newReady(freePorts().Config, listeners)
	if code, body := get(t, ready.AdminAt); code != http.StatusOK || body != "admin" {
		t.Errorf("the admin listener answered %d %q", code, body)
	}
	go func() {
		if res, err := http.Get(ready.URL); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-arrived
	cancel()
	if err := testwait.Receive(t, "the server to stop although a request hangs", done); err != nil {
		t.Error(err)
	}
}

// TestServeFails closes a listener while its server runs: serve must return an error.
func TestServeFails(t *testing.T) {
	listeners, err := listen(t.Context(), freePorts())
	if err != nil {
		t.Fatal(err)
	}
	_ = listeners.admin.Close()
	if err := listeners.serve(t.Context(), answering(says("public"), says("admin"))); err == nil {
		t.Error("a server without its admin listener went on as if nothing had happened")
	}
}

func TestListenNamesTheFlag(t *testing.T) {
	listeners, err := listen(t.Context(), freePorts())
	if err != nil {
		t.Fatal(err)
	}
	defer listeners.Close()
	taken := freePorts()
	taken.Config.AdminListen = listeners.public.Addr().String()
	if _, err := listen(t.Context(), taken); err == nil || !strings.HasPrefix(err.Error(), "--admin-listen "+taken.Config.AdminListen) {
		t.Errorf("got %v", err)
	}
}

func TestDialable(t *testing.T) {
	for listen, want := range map[string]string{
		":7777":          "127.0.0.1:7777",
		"0.0.0.0:7777":   "127.0.0.1:7777",
		"[::]:7777":      "127.0.0.1:7777",
		"[::1]:7777":     "[::1]:7777",
		"10.0.0.1:7777":  "10.0.0.1:7777",
		"localhost:7777": "localhost:7777",
	} {
		if got := Dialable(listen); got != want {
			t.Errorf("Dialable(%s) = %s, want %s", listen, got, want)
		}
	}
}
