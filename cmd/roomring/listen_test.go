package main

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	go func() {
		done <- ends.serve(ctx, &node{cfg: &Config{}, log: slog.New(slog.DiscardHandler)}, hangs, says("admin"))
	}()

	at := newReady(freeConfig(), ends)
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
	if err := ends.serve(t.Context(), &node{cfg: &Config{}, log: slog.New(slog.DiscardHandler)}, says("public"), says("admin")); err == nil {
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

// TestCheckReady has a server that tells players that it is not ready and its operator why, if the token is right.
func TestCheckReady(t *testing.T) {
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answers := func(code int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" || r.Header.Get("Authorization") != "" {
				t.Errorf("asked for %s as %q", r.URL.Path, r.Header.Get("Authorization"))
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, text)
		})
	}
	admin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer right" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"send the token"}`)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"title":"not ready","detail":"the store is away"}`)
	})
	operator := httptest.NewServer(admin)
	defer operator.Close()
	unready := httptest.NewServer(answers(http.StatusServiceUnavailable, `{"title":"no","detail":"ask the admin listener"}`))
	defer unready.Close()
	fine := httptest.NewServer(answers(http.StatusOK, `{"status":"ready"}`))
	defer fine.Close()
	ours, theirs := newIssuer(t), newIssuer(t)
	ours.issue()
	theirs.issue()
	own, err := tls.LoadX509KeyPair(ours.at("cert.pem"), ours.at("key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewUnstartedServer(admin)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	secure.StartTLS()
	defer secure.Close()
	for _, test := range []struct {
		at        places
		tokenFile string
		by        *issuer
		says      []string
	}{
		{at: places{unready.URL, operator.URL}, tokenFile: tokenFile, says: []string{"not ready", "the store is away"}},
		{at: places{unready.URL, operator.URL}, says: []string{"not ready", "ask the admin listener", "send the token"}},
		{at: places{unready.URL, operator.URL}, tokenFile: tokenFile + "x", says: []string{"not ready", "--admin-token-file"}},
		{at: places{unready.URL, "http://127.0.0.1:1"}, says: []string{"not ready", "ask the admin listener", "127.0.0.1:1"}},
		{at: places{url: unready.URL}, says: []string{"not ready", "ask the admin listener"}},
		{at: places{"http://127.0.0.1:1", operator.URL}, tokenFile: tokenFile, says: []string{"not reachable"}},
		{at: places{fine.URL, operator.URL}, tokenFile: tokenFile},
		{at: places{unready.URL, secure.URL}, tokenFile: tokenFile, by: ours, says: []string{"not ready", "the store is away"}},
		{at: places{unready.URL, secure.URL}, tokenFile: tokenFile, by: theirs, says: []string{"not ready", "another certificate than --admin-cert-file"}},
		{at: places{unready.URL, secure.URL}, tokenFile: tokenFile, says: []string{"not ready", "certificate"}},
	} {
		cfg := &Config{AdminTokenFile: test.tokenFile}
		if test.by != nil {
			cfg.AdminCertFile, cfg.AdminKeyFile = test.by.at("cert.pem"), test.by.at("key.pem")
		}
		err := cfg.checkReady(t.Context(), test.at)
		if (err == nil) != (test.says == nil) || err != nil && !mentions(err.Error(), test.says...) {
			t.Errorf("%+v: got %v, want %q", test.at, err, test.says)
		}
	}
}

func TestPlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready.json")
	if err := (ready{URL: "http://a", AdminAt: "http://b"}).write(file); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		base string
		cfg  Config
		want places
	}{
		{"http://x/", Config{Listen: ":7777", AdminListen: ":7778", ReadyFile: file}, places{"http://x", ""}},
		{"", Config{Listen: ":0", AdminListen: ":0", ReadyFile: file}, places{"http://a", "http://b"}},
		{"", Config{Listen: ":7777", AdminListen: ":7778", ReadyFile: file + "x"}, places{"http://127.0.0.1:7777", "http://127.0.0.1:7778"}},
		{"", Config{Listen: ":7777", AdminListen: ":0"}, places{"http://127.0.0.1:7777", ""}},
	} {
		if got, err := (&settings{Config: test.cfg}).places(test.base); err != nil || got != test.want {
			t.Errorf("%q, %+v: %+v %v, want %+v", test.base, test.cfg, got, err, test.want)
		}
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
