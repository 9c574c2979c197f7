package typegen

import (
	"strings"
	"unicode"
)

// gdWords are the names that GDScript keeps for itself, and those that every object has a member of.
var gdWords = strings.Fields(`if elif else for while match when break continue pass return class class_name extends is in as self super signal func static
	const enum var breakpoint preload await yield assert void namespace trait and or not true false null PI TAU INF NAN
	get set free notify notification script call callv connect disconnect emit_signal get_class get_meta set_meta has_method reference unreference to_string
	bool int float`)

// snake makes round_over of roundOver and RoundOver.
func snake(s string) string {
	var b strings.Builder
	lower := false
	for i, r := range s {
		switch {
		case !isLetter(r):
			r = '_'
		case unicode.IsUpper(r) && lower:
			b.WriteByte('_')
		case unicode.IsDigit(r) && i == 0:
			b.WriteByte('n')
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
		b.WriteRune(unicode.ToLower(r))
	}
	if b.Len() == 0 {
		return "n"
	}
	return b.String()
}

// upperSnake makes ROUND_OVER of roundOver.
func upperSnake(s string) string { return strings.ToUpper(snake(s)) }

// gdQuote writes a text. GDScript has the escapes of JSON.
func gdQuote(s string) string { return quote(s) }
