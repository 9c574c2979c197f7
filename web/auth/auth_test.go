package auth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/webtest"
)

// sign makes a token as another library would.
func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	opts := &jose.SignerOptions{}
	if kid != "" {
		opts = opts.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opts)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// signed makes a token of any payload.
func signed(t *testing.T, key ed25519.PrivateKey, payload string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// unsigned makes a token of alg none, which no library would.
func unsigned(claims map[string]any) string {
	body, _ := json.Marshal(claims)
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + enc(body) + "."
}

// swapClaims puts the claims of one token under the signature of another.
func swapClaims(signed, claims string) string {
	s, c := strings.Split(signed, "."), strings.Split(claims, ".")
	return s[0] + "." + c[1] + "." + s[2]
}

func good(change map[string]any) map[string]any {
	c := map[string]any{"sub": "ann", "name": "Ann", "exp": webtest.Now.Add(time.Hour).Unix()}
	maps.Copy(c, change)
	return c
}

func publicPEM(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func authWith(t *testing.T, keys auth.KeySource) *auth.Authenticator {
	return webtest.NewAuth(t, auth.Options{
		Keys: keys, GuestKey: webtest.Secret(9), Issuer: "", Now: func() time.Time { return webtest.Now },
	})
}

func TestTokens(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	_, stranger, _ := ed25519.GenerateKey(rand.Reader)
	file := publicPEM(t, public)
	tokens := authWith(t, webtest.ParseKeys(t, file))
	edDSA := func(claims map[string]any) string { return sign(t, jose.EdDSA, private, "", claims) }
	tests := []struct {
		name, token string
		reason      string // empty: taken
	}{
		{"good", edDSA(good(nil)), ""},
		{"within the leeway", edDSA(good(map[string]any{"exp": webtest.Now.Add(-29 * time.Second).Unix()})), ""},
		{"any key id, as the key has none", sign(t, jose.EdDSA, private, "other", good(nil)), ""},
		{"not yet, within the leeway", edDSA(good(map[string]any{"nbf": webtest.Now.Add(29 * time.Second).Unix()})), ""},
		{"expired", edDSA(good(map[string]any{"exp": webtest.Now.Add(-31 * time.Second).Unix()})), "expired"},
		{"no exp", edDSA(map[string]any{"sub": "ann"}), "no exp"},
		{"exp is text", edDSA(good(map[string]any{"exp": "tomorrow"})), "exp is text: it must be a number"},
		{"exp is text with a number", edDSA(good(map[string]any{"exp": fmt.Sprint(webtest.Now.Add(time.Hour).Unix())})), "exp is text"},
		{"exp beyond numbers", signed(t, private, `{"sub":"ann","exp":1e999}`), "exp is too large a number"},
		{"exp beyond all years", edDSA(good(map[string]any{"exp": 1e300})), ""},
		{"exp with a fraction", edDSA(good(map[string]any{"exp": float64(webtest.Now.Add(time.Hour).Unix()) + 0.5})), ""},
		{"nbf is a list", edDSA(good(map[string]any{"nbf": []int{1}})), "nbf is a list"},
		{"iat is text", edDSA(good(map[string]any{"iat": "now"})), "iat is text"},
		{"not yet", edDSA(good(map[string]any{"nbf": webtest.Now.Add(31 * time.Second).Unix()})), "not valid yet: its nbf"},
		{"made in the future, as a clock that is fast has it", edDSA(good(map[string]any{"iat": webtest.Now.Add(2 * time.Hour).Unix()})), ""},
		{"no sub", edDSA(map[string]any{"exp": webtest.Now.Add(time.Hour).Unix()}), "no sub"},
		{"empty sub", edDSA(good(map[string]any{"sub": ""})), "no sub"},
		{"sub is nothing", edDSA(good(map[string]any{"sub": nil})), "no sub"},
		{"sub is a number", edDSA(good(map[string]any{"sub": 12345})), "sub is a number: it must be text"},
		{"sub of another case", edDSA(map[string]any{"Sub": "ann", "exp": webtest.Now.Add(time.Hour).Unix()}), "no sub"},
		{"long sub", edDSA(good(map[string]any{"sub": strings.Repeat("x", 129)})), "sub is longer than 128 bytes"},
		{"control character in sub", edDSA(good(map[string]any{"sub": "a\x00b"})), "sub holds a control character"},
		{"name is an object", edDSA(good(map[string]any{"name": map[string]any{}})), "name is an object: it must be text"},
		{"room is a number", edDSA(good(map[string]any{"room": 7})), "room is a number: it must be text"},
		{"game is true", edDSA(good(map[string]any{"game": true})), "game is true or false: it must be text"},
		{"iss is a list", edDSA(good(map[string]any{"iss": []string{"me"}})), "iss is a list"},
		{"aud is a number", edDSA(good(map[string]any{"aud": 5})), "aud is a number: it must be text or a list"},
		{"claims that nobody asks for", edDSA(good(map[string]any{"jti": 5, "scope": map[string]any{"x": nil}, "room": nil})), ""},
		{"a claim twice", signed(t, private, `{"sub":"ann","exp":9999999999,"sub":"bob"}`), "a name twice"},
		{"a list for claims", signed(t, private, `["sub"]`), "no JSON object"},
		{"null for claims", signed(t, private, `null`), "no JSON object"},
		{"alg none", unsigned(good(nil)), "algorithm"},
		{"stranger's key", sign(t, jose.EdDSA, stranger, "", good(nil)), "not signed"},
		{"HS256 with the public key as the secret", sign(t, jose.HS256, file, "", good(nil)), "not signed"},
		{"HS256 with the raw public key", sign(t, jose.HS256, []byte(public), "", good(nil)), "not signed"},
		{"the guest key's id with another key", sign(t, jose.EdDSA, private, "roomring-guest", good(nil)), "not signed"},
		{"another's claims", swapClaims(edDSA(good(nil)), edDSA(good(map[string]any{"sub": "bob"}))), "not signed"},
		{"nonsense", "nonsense", "not a JWT"},
		{"empty", "", "not a JWT"},
		{"huge", strings.Repeat("x", 10000), "too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			who, err := tokens.Check(t.Context(), test.token)
			if test.reason == "" {
				if err != nil || who.Player != "ann" || who.Name != "Ann" || who.Guest {
					t.Fatalf("%+v, %v", who, err)
				}
				return
			}
			if !errors.Is(err, auth.ErrUnauthorised) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want one about %q", err, test.reason)
			}
			if len(test.token) > 20 && strings.Contains(err.Error(), test.token[:20]) {
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
}

func TestTokensForOneRoomOrGame(t *testing.T) {
	tokens := authWith(t, webtest.ParseKeys(t, webtest.Secret('k')))
	const here, there = room.ID("0123456789abcdef"), room.ID("fedcba9876543210")
	token := sign(t, jose.HS256, webtest.Secret('k'), "", good(map[string]any{"room": here, "game": "chess"}))
	if who, err := tokens.Admit(t.Context(), token, here, "chess"); err != nil || who.Room != here {
		t.Errorf("the right room: %v", err)
	}
	if _, err := tokens.Admit(t.Context(), token, there, "chess"); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("another room: %v", err)
	}
	if _, err := tokens.Admit(t.Context(), token, here, "snakes"); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("another game: %v", err)
	}
}

func TestIssuerAndAudience(t *testing.T) {
	tokens := webtest.NewAuth(t, auth.Options{
		Keys: webtest.ParseKeys(t, webtest.Secret('k')), Issuer: "me", Audience: "rooms", GuestKey: webtest.Secret(2), Now: func() time.Time { return webtest.Now },
	})
	for _, test := range []struct {
		claims map[string]any
		ok     bool
	}{
		{map[string]any{"iss": "me", "aud": "rooms"}, true},
		{map[string]any{"iss": "me", "aud": []string{"x", "rooms"}}, true},
		{map[string]any{"iss": "me"}, false},
		{map[string]any{"iss": "me", "aud": "x"}, false},
		{map[string]any{"iss": "you", "aud": "rooms"}, false},
		{map[string]any{"aud": "rooms"}, false},
		{map[string]any{"iss": "me", "aud": []string{}}, false},
	} {
		_, err := tokens.Check(t.Context(), sign(t, jose.HS256, webtest.Secret('k'), "", good(test.claims)))
		if (err == nil) != test.ok {
			t.Errorf("%v: %v", test.claims, err)
		}
	}
	if _, token, err := tokens.Guest(""); err != nil {
		t.Error(err)
	} else if _, err := tokens.Check(t.Context(), token); err != nil {
		t.Errorf("a guest needs neither: %v", err)
	}
}

func TestGuests(t *testing.T) {
	tokens := authWith(t, nil)
	who, token, err := tokens.Guest("  Ann\u202e \n of\tGreen\x00 Gables ")
	if err != nil {
		t.Fatal(err)
	}
	if who.Name != "Ann of Green Gables" || !strings.HasPrefix(string(who.Player), "g_") {
		t.Errorf("guest %+v", who)
	}
	got, err := tokens.Check(t.Context(), token)
	if err != nil || got.Player != who.Player || got.Name != who.Name || !got.Guest {
		t.Errorf("checked %+v, %v", got, err)
	}
	if other, _, _ := tokens.Guest(""); other.Player == who.Player || len(other.Name) < 5 {
		t.Errorf("second guest %+v", other)
	}
	without := webtest.NewAuth(t, auth.Options{Keys: webtest.ParseKeys(t, webtest.Secret('k')), Now: func() time.Time { return webtest.Now }})
	if _, err := without.Check(t.Context(), token); !errors.Is(err, auth.ErrUnauthorised) {
		t.Errorf("a guest where there are none: %v", err)
	}
	if _, _, err := without.Guest(""); !errors.Is(err, auth.ErrNoGuests) {
		t.Errorf("made one: %v", err)
	}
	keyless := authWith(t, nil)
	if _, err := keyless.Check(t.Context(), sign(t, jose.HS256, webtest.Secret('k'), "", good(nil))); !errors.Is(err, auth.ErrUnauthorised) {
		t.Errorf("a token without an auth key: %v", err)
	}
	other := webtest.NewAuth(t, auth.Options{GuestKey: webtest.Secret(8), Now: func() time.Time { return webtest.Now }})
	if _, err := other.Check(t.Context(), token); !errors.Is(err, auth.ErrUnauthorised) {
		t.Errorf("another node's guest key: %v", err)
	}
}

func jwkJSON(t *testing.T, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	data, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestKeyFiles(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKCS8PrivateKey(private)
	pkcs8 := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	one, _ := json.Marshal(jose.JSONWebKey{Key: public, KeyID: "a"})
	tests := []struct {
		name string
		file []byte
		alg  jose.SignatureAlgorithm
		key  any
		kid  string
		sign bool
	}{
		{"public PEM", publicPEM(t, public), jose.EdDSA, private, "", false},
		{"private PEM", pkcs8, jose.EdDSA, private, "", true},
		{"two PEMs", append(publicPEM(t, &ecKey.PublicKey), pkcs8...), jose.ES256, ecKey, "", true},
		{"RSA PEM", publicPEM(t, &rsaKey.PublicKey), jose.RS256, rsaKey, "", false},
		{"secret with a line end", []byte("a secret of thirty-two bytes or more\n"), jose.HS256, []byte("a secret of thirty-two bytes or more"), "", true},
		{"base64 secret", []byte("base64:" + base64.StdEncoding.EncodeToString(webtest.Secret(7))), jose.HS256, webtest.Secret(7), "", true},
		{"JWK", one, jose.EdDSA, private, "a", false},
		{"JWK set", jwkJSON(t, jose.JSONWebKey{Key: &ecKey.PublicKey, KeyID: "e"}, jose.JSONWebKey{Key: bytes.Repeat([]byte{3}, 64), KeyID: "h", Algorithm: "HS512"}), jose.HS512, bytes.Repeat([]byte{3}, 64), "h", true},
		{"set with an unknown key", []byte(`{"keys":[{"kty":"XYZ"},` + string(one) + `]}`), jose.EdDSA, private, "a", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, test.file, 0o600); err != nil {
				t.Fatal(err)
			}
			keys, err := auth.ReadKeyFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := authWith(t, keys).Check(t.Context(), sign(t, test.alg, test.key, test.kid, good(nil))); err != nil {
				t.Error(err)
			}
			if keys.CanSign() != test.sign {
				t.Errorf("CanSign is %t", keys.CanSign())
			}
		})
	}
}

func TestBadKeyFiles(t *testing.T) {
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":        {nil, "empty"},
		"short secret": {[]byte("topsecret"), "32 bytes"},
		"short base64": {[]byte("base64:dG9wc2VjcmV0"), "32 bytes"},
		"bad base64":   {[]byte("base64:topsecret!"), "no base64"},
		"broken PEM":   {[]byte("-----BEGIN PUBLIC KEY-----\ntopsecret"), "PEM"},
		"other PEM":    {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("topsecret")}), "ed25519"},
		"bad PEM":      {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("topsecret")}), "cannot be read"},
		"weak RSA":     {publicPEM(t, weak), "2048"},
		"no JWK":       {[]byte(`{"topsecret":1}`), "JWK"},
		"bad JSON":     {[]byte(`{"topsecret`), "JWK"},
		"empty set":    {[]byte(`{"keys":[]}`), "no usable key"},
		"encryption":   {[]byte(`{"kty":"oct","use":"enc","k":"dG9wc2VjcmV0"}`), "use"},
		"guest id":     {jwkJSON(t, jose.JSONWebKey{Key: webtest.Secret(1), KeyID: "roomring-guest"}), "taken by guest"},
		"short HS512":  {jwkJSON(t, jose.JSONWebKey{Key: webtest.Secret(1), Algorithm: "HS512"}), "64 bytes"},
		"alg mix-up":   {jwkJSON(t, jose.JSONWebKey{Key: webtest.Secret(1), Algorithm: "EdDSA"}), "alg"},
	} {
		_, err := auth.ParseKeys(test.file)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one about %q", name, err, test.want)
		} else if strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
	}
}

