//go:build !race

package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/webtest"
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

func startJWKS(t *testing.T, k *keyServer) *auth.JWKS {
	t.Helper()
	jwks, err := auth.NewJWKS(auth.JWKSOptions{
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
		one, two, three := newPair("one"), newPair("two"), newPair("three")
		server := &keyServer{}
		server.set(jwkJSON(t, one.jwk()))
		tokens := webtest.NewAuth(t, auth.Options{Keys: startJWKS(t, server)})
		wants := func(what string, k keyPair, want error) {
			t.Helper()
			if _, err := tokens.Check(t.Context(), k.token(t)); !errors.Is(err, want) {
				t.Fatalf("%s: %v after %d fetches, want %v", what, err, server.fetches.Load(), want)
			}
		}
		wants("a key that is there", one, nil)
		wants("a key that is used before it is published", two, auth.ErrNoKeys)
		server.set(jwkJSON(t, one.jwk(), two.jwk()))
		wants("at once again", two, auth.ErrNoKeys)
		time.Sleep(3 * time.Second)
		wants("a moment later", two, nil)

		wants("a key that is nowhere", three, auth.ErrNoKeys)
		time.Sleep(5 * time.Second)
		wants("when it has had its time", three, auth.ErrUnauthorised)
		fetches := server.fetches.Load()
		for range 100 {
			wants("again", three, auth.ErrUnauthorised)
		}
		if more := server.fetches.Load() - fetches; more != 0 {
			t.Errorf("%d fetches for what is known not to be there", more)
		}
		server.set(jwkJSON(t, two.jwk(), three.jwk()))
		time.Sleep(time.Minute)
		wants("published late", three, nil)

		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		wants("the withdrawn key, the first time", one, auth.ErrNoKeys)
		time.Sleep(5 * time.Second)
		wants("the withdrawn key", one, auth.ErrUnauthorised)
		server.body.Store(nil)
		wants("an unknown key while the server is down", newPair("four"), auth.ErrNoKeys)
		time.Sleep(10 * time.Hour)
		wants("the last good key while the server is down", two, nil)
		wants("an unknown key for as long as it is", newPair("four"), auth.ErrNoKeys)
	})
}

// TestJWKSKeyReplacedUnderItsID checks that tokens of the new key are good after one more fetch, and that forgers cause few fetches.
func TestJWKSKeyReplacedUnderItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, renewed, forged := newPair("one"), newPair("one"), newPair("one")
		server := &keyServer{}
		server.set(jwkJSON(t, old.jwk()))
		tokens := webtest.NewAuth(t, auth.Options{Keys: startJWKS(t, server)}) // a fetch a minute
		wants := func(what string, k keyPair, want error) {
			t.Helper()
			if _, err := tokens.Check(t.Context(), k.token(t)); !errors.Is(err, want) {
				t.Fatalf("%s: %v after %d fetches, want %v", what, err, server.fetches.Load(), want)
			}
		}
		wants("a key that is there", old, nil)
		wants("the new key, before it is published", renewed, auth.ErrNoKeys)
		server.set(jwkJSON(t, renewed.jwk()))
		time.Sleep(3 * time.Second)
		wants("the new key", renewed, nil)
		if n := server.fetches.Load(); n != 3 {
			t.Errorf("%d fetches, not one at the start, one in vain and one with the key", n)
		}
		time.Sleep(3 * time.Second)
		wants("the old key", old, auth.ErrUnauthorised)

		fetches := server.fetches.Load()
		for range 600 {
			for range 10 {
				wants("a forged token", forged, auth.ErrUnauthorised)
			}
			wants("the new key meanwhile", renewed, nil)
			time.Sleep(time.Second)
		}
		if n := server.fetches.Load() - fetches; n > 5+11 {
			t.Errorf("%d fetches in ten minutes", n)
		}
		server.set(jwkJSON(t, old.jwk()))
		time.Sleep(time.Minute)
		wants("the old key, which is back", old, nil)
		time.Sleep(90 * time.Minute)
		wants("the new key again, before it is published", renewed, auth.ErrNoKeys)
		server.set(jwkJSON(t, renewed.jwk()))
		time.Sleep(5 * time.Second)
		wants("the new key, which is back", renewed, nil)
	})
}

// TestStrangersCannotMakeItFetch checks that fetches are few however many unknown keys are named, and that a new key is known soon.
func TestStrangersCannotMakeItFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPair("one"), newPair("two")
		server := &keyServer{}
		server.set(jwkJSON(t, one.jwk()))
		tokens := webtest.NewAuth(t, auth.Options{Keys: startJWKS(t, server)}) // a fetch a minute
		for i := range 600 {
			if i == 300 {
				server.set(jwkJSON(t, one.jwk(), two.jwk()))
			}
			for n := range 10 {
				stranger := one
				stranger.id = fmt.Sprint("stranger ", i, " ", n)
				if _, err := tokens.Check(t.Context(), stranger.token(t)); err == nil {
					t.Fatal("a stranger was let in")
				}
			}
			_, err := tokens.Check(t.Context(), two.token(t))
			if i >= 361 && err != nil || i > 5 && i < 300 && errors.Is(err, auth.ErrNoKeys) == errors.Is(err, auth.ErrUnauthorised) {
				t.Fatalf("second %d: the new key: %v", i, err)
			}
			time.Sleep(time.Second)
		}
		if n := server.fetches.Load(); n > 1+5+11 {
			t.Errorf("%d fetches in ten minutes", n)
		}
	})
}

func TestJWKSThatIsDownAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newPair("one")
		server := &keyServer{}
		tokens := webtest.NewAuth(t, auth.Options{Keys: startJWKS(t, server)})
		if _, err := tokens.Check(t.Context(), one.token(t)); !errors.Is(err, auth.ErrNoKeys) {
			t.Fatalf("without keys: %v", err)
		}
		server.set(jwkJSON(t, one.jwk()))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, err := tokens.Check(t.Context(), one.token(t)); err != nil {
			t.Fatalf("back after 5 s: %v, %d fetches", err, server.fetches.Load())
		}
	})
}

func TestJWKSAddressStaysOutOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		jwks, err := auth.NewJWKS(auth.JWKSOptions{
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
		server.set(jwkJSON(t, one.jwk(), jose.JSONWebKey{Key: webtest.Secret(1), KeyID: "published"}))
		tokens := webtest.NewAuth(t, auth.Options{Keys: startJWKS(t, server)})
		forged := sign(t, jose.HS256, webtest.Secret(1), "published", map[string]any{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()})
		if _, err := tokens.Check(t.Context(), forged); !errors.Is(err, auth.ErrNoKeys) { // its key may be to come
			t.Errorf("a secret that everybody can fetch: %v", err)
		}
		time.Sleep(5 * time.Second)
		if _, err := tokens.Check(t.Context(), forged); !errors.Is(err, auth.ErrUnauthorised) {
			t.Errorf("a secret that everybody can fetch: %v", err)
		}
		for _, bad := range []string{"no JSON", `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, strings.Repeat(" ", 20000)} {
			server.set([]byte(bad))
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			if _, err := tokens.Check(t.Context(), one.token(t)); err != nil {
				t.Errorf("after %.20q: %v", bad, err)
			}
		}
	})
}
