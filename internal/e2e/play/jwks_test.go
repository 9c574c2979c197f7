package play_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// signingKey is a key of an identity provider, and a token signed with it.
type signingKey struct {
	public jose.JSONWebKey
	token  string
}

func newSigningKey(t *testing.T, id string) signingKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: private}, new(jose.SignerOptions).WithHeader("kid", id))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return signingKey{jose.JSONWebKey{Key: public, KeyID: id}, token}
}

// TestKeyBeforeItsPublication connects with tokens whose key is not published yet. If the key is published a moment later, the player
// waits and is let in. If it never is, the player is refused in the end.
func TestKeyBeforeItsPublication(t *testing.T) {
	t.Parallel()
	old, fresh, never := newSigningKey(t, "old"), newSigningKey(t, "fresh"), newSigningKey(t, "never")
	var set atomic.Pointer[jose.JSONWebKeySet]
	set.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{old.public}})
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(set.Load()) }))
	t.Cleanup(provider.Close)
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--jwks-url", provider.URL)...).Start()
	var info e2e.RoomInfo
	testwait.Until(t, "the first keys are fetched", func() bool {
		return s.CallAt(s.URL, "POST", "/v1/rooms", old.token, map[string]any{"game": "chess"}, &info) == http.StatusCreated
	})
	for _, k := range []signingKey{fresh, never} {
		var problem struct{ Type string }
		if code := s.CallAt(s.URL, "POST", "/v1/rooms", k.token, map[string]any{"game": "chess"}, &problem); code != http.StatusServiceUnavailable {
			t.Errorf("HTTP, with a key that may be to come: %d %+v", code, problem)
		}
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "a", Token: k.token}))
		if code, reason, _ := c.Closed(); code != wire.CloseUnreachable {
			t.Errorf("a socket, with a key that may be to come: %d %s", code, reason)
		}
	}
	joined := make(chan error, 1)
	go func() {
		_, err := s.TryJoin(info, client.Options{Token: fresh.token})
		joined <- err
	}()
	set.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{old.public, fresh.public}})
	select {
	case err := <-joined:
		if err != nil {
			t.Errorf("joining while the key is published: %v", err)
		}
	case <-time.After(e2e.Ceiling):
		t.Error("the key is published and still not known")
	}
	testwait.Until(t, "it is certain that there is no such key", func() bool {
		code := s.CallAt(s.URL, "POST", "/v1/rooms", never.token, map[string]any{"game": "chess"}, nil)
		if code != http.StatusServiceUnavailable && code != http.StatusUnauthorized {
			t.Fatalf("a key that is nowhere: %d", code)
		}
		return code == http.StatusUnauthorized
	})
}
