package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/internal/text"
)

// Key is a key that checks tokens, and may make them. It has one algorithm, so that no token can choose how it is checked (RFC 8725,
// section 3.1).
type Key struct {
	id       string
	alg      jose.SignatureAlgorithm
	verifier any // public half, or the secret
	signer   any // private half, or the secret; nil: it only checks tokens
}

const minRSABits = 2048 // RFC 7518, section 3.3

// minSecrets are how many bytes HMAC secrets must have: as many as the hash (RFC 7518, section 3.2).
var minSecrets = map[jose.SignatureAlgorithm]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64}

// newKey makes a key. Its algorithm goes by its type; a JWK may name another of the same family.
func newKey(material any, id, named string) (Key, error) {
	k := Key{id: id, verifier: material}
	var family []jose.SignatureAlgorithm // the first is the default
	switch m := material.(type) {
	case []byte:
		family, k.signer = []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}, m
	case ed25519.PrivateKey:
		family, k.signer, k.verifier = []jose.SignatureAlgorithm{jose.EdDSA}, m, m.Public()
	case ed25519.PublicKey:
		family = []jose.SignatureAlgorithm{jose.EdDSA}
	case *rsa.PublicKey:
		if m.N.BitLen() < minRSABits {
			return Key{}, fmt.Errorf("an RSA key needs at least %d bits", minRSABits)
		}
		family = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	case *ecdsa.PublicKey:
		family = curveAlgorithm(m)
	}
	if len(family) == 0 {
		return Key{}, fmt.Errorf("a key of type %T is not taken: use Ed25519 or an HMAC secret", material)
	}
	k.alg = family[0]
	if named != "" {
		k.alg = jose.SignatureAlgorithm(named)
	}
	if !slices.Contains(family, k.alg) {
		return Key{}, fmt.Errorf("the key's alg %q does not fit its type", named)
	}
	if secret, ok := material.([]byte); ok && len(secret) < minSecrets[k.alg] {
		return Key{}, fmt.Errorf("an HMAC secret for %s needs at least %d bytes; make one by: openssl rand -hex %[2]d", k.alg, minSecrets[k.alg])
	}
	return k, nil
}

// curveAlgorithm follows RFC 7518, section 3.4: each curve has one algorithm.
func curveAlgorithm(k *ecdsa.PublicKey) []jose.SignatureAlgorithm {
	switch k.Curve.Params().BitSize {
	case 256:
		return []jose.SignatureAlgorithm{jose.ES256}
	case 384:
		return []jose.SignatureAlgorithm{jose.ES384}
	case 521:
		return []jose.SignatureAlgorithm{jose.ES512}
	}
	return nil
}

// Keys are a fixed set of keys.
type Keys struct{ keys []Key }

// Find returns the keys of an id and those without one, or all when the id is empty.
func (k *Keys) Find(_ context.Context, id string) ([]Key, error) { return matching(k.keys, id), nil }

func matching(keys []Key, id string) []Key {
	if id == "" {
		return keys
	}
	var out []Key
	for _, k := range keys {
		if k.id == id || k.id == "" {
			out = append(out, k)
		}
	}
	return out
}

// CanSign reports whether one of the keys can make tokens.
func (k *Keys) CanSign() bool { return slices.ContainsFunc(k.keys, Key.canSign) }

func (k Key) canSign() bool { return k.signer != nil }

// ReadKeyFile reads keys as ParseKeys does. Errors name the file and never quote what is in it.
func ReadKeyFile(path string) (*Keys, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("auth key: %w", err)
	}
	keys, err := ParseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("auth key %s: %w", path, err)
	}
	return keys, nil
}

// GuestKeyFile reads the key that signs guest tokens, or makes it when there is none, so that tokens outlive a restart. The folder must
// exist and belong to this process alone.
func GuestKeyFile(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) != guestKeySize {
		return nil, fmt.Errorf("guest key %s: it has %d bytes in place of %d; remove it to have a new one made (guests lose their names)", path, len(key), guestKeySize)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, guestKeySize)
	rand.Read(key)
	fresh := path + ".new" // renamed when it is whole, so that a crash leaves no half of a key
	if err := os.WriteFile(fresh, key, 0o600); err != nil {
		return nil, err
	}
	return key, os.Rename(fresh, path)
}

const guestKeySize = 32 // bytes

