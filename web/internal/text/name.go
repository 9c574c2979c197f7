package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

const (
	MaxName      = 64 // bytes of a player's name
	maxNameRunes = 32
	maxMarks     = 4 // upon one letter, as UTS 39, section 5.4, has it
)

// CleanName makes a name fit to show beside others: printable characters, single spaces, at most 32 characters and 64 bytes, none of
// them cut in two. It removes what cannot be seen, since two names would look like one, and marks that turn the direction of writing,
// since they could change how a neighbour's name looks. It keeps what a script or an emoji is written with, such as the joiners of
// Persian, Hindi and families (RFC 8265 and UTS 39 in spirit).
func CleanName(name string) string {
	var b strings.Builder
	runes := 0
	for word := range strings.FieldsSeq(norm.NFC.String(strings.ToValidUTF8(name, ""))) {
		gap := min(runes, 1)
		seen := norm.NFC.String(string(visible([]rune(word)))) // again, since what stood between may be removed
		for _, c := range characters([]rune(seen)) {
			if runes+gap+len(c) > maxNameRunes || b.Len()+gap+len(string(c)) > MaxName {
				return b.String()
			}
			b.WriteString(" "[:gap] + string(c))
			runes, gap = runes+gap+len(c), 0
		}
	}
	return b.String()
}

// Unseen reports whether a name is not empty, and yet nothing of it can be seen.
func Unseen(name string) bool { return name != "" && CleanName(name) == "" }

// UnseenName says so to people.
const UnseenName = "Nothing of that name can be seen: give one with letters, or none."

const (
	zwnj = '\u200c'
	zwj  = '\u200d'
)

// visible removes from a word what cannot be seen, unless it changes how its neighbours look.
func visible(word []rune) (out []rune) {
	for i, r := range word {
		if shows(out, r, word[i+1:]) {
			out = append(out, r)
		}
	}
	return out
}

// shows reports whether a character is seen, or changes how its neighbours look. Before is what was kept, after what follows.
func shows(before []rune, r rune, after []rune) bool {
	var last rune
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case r == zwnj || r == zwj:
		return joins(before, r, after)
	case r == '\ufe0e' || r == '\ufe0f': // as text, or as an emoji
		keycap := len(after) > 0 && after[0] == '\u20e3' && strings.ContainsRune("0123456789#*", last)
		return pictograph(last) || keycap
	case unicode.Is(unicode.Variation_Selector, r):
		return unicode.In(last, unicode.Han, unicode.Mongolian)
	case tag(r): // of a flag, such as Scotland's
		return last == '\U0001f3f4' || tag(last)
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r), r == '\u2800', r == '\ufffc', r == '\U0001d159': // the last three are blank
		return false
	case unicode.Is(unicode.M, r):
		return len(before) > 0 && marks(before) < maxMarks
	}
	return r != utf8.RuneError && unicode.IsPrint(r)
}

func tag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

// pictograph reports whether a character may be an emoji.
func pictograph(r rune) bool {
	return (r >= 0x2000 || r == '©' || r == '®') && unicode.In(r, unicode.So, unicode.Sm) || r == '‼' || r == '⁉' || r == '〰'
}

func skinTone(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// marks counts the marks at the end of a text.
func marks(text []rune) (n int) {
	for _, r := range slices.Backward(text) {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
			n++
		case r != zwj && r != zwnj:
			return n
		}
	}
	return n
}

// joiners knows where scripts need a joiner: RFC 5892, appendices A.1 and A.2.
var joiners = idna.New(idna.CheckJoiners(true), idna.StrictDomainName(false))

// joins reports whether a joiner is within an emoji, or where its script needs one.
func joins(before []rune, joiner rune, after []rune) bool {
	mark := func(r rune) bool { return unicode.Is(unicode.M, r) || skinTone(r) }
	begin := len(before) - 1
	for begin > 0 && mark(before[begin]) {
		begin--
	}
	if begin < 0 {
		return false
	}
	if joiner == zwj && len(after) > 0 && pictograph(before[begin]) && pictograph(after[0]) {
		return true
	}
	end := slices.IndexFunc(after, func(r rune) bool { return !mark(r) }) + 1
	if end == 0 {
		end = len(after)
	}
	_, err := joiners.ToUnicode(string(before[begin:]) + string(joiner) + string(after[:end]))
	return err == nil
}

// characters splits a word into what people see as characters, nearly as UAX 29 does.
func characters(word []rune) (out [][]rune) {
	begin := 0
	for i := 1; i <= len(word); i++ {
		if i == len(word) || !continues(word[begin:i], word[i]) {
			out, begin = append(out, word[begin:i]), i
		}
	}
	return out
}

func continues(character []rune, r rune) bool {
	flag := len(character) == 1 && regional(character[0]) && regional(r)
	return flag || unicode.Is(unicode.M, r) || r == zwj || r == zwnj || tag(r) || skinTone(r) || character[len(character)-1] == zwj
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
