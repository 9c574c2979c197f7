package room

import (
	"fmt"
	"strings"
)

// ID names a room for ever. It has 16 characters of Crockford's base 32 in lower case, so a URL, a file name and a log
// line can hold it without escaping.
type ID string

// PlayerID names a player across rooms. It is the `sub` of a token: 1 to MaxPlayerID bytes of UTF-8.
type PlayerID string

// MaxPlayerID bounds a PlayerID, in bytes. Identity providers rarely use more than a hundred.
const MaxPlayerID = 128

// GuestPrefix begins the ids of guests. Anybody can make any number of guests.
const GuestPrefix = "g_"

// Guest reports whether p is a guest's id.
func (p PlayerID) Guest() bool { return strings.HasPrefix(string(p), GuestPrefix) }

// Index is the place of an input in its room's log: 1, 2, 3 … Zero is before the first.
type Index uint64

// Durability says what a room survives.
type Durability string

const (
	// Memory rooms end with their process.
	Memory Durability = "memory"
	// Local rooms acknowledge an input when this machine's journal has it. A killed process loses nothing.
	Local Durability = "local"
	// Standby rooms acknowledge an input when a second node's journal has it too. Without a standby they acknowledge as Local ones do.
	Standby Durability = "standby"
)

// Validate returns an error for any other value; "" is allowed and means the node's default.
func (d Durability) Validate() error {
	switch d {
	case "", Memory, Local, Standby:
		return nil
	}
	return fmt.Errorf("durability %q: choose memory, local or standby", string(d))
}
