package room

import (
	"fmt"
	"strings"
)

// ID names a room for ever: 16 characters of Crockford's base 32 in lower case,
// so it fits a URL, a file name and a metric-free log line without escaping.
type ID string

// PlayerID names a player across rooms: the `sub` of a token, 1 to MaxPlayerID bytes of UTF-8.
type PlayerID string

// MaxPlayerID bounds a PlayerID, in bytes: what identity providers call people is rarely longer than a hundred.
const MaxPlayerID = 128

// GuestPrefix begins the ids of guests, whom anybody can make any number of.
const GuestPrefix = "g_"

// Guest reports whether p is a guest's id.
func (p PlayerID) Guest() bool { return strings.HasPrefix(string(p), GuestPrefix) }

// Index is an input's place in its room's log: 1, 2, 3 … Zero is before the first.
type Index uint64

// Durability says what a room survives.
type Durability string

const (
	// Memory rooms die with their process.
	Memory Durability = "memory"
	// Local rooms acknowledge an input when this machine's journal has it: a killed process loses nothing.
	Local Durability = "local"
	// Standby rooms acknowledge an input when a second node has it.
	Standby Durability = "standby"
)

// Validate reports a durability that is none.
func (d Durability) Validate() error {
	switch d {
	case "", Memory, Local, Standby:
		return nil
	}
	return fmt.Errorf("durability %q: choose memory, local or standby", string(d))
}
