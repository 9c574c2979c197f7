package cli

import (
	"fmt"
	"strings"
	"unicode"
)

// controlsTerminal reports whether a terminal acts on r instead of showing it: moves the cursor, changes colours,
// breaks the line or changes the direction of reading.
func controlsTerminal(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// printable makes s safe for a terminal, on one line. Texts from a server must go through it, because players and peers may
// have chosen them.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if controlsTerminal(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// printableJSON returns equivalent JSON that is safe for a terminal. Line breaks between its tokens stay.
func printableJSON(text string) string {
	var b strings.Builder
	for _, r := range text { // bytes that are not UTF-8 become U+FFFD, as JSON parsers read them
		if controlsTerminal(r) && r != '\n' {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
