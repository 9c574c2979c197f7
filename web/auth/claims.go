package auth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	strict "github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/internal/text"
)

// claims are what a token says.
type claims struct {
	jwt.Claims
	Name string `json:"name,omitempty"`
	Room string `json:"room,omitempty"`
	Game string `json:"game,omitempty"`
}

// readClaims reads what a genuine token says. The error names the claim that is wrong, and its kind but never its value. Claims that
// are not used here may be anything.
func readClaims(payload []byte) (c claims, err error) {
	var all map[string]json.RawMessage
	if err := strict.Unmarshal(payload, &all); err != nil || all == nil { // it refuses a name that stands twice
		return c, unauthorised("the token's claims are no JSON object, or one has a name twice")
	}
	for name, into := range map[string]*string{
		"iss": &c.Issuer, "sub": &c.Subject, "name": &c.Name, "room": &c.Room, "game": &c.Game,
	} {
		if raw := all[name]; raw != nil && json.Unmarshal(raw, into) != nil {
			return c, wrongKind(name, raw, "text")
		}
	}
	for name, into := range map[string]**jwt.NumericDate{"exp": &c.Expiry, "nbf": &c.NotBefore, "iat": &c.IssuedAt} {
		var seconds *float64
		if raw := all[name]; raw != nil && json.Unmarshal(raw, &seconds) != nil {
			return c, wrongKind(name, raw, "a number, of seconds since 1970")
		}
		if seconds != nil {
			*into = new(jwt.NumericDate(min(max(*seconds, -maxTime), maxTime)))
		}
	}
	if raw := all["aud"]; raw != nil && json.Unmarshal(raw, &c.Audience) != nil {
		return c, wrongKind("aud", raw, "text or a list of texts")
	}
	return c, nil
}

// maxTime is the end of the year 9999, in seconds since 1970: the last that a time.Time can say in JSON.
const maxTime = 253_402_300_799

// wrongKind says what kind a claim is, and which it must be.
func wrongKind(name string, raw json.RawMessage, must string) error {
	kind := "a number"
	switch raw[0] {
	case '"':
		kind = "text"
	case '{':
		kind = "an object"
	case '[':
		kind = "a list"
	case 't', 'f':
		kind = "true or false"
	}
	if kind == "a number" && strings.HasPrefix(must, kind) { // such as 1e999
		kind = "too large a number"
	}
	return unauthorised(fmt.Sprintf("the token's %s is %s: it must be %s", name, kind, must))
}

// checkSubject checks sub, the id of a player.
func checkSubject(sub string) error {
	switch {
	case sub == "":
		return unauthorised("the token has no sub, the player's id")
	case len(sub) > room.MaxPlayerID:
		return unauthorised("the token's sub is longer than " + strconv.Itoa(room.MaxPlayerID) + " bytes")
	case !text.Valid(sub, 1, room.MaxPlayerID):
		return unauthorised("the token's sub holds a control character, or one that turns the direction of writing")
	}
	return nil
}

// checkTimes checks exp, which must be there, and nbf (RFC 7519, sections 4.1.4 and 4.1.5). It does not check iat, which says nothing
// of whether a token is valid, even when it is in the future (section 4.1.6).
func (a *Authenticator) checkTimes(c claims) error {
	leeway := max(a.opts.Leeway, 0)
	now := a.opts.Now()
	switch {
	case c.Expiry == nil:
		return unauthorised("the token has no exp")
	case c.Expiry.Time().Before(now.Add(-leeway)):
		return unauthorised("the token has expired: its exp has passed")
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(leeway)):
		return unauthorised("the token is not valid yet: its nbf is to come")
	}
	return nil
}

// checkMaker checks iss and aud.
func (a *Authenticator) checkMaker(c claims) error {
	switch {
	case a.opts.Issuer != "" && c.Issuer == "":
		return unauthorised("the token has no iss, and this server asks for one")
	case a.opts.Issuer != "" && c.Issuer != a.opts.Issuer:
		return unauthorised("the token's iss is another")
	case a.opts.Audience != "" && len(c.Audience) == 0:
		return unauthorised("the token has no aud, and this server asks for one")
	case a.opts.Audience != "" && !slices.Contains(c.Audience, a.opts.Audience):
		return unauthorised("the token's aud is another")
	}
	return nil
}
