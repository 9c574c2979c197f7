// Package auth knows who is let in: it checks the tokens of players and makes guests.
package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/internal/text"
)

// Identity is who a checked token says its bearer is.
type Identity struct {
	Player  room.PlayerID
	Name    string  // for people; may be empty
	Guest   bool    // this node made the player up
	Room    room.ID // not empty: good for this room alone
	Game    string  // not empty: good for this game alone
	Expires time.Time
}

// Errors of Auth. They wrap a reason that says which rule was broken and never quote the token.
var (
	// ErrUnauthorised says that a token proves nothing: malformed, expired, or not signed by a known key.
	ErrUnauthorised = errors.New("unauthorised")
	// ErrForbidden says that a token is genuine and yet not good for what was asked.
	ErrForbidden = errors.New("forbidden")
	// ErrNoKeys says that the key a token names is not known yet, so the token cannot be judged: retry.
	ErrNoKeys = errors.New("the token's key is not known here yet: retry")
)

func unauthorised(reason string) error { return fmt.Errorf("%w: %s", ErrUnauthorised, reason) }

func forbidden(reason string) error { return fmt.Errorf("%w: %s", ErrForbidden, reason) }

// KeySource finds the keys a token may be signed by. It may block until ctx ends.
type KeySource interface {
	// Find returns the keys that a token naming this key id could mean: those of that id and those
	// without one, or all when the token names none. The error is ErrNoKeys when nobody can tell.
	Find(ctx context.Context, id string) ([]Key, error)
}

// renewer is a KeySource whose keys may be replaced under their id: see [JWKS.Renew].
type renewer interface {
	Renew(ctx context.Context, id string) ([]Key, error)
}

