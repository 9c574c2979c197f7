package cli

import (
	"fmt"
	"strings"
	"unicode"
)

// controlsTerminal reports whether a terminal does something else with r than show it: it moves the cursor, changes colours,
// breaks the line or turns the direction of reading.
func controlsTerminal(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// printable is s fit for a terminal, in one line. Whatever comes from a server goes through it: players and peers chose it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if controlsTerminal(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// printableJSON is JSON that says the same and is fit for a terminal. Line breaks between its tokens stay.
func printableJSON(text string) string {
	var b strings.Builder
	for _, r := range text { // bytes that are no UTF-8 become U+FFFD, as any reader of JSON takes them
		if controlsTerminal(r) && r != '\n' {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
