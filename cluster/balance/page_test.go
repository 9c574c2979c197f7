package balance

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestThePageNamesTheDefaults holds docs/decisions/022-standby.md to the defaults of Options.
func TestThePageNamesTheDefaults(t *testing.T) {
	text, err := os.ReadFile("../../docs/decisions/022-standby.md")
	if err != nil {
		t.Fatal(err)
	}
	o := New(Options{}).o
	for row, holds := range map[string]bool{
		"`Settle` | 10 s": o.Settle == 10*time.Second,
		"`Rest` | 1 min":  o.Rest == time.Minute,
		"`AtOnce` | 8":    o.AtOnce == 8,
		"`Each` | 10 ms":  o.Each == 10*time.Millisecond,
		"`GiveUp` | 15 s": o.GiveUp == 15*time.Second,
	} {
		if !holds || !strings.Contains(string(text), "| "+row+" |") {
			t.Errorf("page and code do not both have %s", row)
		}
	}
}
