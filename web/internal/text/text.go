// Package text checks the texts and names that strangers send.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Valid reports whether s is UTF-8 of so many bytes, without control characters, line ends, and marks that turn the direction of what
// stands beside it.
func Valid(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	})
}
