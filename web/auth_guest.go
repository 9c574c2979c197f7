package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/roomring/roomring/room"
)

// ErrNoGuests says that this server lets nobody in without a token of its owner's.
var ErrNoGuests = errors.New("guests are not let in here")

// Guest makes up a player and a token for it. The name is cleaned; an empty one is drawn.
// The error is ErrNoGuests when there are none.
func (a *Auth) Guest(name string) (who Identity, token string, err error) {
	if !a.Guests() {
		return Identity{}, "", ErrNoGuests
	}
	now := a.opts.Now()
	who = Identity{
		Player:  room.PlayerID("g_" + strings.ToLower(rand.Text())), // 128 bits
		Name:    CleanName(name),
		Guest:   true,
		Expires: now.Add(a.opts.GuestLifetime),
	}
	if who.Name == "" {
		who.Name = drawName()
	}
	token, err = a.guest.mint(who, "", "", now)
	return who, token, err
}

const maxNameRunes = 32

// CleanName makes a name fit to show beside others: printable characters alone, single spaces, at most
// 32 characters and 64 bytes. Marks that turn the direction of writing go, as they could dress up a neighbour's name.
func CleanName(name string) string {
	var b strings.Builder
	runes, gap := 0, ""
	for _, r := range name {
		if unicode.IsSpace(r) {
			if runes > 0 {
				gap = " "
			}
			continue
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			continue
		}
		runes += len(gap) + 1
		if runes > maxNameRunes || b.Len()+len(gap)+utf8.RuneLen(r) > maxName {
			break
		}
		b.WriteString(gap)
		b.WriteRune(r)
		gap = ""
	}
	return b.String()
}

var (
	adjectives = strings.Fields("Amber Bold Brave Bright Calm Clever Cosy Curious Daring Eager Gentle Golden Happy " +
		"Humble Jolly Keen Kind Lively Lucky Merry Mighty Nimble Patient Polite Proud Quick Quiet Silver Sunny Swift Tidy Witty")
	animals = strings.Fields("Badger Bear Beaver Crane Dolphin Eagle Falcon Ferret Finch Fox Gecko Hare Hedgehog Heron " +
		"Ibex Koala Lark Lynx Magpie Marten Mole Newt Otter Owl Panda Penguin Puffin Raven Robin Seal Tiger Wren")
)

func drawName() string {
	return fmt.Sprintf("%s %s %d", adjectives[mathrand.IntN(len(adjectives))], animals[mathrand.IntN(len(animals))], 10+mathrand.IntN(90))
}