func TestKeyIDs(t *testing.T) {
	file := jwkJSON(t, jose.JSONWebKey{Key: webtest.Secret(1), KeyID: "one"}, jose.JSONWebKey{Key: webtest.Secret(2), KeyID: "two"})
	tokens := authWith(t, webtest.ParseKeys(t, file))
	for _, test := range []struct {
		kid  string
		key  []byte
		good bool
	}{
		{"one", webtest.Secret(1), true}, {"two", webtest.Secret(2), true}, {"", webtest.Secret(2), true},
		{"one", webtest.Secret(2), false}, {"three", webtest.Secret(1), false}, {"", webtest.Secret(3), false},
	} {
		_, err := tokens.Check(t.Context(), sign(t, jose.HS256, test.key, test.kid, good(nil)))
		if (err == nil) != test.good || err != nil && !errors.Is(err, auth.ErrUnauthorised) {
			t.Errorf("kid %q with key %d: %v", test.kid, test.key[0], err)
		}
	}
}

func TestMint(t *testing.T) {
	keys := webtest.ParseKeys(t, webtest.Secret('k'))
	tokens := webtest.NewAuth(t, auth.Options{Keys: keys, Issuer: "i", Audience: "a", Now: func() time.Time { return webtest.Now }})
	in := auth.Identity{Player: "ann", Name: "Ann", Room: "0123456789abcdef", Game: "chess", Expires: webtest.Now.Add(time.Hour)}
	token, err := keys.Mint(in, "i", "a", webtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tokens.Check(context.Background(), token)
	if err != nil || !out.Expires.Equal(in.Expires) {
		t.Fatalf("%+v, %v", out, err)
	}
	if out.Expires = in.Expires; out != in {
		t.Errorf("minted %+v, checked %+v", in, out)
	}
	for _, bad := range []auth.Identity{{}, {Player: "ann"}, {Player: "a\nb", Expires: webtest.Now}, {Player: "ann", Name: strings.Repeat("x", 65), Expires: webtest.Now}} {
		if _, err := keys.Mint(bad, "", "", webtest.Now); err == nil {
			t.Errorf("minted for %+v", bad)
		}
	}
	public, _, _ := ed25519.GenerateKey(rand.Reader)
	if _, err := webtest.ParseKeys(t, publicPEM(t, public)).Mint(in, "", "", webtest.Now); err == nil {
		t.Error("minted with a public key")
	}
}

func TestGuestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guest.key")
	first, err := auth.GuestKeyFile(path)
	if err != nil || len(first) != 32 {
		t.Fatalf("made %d bytes, %v", len(first), err)
	}
	if again, err := auth.GuestKeyFile(path); err != nil || !bytes.Equal(first, again) {
		t.Errorf("read another key, %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.GuestKeyFile(path); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a damaged file: %v", err)
	}
	if _, err := auth.GuestKeyFile(filepath.Join(path, "nowhere")); err == nil {
		t.Error("made a key where there is no folder")
	}
}

// TestGuestKeysRotate changes the guests' key as an operator does: add it to all nodes, use it on all nodes, remove the old one.
func TestGuestKeysRotate(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	a := webtest.NewAuth(t, auth.Options{GuestKey: old})
	_, token, err := a.Guest("Ann")
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(key []byte, others ...[]byte) {
		t.Helper()
		if err := a.SetGuestKeys(key, others); err != nil {
			t.Fatal(err)
		}
	}
	rotate(fresh, old)
	if _, err := a.Check(t.Context(), token); err != nil {
		t.Errorf("a token of the former key while both are taken: %v", err)
	}
	_, later, err := a.Guest("Bob")
	if err != nil {
		t.Fatal(err)
	}
	rotate(fresh)
	if _, err := a.Check(t.Context(), token); !errors.Is(err, auth.ErrUnauthorised) {
		t.Errorf("a token of a key that was removed: %v", err)
	}
	if who, err := a.Check(t.Context(), later); err != nil || who.Name != "Bob" {
		t.Errorf("a token of the new key: %v %v", who, err)
	}
	if err := a.SetGuestKeys([]byte("short"), nil); err == nil {
		t.Error("a short key was taken")
	}
}
