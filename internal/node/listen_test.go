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

// answering is a node that does nothing but answer on its listeners.
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

// TestServeStops has a request under way that never ends by itself, and stops all the same.
func TestServeStops(t *testing.T) {
	ends, err := listen(t.Context(), freePorts())
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
		done <- ends.serve(ctx, answering(hangs, says("admin")))
	}()

	at := newReady(freePorts().Config, ends)
	if code, body := get(t, at.AdminAt); code != http.StatusOK || body != "admin" {
		t.Errorf("the admin listener answered %d %q", code, body)
	}
	go func() {
		if res, err := http.Get(at.URL); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-arrived
	cancel()
	if err := testwait.Receive(t, "the server to stop although a request hangs", done); err != nil {
		t.Error(err)
	}
}

// TestServeFails takes a listener away under a server that is still wanted.
func TestServeFails(t *testing.T) {
	ends, err := listen(t.Context(), freePorts())
	if err != nil {
		t.Fatal(err)
	}
	_ = ends.admin.Close()
	if err := ends.serve(t.Context(), answering(says("public"), says("admin"))); err == nil {
		t.Error("a server without its admin listener went on as if nothing had happened")
	}
}

func TestListenNamesTheFlag(t *testing.T) {
	ends, err := listen(t.Context(), freePorts())
	if err != nil {
		t.Fatal(err)
	}
	defer ends.Close()
	taken := freePorts()
	taken.Config.AdminListen = ends.public.Addr().String()
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
