//go:build !race

package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/roomring/roomring/web"
)

// keyServer is a JWKS address without a network.
type keyServer struct {
	fetches atomic.Int64
	body    atomic.Pointer[[]byte] // nil: down
}

func (k *keyServer) set(body []byte) { k.body.Store(&body) }

func (k *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.fetches.Add(1)
	body := k.body.Load()
	if body == nil {
		return nil, errors.New("down")
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(*body)), Header: http.Header{}, Request: r}, nil
}

func startJWKS(t *testing.T, k *keyServer) *web.JWKS {
	t.Helper()
	jwks, err := web.NewJWKS(web.JWKSOptions{
		URL: "https://id.example/keys", Interval: time.Hour, MinGap: time.Minute, MaxBytes: 10000, Client: &http.Client{Transport: k},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { jwks.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	synctest.Wait()
	return jwks
}

func TestJWKSRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPair("one"), newPair("two")
		server := &keyServer{}
		server.set(jwkJSON(t, one.jwk()))
		auth := newAuth(t, web.AuthOptions{Keys: startJWKS(t, server)})
		check := func(k keyPair) error { _, err := auth.Check(t.Context(), k.token(t)); return err }

		if err := check(one); err != nil {
			t.Fatal(err)
		}
		if err := check(two); !errors.Is(err, web.ErrUnauthorised) {
			t.Fatalf("unknown key: %v", err)
		}
		server.set(jwkJSON(t, one.jwk(), two.jwk()))
		if err := check(two); !errors.Is(err, web.ErrUnauthorised) || server.fetches.Load() != 1 {
			t.Fatalf("fetched within the gap: %v, %d fetches", err, server.fetches.Load())
		}
		time.Sleep(time.Minute)
		if err := check(two); err != nil || server.fetches.Load() != 2 {
			t.Fatalf("after the gap: %v, %d fetches", err, server.fetches.Load())
		}
		server.set(jwkJSON(t, two.jwk()))
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if err := check(one); !errors.Is(err, web.ErrUnauthorised) {
			t.Fatalf("the withdrawn key: %v", err)
		}
		server.body.Store(nil)
		time.Sleep(10 * time.Hour)
		if err := check(two); err != nil {
			t.Fatalf("the last good key while the server is down: %v", err)
		}
	})
}

func TestJWKSThatIsDownAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newPair("one")
		server := &keyServer{}
		auth := newAuth(t, web.AuthOptions{Keys: startJWKS(t, server)})
		if _, err := auth.Check(t.Context(), one.token(t)); !errors.Is(err, web.ErrNoKeys) {
			t.Fatalf("without keys: %v", err)
		}
		server.set(jwkJSON(t, one.jwk()))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, err := auth.Check(t.Context(), one.token(t)); err != nil {
			t.Fatalf("back after 5 s: %v, %d fetches", err, server.fetches.Load())
		}
	})
}

func TestJWKSAddressStaysOutOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		jwks, err := web.NewJWKS(web.JWKSOptions{
			URL: "https://id.example/keys?key=topsecret", Client: &http.Client{Transport: &keyServer{}}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		jwks.Run(ctx)
		if text := log.String(); strings.Contains(text, "topsecret") || !strings.Contains(text, "down") {
			t.Errorf("log: %s", text)
		}
	})
}

func TestJWKSWithBadContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newPair("one")
		server := &keyServer{}
		server.set(jwkJSON(t, one.jwk(), jose.JSONWebKey{Key: secret(1), KeyID: "published"}))
		auth := newAuth(t, web.AuthOptions{Keys: startJWKS(t, server)})
		forged := sign(t, jose.HS256, secret(1), "published", map[string]any{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()})
		if _, err := auth.Check(t.Context(), forged); !errors.Is(err, web.ErrUnauthorised) {
			t.Errorf("a secret that everybody can fetch: %v", err)
		}
		for _, bad := range []string{"no JSON", `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, strings.Repeat(" ", 20000)} {
			server.set([]byte(bad))
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			if _, err := auth.Check(t.Context(), one.token(t)); err != nil {
				t.Errorf("after %.20q: %v", bad, err)
			}
		}
	})
}
