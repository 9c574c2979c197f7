package record

import (
	"errors"
	"unicode"

	"github.com/roomring/roomring/room"
)

// ClientID names one page load or program run; the client draws it at random, 1 to wire.MaxClient bytes.
type ClientID string

// BootID names one life of a node's process (a ULID).
type BootID string

// Epoch is the number of an ownership of a room. It only grows.
type Epoch uint64

// CSeq counts the acts of one client in one room: 1, 2, 3 …
type CSeq uint64

// Point names one moment in one history of a room: an index as numbered under an epoch.
type Point struct {
	Epoch Epoch      `json:"epoch"`
	Seq   room.Index `json:"seq"`
}

// Before reports whether p is earlier than q; epochs outrank indexes.
func (p Point) Before(q Point) bool {
	return p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.Seq < q.Seq
}

const (
	idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	idLength   = 16
)

// ErrBadID says that a string cannot be a room's id.
var ErrBadID = errors.New("a room id is 16 characters of 0-9 and a-z without i, l, o, u")

// NewID makes an id from 10 random bytes: 80 bits, so that ids never collide in practice.
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

// ParseID checks that s can be a room's id; the error is ErrBadID.
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

// FoldCode is a join code as rooms have it, whatever people have made of it on its way: in capitals or full-width letters,
// with spaces, hyphens or other signs in it, and with letters that look like those that codes are made of, as Crockford's
// base 32 reads them (and u as v).
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
			return "" // no code has it, and none is guessed without it
		default:
			continue
		}
		out = append(out, byte(r))
	}
	return string(out)
}
