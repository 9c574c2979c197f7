package wire_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roomring/roomring/room/wire"
)

func TestCloseReason(t *testing.T) {
	for reason, want := range map[string]int{"": 0, "the room is full": 16, strings.Repeat("x", 123): 123, strings.Repeat("x", 124): 123, strings.Repeat("ü", 80): 122, strings.Repeat("😀", 40): 120} {
		got := wire.CloseReason(reason)
		if len(got) != want || !strings.HasPrefix(reason, got) || !utf8.ValidString(got) {
			t.Errorf("%q is cut to %q, %d bytes; want %d", reason, got, len(got), want)
		}
	}
}