// Options say who is let in.
type Options struct {
	// Keys check the tokens of the owner's players. Nil: there is no auth key, and only guests have tokens.
	Keys KeySource
	// Issuer, when not empty, is the only `iss` taken; Audience, when not empty, must be among `aud`.
	// Neither concerns guest tokens.
	Issuer, Audience string

	// GuestKey, at least 32 secret bytes, signs guest tokens. Nil: there are no guests.
	GuestKey []byte
	// OtherGuestKeys are accepted too, so that the key can be changed at one node after another.
	OtherGuestKeys [][]byte
	// GuestLifetime is how long a guest token is good for; 0 means 30 days.
	GuestLifetime time.Duration

	// Leeway forgives clocks that differ, in exp and nbf; 0 means 30 s, negative means none.
	Leeway time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Authenticator checks tokens and makes guests. It may be used by many goroutines.
type Authenticator struct {
	opts   Options
	guests atomic.Pointer[guestKeys] // nil: there are none
}

const (
	guestKeyID = "roomring-guest" // the `kid` that leads to the guest key and no other
	maxToken   = 8 << 10          // bytes; tokens of large identity providers stay under 4 KiB
)

// New fills in the defaults. The error says which option is wrong.
func New(opts Options) (*Authenticator, error) {
	if opts.Leeway == 0 {
		opts.Leeway = 30 * time.Second
	}
	if opts.GuestLifetime == 0 {
		opts.GuestLifetime = 30 * 24 * time.Hour
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &Authenticator{opts: opts}
	if opts.GuestKey == nil {
		return a, nil
	}
	if err := a.SetGuestKeys(opts.GuestKey, opts.OtherGuestKeys); err != nil {
		return nil, err
	}
	return a, nil
}

// Keyed reports whether there is an auth key, so that creating and matching need a token.
func (a *Authenticator) Keyed() bool { return a.opts.Keys != nil }

// Guests reports whether guests are let in.
func (a *Authenticator) Guests() bool { return a.guests.Load() != nil }

// algorithms are those a token may name at all. Which one it must name depends on the key: see newKey.
var algorithms = []jose.SignatureAlgorithm{
	jose.HS256, jose.HS384, jose.HS512, jose.EdDSA,
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512,
}

// Check proves a token and says who bears it. It may wait for keys to be fetched, until ctx ends.
// Errors are ErrUnauthorised and ErrNoKeys.
func (a *Authenticator) Check(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, unauthorised("the token is too long")
	}
	signed, err := jwt.ParseSigned(token, algorithms)
	if err != nil || len(signed.Headers) != 1 {
		return Identity{}, unauthorised("the token is not a JWT signed by an algorithm that is taken here")
	}
	head := signed.Headers[0]
	guest := head.KeyID == guestKeyID
	keys, err := a.candidates(ctx, head.KeyID, guest)
	if err != nil {
		return Identity{}, err
	}
	payload, err := verify(signed, head.Algorithm, keys)
	if err != nil && len(keys) > 0 && !guest {
		payload, err = a.verifyAnew(ctx, signed, err)
	}
	if err != nil {
		return Identity{}, err
	}
	return a.identity(payload, guest)
}

// verifyAnew tries keys that may have been put in the place of those that did not fit, if there can be any.
func (a *Authenticator) verifyAnew(ctx context.Context, signed *jwt.JSONWebToken, wrong error) (payload json.RawMessage, err error) {
	source, ok := a.opts.Keys.(renewer)
	if !ok {
		return nil, wrong
	}
	head := signed.Headers[0]
	keys, unsure := source.Renew(ctx, head.KeyID)
	if len(keys) > 0 {
		if payload, err = verify(signed, head.Algorithm, keys); err == nil {
			return payload, nil
		}
	}
	return nil, cmp.Or(unsure, wrong)
}

func (a *Authenticator) candidates(ctx context.Context, id string, guest bool) ([]Key, error) {
	switch {
	case guest && a.Guests():
		return a.guests.Load().taken, nil
	case guest:
		return nil, unauthorised("guests are not let in here")
	case a.opts.Keys == nil:
		return nil, unauthorised("only guest tokens are taken here: this server has no auth key")
	}
	return a.opts.Keys.Find(ctx, id)
}

// verify tries the keys of the token's algorithm, and returns what the token says when one fits. The algorithm is the
// key's own: a token only gets to name it.
func verify(signed *jwt.JSONWebToken, alg string, keys []Key) (payload json.RawMessage, err error) {
	if len(keys) == 0 {
		return nil, unauthorised("the token names a key that is not known here")
	}
	for _, k := range keys {
		if string(k.alg) == alg && signed.Claims(k.verifier, &payload) == nil {
			return payload, nil
		}
	}
	return nil, unauthorised("the token is not signed by a key that is known here")
}

func (a *Authenticator) identity(payload []byte, guest bool) (Identity, error) {
	c, err := readClaims(payload)
	if err != nil {
		return Identity{}, err
	}
	if err := a.checkTimes(c); err != nil {
		return Identity{}, err
	}
	if err := checkSubject(c.Subject); err != nil {
		return Identity{}, err
	}
	if !guest {
		if err := a.checkMaker(c); err != nil {
			return Identity{}, err
		}
	}
	return Identity{
		Player: room.PlayerID(c.Subject), Name: text.CleanName(c.Name), Guest: guest,
		Room: room.ID(c.Room), Game: c.Game, Expires: c.Expiry.Time(),
	}, nil
}

// Admit is Check for somebody at the door of one room: the error is also ErrForbidden when the token
// was made for another room or another game.
func (a *Authenticator) Admit(ctx context.Context, token string, id room.ID, game string) (Identity, error) {
	who, err := a.Check(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	if err := who.Allows(id, game); err != nil {
		return Identity{}, err
	}
	return who, nil
}

// Allows tells whether the token is good for a room of a game. An empty id is a room still to be made.
// The error is ErrForbidden.
func (i Identity) Allows(id room.ID, game string) error {
	switch {
	case i.Room != "" && i.Room != id:
		return forbidden("the token is for another room")
	case i.Game != "" && i.Game != game:
		return forbidden("the token is for another game")
	}
	return nil
}

// Bearer takes the token out of an Authorization header (RFC 6750, section 2.1); empty: there is none.
func Bearer(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", nil
	}
	scheme, token, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", unauthorised("the Authorization header is not Bearer and a token")
	}
	return strings.TrimSpace(token), nil
}
