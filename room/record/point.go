package record

import (
	"errors"
	"unicode"

	"github.com/roomring/roomring/room"
)

// ClientID names one page load or program run. The client draws it at random; it has 1 to wire.MaxClient bytes.
type ClientID string

// BootID names one run of a node's process. It is a ULID.
type BootID string

// Epoch numbers the successive ownerships of a room. It only grows.
type Epoch uint64

// CSeq numbers the acts of one client in one room, from 1.
type CSeq uint64

// Point names one moment in a room's history: an index, and the epoch under which it was written.
type Point struct {
	Epoch Epoch      `json:"epoch"`
	Seq   room.Index `json:"seq"`
}

// Before reports whether p is earlier than q. It compares epochs first, then indexes.
func (p Point) Before(q Point) bool {
	return p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.Seq < q.Seq
}

const (
	idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	idLength   = 16
)

// ErrBadID means that a string is not a valid room id.
var ErrBadID = errors.New("a room id is 16 characters of 0-9 and a-z without i, l, o, u")

// NewID makes a room id from 10 random bytes. With 80 bits, ids do not collide in practice.
func NewID(random [10]byte) room.ID {
	out := make([]byte, 0, idLength)
	var acc, bits uint
	for _, b := range random {
		acc, bits = acc<<8|uint(b), bits+8
		for bits >= 5 {
			bits -= 5
			out = append(out, idAlphabet[acc>>bits&31])
		}
	}
	return room.ID(out)
}

// ParseID checks that s is a valid room id. The error is ErrBadID.
func ParseID(s string) (room.ID, error) {
	if len(s) != idLength {
		return "", ErrBadID
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == 'i' || c == 'l' || c == 'o' || c == 'u':
			return "", ErrBadID
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z':
		default:
			return "", ErrBadID
		}
	}
	return room.ID(s), nil
}

// FoldCode brings a typed join code into the form that rooms store. It turns capitals and full-width characters into plain
// lower case, drops spaces, hyphens and other signs, and replaces look-alike letters as Crockford's base 32 does (o is 0, i and
// l are 1), and u by v. The result is empty if the text holds a letter or digit that no code has.
func FoldCode(typed string) string {
	out := make([]byte, 0, len(typed))
	for _, r := range typed {
		if r >= '\uff01' && r <= '\uff5e' {
			r -= 0xfee0 // full width
		}
		switch r = unicode.ToLower(r); {
		case r == 'o':
			r = '0'
		case r == 'i' || r == 'l':
			r = '1'
		case r == 'u':
			r = 'v'
		case r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			return "" // no code has this character; dropping it would be a guess
		default:
			continue
		}
		out = append(out, byte(r))
	}
	return string(out)
}
