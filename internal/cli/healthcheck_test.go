package cli

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/internal/testcert"
)

// mentions reports whether a text has all the words.
func mentions(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// TestCheckReady checks a server that tells players only that it is not ready, and tells the operator why if the token is right.
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
	ours, theirs := testcert.NewIssuer(t), testcert.NewIssuer(t)
	ours.Issue()
	theirs.Issue()
	own, err := tls.LoadX509KeyPair(ours.At("cert.pem"), ours.At("key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewUnstartedServer(admin)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	secure.StartTLS()
	defer secure.Close()
	for _, test := range []struct {
		at        serverURLs
		tokenFile string
		by        *testcert.Issuer
		says      []string
	}{
		{at: serverURLs{unready.URL, operator.URL}, tokenFile: tokenFile, says: []string{"not ready", "the store is away"}},
		{at: serverURLs{unready.URL, operator.URL}, says: []string{"not ready", "ask the admin listener", "send the token"}},
		{at: serverURLs{unready.URL, operator.URL}, tokenFile: tokenFile + "x", says: []string{"not ready", "--admin-token-file"}},
		{at: serverURLs{unready.URL, "http://127.0.0.1:1"}, says: []string{"not ready", "ask the admin listener", "127.0.0.1:1"}},
		{at: serverURLs{url: unready.URL}, says: []string{"not ready", "ask the admin listener"}},
		{at: serverURLs{"http://127.0.0.1:1", operator.URL}, tokenFile: tokenFile, says: []string{"not reachable"}},
		{at: serverURLs{fine.URL, operator.URL}, tokenFile: tokenFile},
		{at: serverURLs{unready.URL, secure.URL}, tokenFile: tokenFile, by: ours, says: []string{"not ready", "the store is away"}},
		{at: serverURLs{unready.URL, secure.URL}, tokenFile: tokenFile, by: theirs, says: []string{"not ready", "its certificate differs from --admin-cert-file"}},
		{at: serverURLs{unready.URL, secure.URL}, tokenFile: tokenFile, says: []string{"not ready", "certificate"}},
	} {
		s := &settings{Config: node.Config{AdminTokenFile: test.tokenFile}}
		if test.by != nil {
			s.AdminCertFile, s.AdminKeyFile = test.by.At("cert.pem"), test.by.At("key.pem")
		}
		err := s.checkReady(t.Context(), test.at)
		if (err == nil) != (test.says == nil) || err != nil && !mentions(err.Error(), test.says...) {
			t.Errorf("%+v: got %v, want %q", test.at, err, test.says)
		}
	}
}

func TestPlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready.json")
	text, err := json.Marshal(node.Ready{URL: "http://a", AdminAt: "http://b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		base string
		cfg  node.Config
		want serverURLs
	}{
		{"http://x/", node.Config{Listen: ":7777", AdminListen: ":7778", ReadyFile: file}, serverURLs{"http://x", ""}},
		{"", node.Config{Listen: ":0", AdminListen: ":0", ReadyFile: file}, serverURLs{"http://a", "http://b"}},
		{"", node.Config{Listen: ":7777", AdminListen: ":7778", ReadyFile: file + "x"}, serverURLs{"http://127.0.0.1:7777", "http://127.0.0.1:7778"}},
		{"", node.Config{Listen: ":7777", AdminListen: ":0"}, serverURLs{"http://127.0.0.1:7777", ""}},
	} {
		if got, err := (&settings{Config: test.cfg}).findServer(test.base); err != nil || got != test.want {
			t.Errorf("%q, %+v: %+v %v, want %+v", test.base, test.cfg, got, err, test.want)
		}
	}
}
