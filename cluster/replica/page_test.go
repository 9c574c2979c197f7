package replica

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
	r := New(Options{Node: "n"})
	defer r.Close()
	for row, holds := range map[string]bool{
		"`Tend` | 250 ms":      r.o.Tend == 250*time.Millisecond,
		"`Patience` | 5 s":     r.o.Patience == 5*time.Second,
		"`Grace` | 3 s":        r.o.Grace == 3*time.Second,
		"`Idle` | 30 s":        r.o.Idle == 30*time.Second,
		"`Hold` | 1 s":         r.o.Hold == time.Second,
		"`Learners` | 128":     r.o.Learners == 128,
		"`Fills` | 4":          r.o.Fills == 4,
		"`FillBytes` | 32 MiB": r.o.FillBytes == 32<<20,
		"`Ahead` | 1 MiB":      r.o.Ahead == 1<<20,
		"`Window` | 4 MiB":     r.o.Window == 4<<20,
		"`Snapshot` | 8 MiB":   r.o.Snapshot == 8<<20,
		"`LongStep` | 50 ms":   r.o.LongStep == 50*time.Millisecond,
		"`Wary` | 32":          r.o.Wary == 32,
		"`NoteWait` | 250 ms":  r.o.NoteWait == 250*time.Millisecond,
	} {
		if !holds || !strings.Contains(string(text), "| "+row+" |") {
			t.Errorf("page and code do not both have %s", row)
		}
	}
}