// ParseKeys reads the content of a key file, which is one of:
//   - PEM: one or more public or private Ed25519 keys (or public RSA or ECDSA keys, as of an identity provider);
//   - JSON: a JWK or a JWK set (RFC 7517);
//   - "base64:" and an HMAC secret in base64;
//   - anything else: an HMAC secret as it stands, without the line end.
func ParseKeys(data []byte) (*Keys, error) {
	trimmed := bytes.TrimSpace(data)
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("the file is empty")
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN ")):
		return parsePEM(trimmed)
	case trimmed[0] == '{':
		return parseJWKs(trimmed)
	}
	if text, found := bytes.CutPrefix(trimmed, []byte("base64:")); found {
		secret, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(string(text), "="))
		if err != nil {
			return nil, errors.New("what follows base64: is no base64")
		}
		return oneKey(secret)
	}
	return oneKey(bytes.TrimRight(data, "\r\n"))
}

func oneKey(material any) (*Keys, error) {
	k, err := newKey(material, "", "")
	if err != nil {
		return nil, err
	}
	return &Keys{[]Key{k}}, nil
}

func parsePEM(data []byte) (*Keys, error) {
	var out Keys
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		material, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		k, err := newKey(material, "", "")
		if err != nil {
			return nil, err
		}
		out.keys, data = append(out.keys, k), rest
	}
	if len(out.keys) == 0 {
		return nil, errors.New("the PEM cannot be read")
	}
	return &out, nil
}

func parseBlock(block *pem.Block) (material any, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		material, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "PRIVATE KEY":
		material, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("PEM %q is not taken: make a key by: openssl genpkey -algorithm ed25519", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("PEM %q cannot be read", block.Type)
	}
	return material, nil
}

// parseJWKs takes a JWK or a JWK set. It ignores keys of a set that are for other uses or of unknown types (RFC 7517, section 5). It is
// an error when none is left.
func parseJWKs(data []byte) (*Keys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(data, &set) != nil {
		return nil, errors.New("the JSON is no JWK or JWK set")
	}
	if set.Keys == nil {
		k, err := parseJWK(data)
		if err != nil {
			return nil, err
		}
		return &Keys{[]Key{k}}, nil
	}
	var out Keys
	var last error
	for _, raw := range set.Keys {
		if k, err := parseJWK(raw); err == nil {
			out.keys = append(out.keys, k)
		} else {
			last = err
		}
	}
	if len(out.keys) == 0 {
		return nil, errors.Join(errors.New("the JWK set holds no usable key"), last)
	}
	return &out, nil
}

func parseJWK(raw []byte) (Key, error) {
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(raw) != nil {
		return Key{}, errors.New("a JWK cannot be read")
	}
	if jwk.Use != "" && jwk.Use != "sig" {
		return Key{}, fmt.Errorf("a JWK is for use %q, not sig", jwk.Use)
	}
	if jwk.KeyID == guestKeyID {
		return Key{}, fmt.Errorf("the key id %s is taken by guest tokens", guestKeyID)
	}
	return newKey(jwk.Key, jwk.KeyID, jwk.Algorithm)
}

// Mint makes a token for who, signed by the first key that can sign. Expires must be set. Issuer and audience may be empty. The
// error says what is missing.
func (k *Keys) Mint(who Identity, issuer, audience string, now time.Time) (string, error) {
	i := slices.IndexFunc(k.keys, Key.canSign)
	if i < 0 {
		return "", errors.New("these keys can only check tokens: making one needs a private key or an HMAC secret")
	}
	return k.keys[i].mint(who, issuer, audience, now)
}

func (k Key) mint(who Identity, issuer, audience string, now time.Time) (string, error) {
	switch {
	case !text.Valid(string(who.Player), 1, room.MaxPlayerID):
		return "", errors.New("a player id is 1 to 128 bytes of printable UTF-8")
	case !text.Valid(who.Name, 0, text.MaxName):
		return "", errors.New("a player's name is at most 64 bytes of printable UTF-8")
	case who.Expires.IsZero():
		return "", errors.New("a token needs an end")
	}
	opts := (&jose.SignerOptions{}).WithType("JWT")
	if k.id != "" {
		opts = opts.WithHeader("kid", k.id)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.signer}, opts)
	if err != nil {
		return "", errors.New("the key cannot sign")
	}
	c := claims{Name: who.Name, Room: string(who.Room), Game: who.Game}
	c.Subject, c.Issuer = string(who.Player), issuer
	c.Expiry, c.IssuedAt = jwt.NewNumericDate(who.Expires), jwt.NewNumericDate(now)
	if audience != "" {
		c.Audience = jwt.Audience{audience}
	}
	return jwt.Signed(signer).Claims(c).Serialize()
}
