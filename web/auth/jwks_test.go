package auth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/webtest"
)

type keyPair struct {
	id      string
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

func newPair(id string) keyPair {
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	return keyPair{id, public, private}
}

func (k keyPair) jwk() jose.JSONWebKey { return jose.JSONWebKey{Key: k.public, KeyID: k.id} }

func (k keyPair) token(t *testing.T) string {
	return sign(t, jose.EdDSA, k.private, k.id, map[string]any{"sub": "ann", "exp": time.Now().Add(100 * time.Hour).Unix()})
}

func TestJWKSAddress(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://id.example/keys": true, "http://127.0.0.1:80/k": true, "http://localhost/k": true, "http://[::1]/k": true,
		"http://id.example/keys": false, "file:///keys": false, "": false, "keys": false,
	} {
		if _, err := auth.NewJWKS(auth.JWKSOptions{URL: url}); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestJWKSOverARealServer(t *testing.T) {
	one, two := newPair("one"), newPair("two")
	var keys atomic.Pointer[[]byte]
	body := jwkJSON(t, one.jwk())
	keys.Store(&body)
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { w.Write(*keys.Load()) })
	jwks, err := auth.NewJWKS(auth.JWKSOptions{URL: webtest.Serve(t, mux) + "/keys", MinGap: time.Nanosecond, Settle: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { jwks.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()

	a := webtest.StartAPI(t, func(o *api.Options) { o.Auth = webtest.NewAuth(t, auth.Options{Keys: jwks}) })
	create := func(k keyPair) webtest.Answer {
		t.Helper()
		return a.Ask("POST", "/v1/rooms", `{"game":"chess"}`, fmt.Sprintf("Authorization: Bearer %s", k.token(t)))
	}
	becomes := func(k keyPair, status int) {
		t.Helper()
		first := create(k)
		if first.StatusCode != status && (first.StatusCode != 503 || first.Header.Get("Retry-After") == "") {
			t.Fatalf("key %s: %d %s", k.id, first.StatusCode, first.Text)
		}
		testwait.Until(t, fmt.Sprint(status), func() bool { return create(k).StatusCode == status })
	}
	if got := create(one); got.StatusCode != 201 {
		t.Fatalf("the key that is there: %d", got.StatusCode)
	}
	if got := create(two); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
		t.Fatalf("a key that may be published yet: %d", got.StatusCode)
	}
	becomes(two, 401)
	body2 := jwkJSON(t, two.jwk())
	keys.Store(&body2)
	becomes(two, 201)
	becomes(one, 401)
}
