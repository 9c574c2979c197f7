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
	Guest   bool    // a server made the player up
	Room    room.ID // good for this room alone; empty: for all
	Game    string  // good for this game alone; empty: for all
	Expires time.Time
}

// Errors of an Authenticator. They are wrapped with the rule that was broken, and never quote the token.
var (
	// ErrUnauthorised says that a token proves nothing: malformed, expired, or not signed by a known key.
	ErrUnauthorised = errors.New("unauthorised")
	// ErrForbidden says that a token is genuine, but not good for what was asked.
	ErrForbidden = errors.New("forbidden")
	// ErrNoKeys says that the key that a token names is not known yet, so that the token cannot be checked: retry.
	ErrNoKeys = errors.New("the token's key is not known here yet: retry")
)

func unauthorised(reason string) error { return fmt.Errorf("%w: %s", ErrUnauthorised, reason) }

func forbidden(reason string) error { return fmt.Errorf("%w: %s", ErrForbidden, reason) }

// KeySource finds the keys a token may be signed by. It may block until ctx ends.
type KeySource interface {
	// Find returns the keys that a token with this key id may be signed by: those of that id and those without one, or all when
	// the token has no key id. The error is ErrNoKeys when that is not known yet.
	Find(ctx context.Context, id string) ([]Key, error)
}

// renewer is a KeySource whose keys may be replaced by others of the same id: see [JWKS.Renew].
type renewer interface {
	Renew(ctx context.Context, id string) ([]Key, error)
}

// Options say who is let in.
type Options struct {
	// Keys check tokens that the owner of the server has made. Nil: there is no auth key, and only guests have tokens.
	Keys KeySource
	// Issuer, when not empty, must be the token's `iss`; Audience, when not empty, must be among its `aud`. Guest tokens need
	// neither.
	Issuer, Audience string

	// Verify checks the tokens of the owner's players in place of Keys, and says who bears one. An identity without Expires is good
	// for ten years. It may block until ctx ends. Its errors are ErrNoKeys, or any other for a token that proves nothing.
	Verify func(ctx context.Context, token string) (Identity, error)

	// GuestKey, at least 32 secret bytes, signs guest tokens. Nil: there are no guests.
	GuestKey []byte
	// OtherGuestKeys are accepted too, so that the key can be changed at one node after another.
	OtherGuestKeys [][]byte
	// GuestLifetime is how long a guest token is good for; 0 means 30 days.
	GuestLifetime time.Duration

	// Leeway is how far clocks may differ, for exp and nbf; 0 means 30 s, negative none.
	Leeway time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Authenticator checks tokens and makes guests. It may be used by many goroutines. It never writes a token to a log or an error.
type Authenticator struct {
	opts   Options
	guests atomic.Pointer[guestKeys] // nil: there are none
}

const (
	guestKeyID = "roomring-guest" // the `kid` of guest keys alone
	maxToken   = 8 << 10          // bytes; tokens of large identity providers stay under 4 KiB
)

// New makes an Authenticator. The error says which option is wrong.
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

// Keyed reports whether players have tokens of the owner's, so that creating and matching need one.
func (a *Authenticator) Keyed() bool { return a.opts.Keys != nil || a.opts.Verify != nil }

// Guests reports whether guests are let in.
func (a *Authenticator) Guests() bool { return a.guests.Load() != nil }

// algorithms are those that a token may name. The one that it must name depends on the key: see newKey.
var algorithms = []jose.SignatureAlgorithm{
	jose.HS256, jose.HS384, jose.HS512, jose.EdDSA,
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512,
}

// Check proves a token and returns whose it is. It may wait for keys to be fetched, until ctx ends. Errors are ErrUnauthorised
// and ErrNoKeys.
func (a *Authenticator) Check(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, unauthorised("the token is too long")
	}
	signed, err := jwt.ParseSigned(token, algorithms)
	if a.opts.Verify != nil && (err != nil || len(signed.Headers) != 1 || signed.Headers[0].KeyID != guestKeyID) {
		return a.verified(ctx, token)
	}
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
		payload, err = a.verifyRenewed(ctx, signed, err)
	}
	if err != nil {
		return Identity{}, err
	}
	return a.identity(payload, guest)
}

// verified has the owner check a token. Why it is refused is not passed on: the owner's words may hold what is secret.
func (a *Authenticator) verified(ctx context.Context, token string) (Identity, error) {
	who, err := a.opts.Verify(ctx, token)
	switch {
	case errors.Is(err, ErrNoKeys) || err != nil && ctx.Err() != nil:
		return Identity{}, ErrNoKeys
	case err != nil:
		return Identity{}, unauthorised("the token is not taken here")
	}
	if err := checkSubject(string(who.Player)); err != nil {
		return Identity{}, err
	}
	if who.Expires.IsZero() {
		who.Expires = a.opts.Now().AddDate(10, 0, 0)
	}
	if who.Expires.Before(a.opts.Now()) {
		return Identity{}, unauthorised("the token has expired")
	}
	who.Name, who.Guest = text.CleanName(who.Name), false
	return who, nil
}

// verifyRenewed tries keys that may have replaced those that did not fit.
func (a *Authenticator) verifyRenewed(ctx context.Context, signed *jwt.JSONWebToken, wrong error) (payload json.RawMessage, err error) {
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
		return a.guests.Load().accepted, nil
	case guest:
		return nil, unauthorised("guests are not let in here")
	case a.opts.Keys == nil:
		return nil, unauthorised("only guest tokens are taken here: this server has no auth key")
	}
	return a.opts.Keys.Find(ctx, id)
}

// verify tries the keys of the token's algorithm, and returns the token's payload when one fits. The algorithm is the key's: a token
// cannot choose it.
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

// Admit is Check for one room of a game. The error is also ErrForbidden when the token is good for another room or game alone.
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

// Allows returns nil when the token is good for a room of a game, else ErrForbidden. An empty id is a room that is not made yet.
func (i Identity) Allows(id room.ID, game string) error {
	switch {
	case i.Room != "" && i.Room != id:
		return forbidden("the token is for another room")
	case i.Game != "" && i.Game != game:
		return forbidden("the token is for another game")
	}
	return nil
}

// Bearer is the token in the Authorization header (RFC 6750, section 2.1); empty when there is no such header.
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
