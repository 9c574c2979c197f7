package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/internal/text"
)

// ErrNoGuests says that this server lets nobody in without a token that its owner has made.
var ErrNoGuests = errors.New("guests are not let in here")

// guestKeys sign guest tokens.
type guestKeys struct {
	secret   []byte // of the first
	accepted []Key  // the first signs
}

// SetGuestKeys changes the key that signs guest tokens, and the others that are accepted. It may be called while tokens are checked.
func (a *Authenticator) SetGuestKeys(key []byte, others [][]byte) error {
	keys := &guestKeys{secret: key}
	for _, secret := range append([][]byte{key}, others...) {
		k, err := newKey(secret, guestKeyID, "")
		if err != nil {
			return fmt.Errorf("guest key: %w", err)
		}
		keys.accepted = append(keys.accepted, k)
	}
	a.guests.Store(keys)
	return nil
}

// Guest makes up a player and a token for it. The name is cleaned; one is drawn when it is empty. The error is ErrNoGuests when guests
// are not let in.
func (a *Authenticator) Guest(name string) (who Identity, token string, err error) {
	var seed [sha256.Size]byte
	rand.Read(seed[:])
	return a.guestFrom(seed, name)
}

// GuestOf makes the same guest for the same secret every time, so that a request may be retried. Whoever knows the secret gets that
// guest's token.
func (a *Authenticator) GuestOf(secret string) (who Identity, token string, err error) {
	keys := a.guests.Load()
	if keys == nil {
		return Identity{}, "", ErrNoGuests
	}
	mac := hmac.New(sha256.New, keys.secret)
	mac.Write([]byte("guest of\x00" + secret))
	return a.guestFrom([sha256.Size]byte(mac.Sum(nil)), "")
}

// guestFrom makes the player's id of one half of the seed, 128 bits, and draws a name by the other.
func (a *Authenticator) guestFrom(seed [sha256.Size]byte, name string) (who Identity, token string, err error) {
	keys := a.guests.Load()
	if keys == nil {
		return Identity{}, "", ErrNoGuests
	}
	now := a.opts.Now()
	who = Identity{
		Player:  room.PlayerID(room.GuestPrefix + guestIDs.EncodeToString(seed[:16])),
		Name:    text.CleanName(name),
		Guest:   true,
		Expires: now.Add(a.opts.GuestLifetime),
	}
	if who.Name == "" {
		who.Name = drawName(mathrand.New(mathrand.NewPCG(binary.BigEndian.Uint64(seed[16:]), 0)))
	}
	token, err = keys.accepted[0].mint(who, "", "", now)
	return who, token, err
}

var guestIDs = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var (
	adjectives = strings.Fields("Amber Bold Brave Bright Calm Clever Cosy Curious Daring Eager Gentle Golden Happy " +
		"Humble Jolly Keen Kind Lively Lucky Merry Mighty Nimble Patient Polite Proud Quick Quiet Silver Sunny Swift Tidy Witty")
	animals = strings.Fields("Badger Bear Beaver Crane Dolphin Eagle Falcon Ferret Finch Fox Gecko Hare Hedgehog Heron " +
		"Ibex Koala Lark Lynx Magpie Marten Mole Newt Otter Owl Panda Penguin Puffin Raven Robin Seal Tiger Wren")
)

func drawName(r *mathrand.Rand) string {
	return fmt.Sprintf("%s %s %d", adjectives[r.IntN(len(adjectives))], animals[r.IntN(len(animals))], 10+r.IntN(90))
}
