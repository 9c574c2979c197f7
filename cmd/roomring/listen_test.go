package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ceiling bounds every wait of these tests on a busy machine.
const ceiling = 30 * time.Second

func freeConfig() *Config {
	return &Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}
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
	ends, err := listen(t.Context(), freeConfig())
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
	go func() { done <- ends.serve(ctx, slog.New(slog.DiscardHandler), hangs, says("admin")) }()

	at := newReady("n", ends)
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
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(ceiling):
		t.Fatal("a request that hangs keeps the server from stopping")
	}
}

// TestServeFails takes a listener away under a server that is still wanted.
func TestServeFails(t *testing.T) {
	ends, err := listen(t.Context(), freeConfig())
	if err != nil {
		t.Fatal(err)
	}
	_ = ends.admin.Close()
	if err := ends.serve(t.Context(), slog.New(slog.DiscardHandler), says("public"), says("admin")); err == nil {
		t.Error("a server without its admin listener went on as if nothing had happened")
	}
}

func TestListenNamesTheFlag(t *testing.T) {
	ends, err := listen(t.Context(), freeConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer ends.Close()
	cfg := freeConfig()
	cfg.AdminListen = ends.public.Addr().String()
	if _, err := listen(t.Context(), cfg); err == nil || !strings.HasPrefix(err.Error(), "--admin-listen "+cfg.AdminListen) {
		t.Errorf("got %v", err)
	}
}

func TestCheckReady(t *testing.T) {
	ends, err := listen(t.Context(), freeConfig())
	if err != nil {
		t.Fatal(err)
	}
	drains := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"title":"not ready","detail":"the store is away"}`)
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ends.serve(ctx, slog.New(slog.DiscardHandler), drains, says("")) }()
	if err := checkReady(t.Context(), newReady("n", ends).URL); err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
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
		if got := dialable(listen); got != want {
			t.Errorf("dialable(%s) = %s, want %s", listen, got, want)
		}
	}
}
