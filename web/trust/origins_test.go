package trust_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/trust"
)

func TestBadOrigins(t *testing.T) {
	for _, bad := range []string{
		"example.org", "https://[", "https://[::1", "", "https://", "https://game.example/", "https://game.example/path", "https://ann@game.example", "ws://game.example",
		"https://game.example?x", "https://b\u00fccher.example", "://x", "1://x", "nul", "localhost", "https://game .example",
	} {
		if _, err := trust.ParseOrigins([]string{"https://fine.example", bad}); err == nil || !strings.Contains(err.Error(), strconv.Quote(bad)) {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}
