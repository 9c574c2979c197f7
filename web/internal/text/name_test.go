package text_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/web/internal/text"
)

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"":                "",
		" \t\n":           "",
		"Zoë":             "Zoë",
		"a\u200bb\u202ec": "abc",
		"bad\xffbytes":    "badbytes",
		"\U0001f468\u200d\U0001f469\u200d\U0001f467": "\U0001f468\u200d\U0001f469\u200d\U0001f467", // a family
		"\U0001f469\U0001f3fd\u200d\U0001f680":       "\U0001f469\U0001f3fd\u200d\U0001f680",       // an astronaut
		"\u2764\ufe0f\u200d\U0001f525":               "\u2764\ufe0f\u200d\U0001f525",               // a heart on fire
		"\U0001f3f4\U000e0067\U000e0062\U000e007f":   "\U0001f3f4\U000e0067\U000e0062\U000e007f",   // a flag
		"1\ufe0f\u20e3": "1\ufe0f\u20e3", // a keycap
		"\u0645\u0631\u06cc\u0645\u200c\u0647\u0627":     "\u0645\u0631\u06cc\u0645\u200c\u0647\u0627", // Persian, of Maryam
		"\u0dc1\u0dca\u200d\u0dbb\u0dd3":                 "\u0dc1\u0dca\u200d\u0dbb\u0dd3",             // Sinhala, Sri
		"\u0d05\u0d35\u0d28\u0d4d\u200d":                 "\u0d05\u0d35\u0d28\u0d4d\u200d",             // Malayalam, at the end
		"\u845b\U000e0100":                               "\u845b\U000e0100",                           // a form of a Japanese character
		"A\u200dnn\u200c":                                "Ann",
		"\u0627\u200c\u0628":                             "\u0627\u0628", // the first does not join anyway
		"\u0645\u200c\u200c\u200c\u0647":                 "\u0645\u200c\u0647",
		"\u200dAnn\u200d \u200d Lee":                     "Ann Lee",
		"\U0001f468\u200d\u200d":                         "\U0001f468",
		"A\ufe0fn\ufe01n\U000e0101":                      "Ann",
		"A\U000e0062nn":                                  "Ann",
		"\u3164":                                         "",
		"\u115f\uffa0\u2800\u034f\ufffc \u00ad\u2060":    "",
		"\u0301Ann":                                      "Ann", // a mark that would sit upon what stands before the name
		"Ann \u0301Lee":                                  "Ann Lee",
		"Zoe\u0308":                                      "Zo\u00eb",
		"x" + strings.Repeat("\u0323", 20):               "x" + strings.Repeat("\u0323", 4),
		"e\u034f\u0301":                                  "\u00e9",
		strings.Repeat("\U0001f468\u200d\U0001f467 ", 9): strings.TrimSpace(strings.Repeat("\U0001f468\u200d\U0001f467 ", 5)), // none cut in two
		strings.Repeat("x", 31) + "n\u0304\u0304":        strings.Repeat("x", 31),
		"\u202eAnn\u202c\u200f\u061c\u2067":              "Ann",
		strings.Repeat("x", 40):                          strings.Repeat("x", 32),
		strings.Repeat("𝄞", 40):                          strings.Repeat("𝄞", 16), // 64 bytes
		strings.Repeat("ab ", 20):                        strings.TrimSpace(strings.Repeat("ab ", 11))[:32],
	} {
		if got := text.CleanName(in); got != want {
			t.Errorf("%+q became %+q, want %+q", in, got, want)
		}
		if again := text.CleanName(want); again != want {
			t.Errorf("%+q is not clean by itself: %+q", want, again)
		}
	}
}
