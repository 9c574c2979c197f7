package ledger

import (
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
)

// A heartbeat in the future does not show whether its process runs. Only a boot that has waited for another heartbeat may fence it.
func TestMayFence(t *testing.T) {
	here := persist.Boot{Folder: "f", Host: "here", Path: "/data", Locked: true}
	elsewhere := persist.Boot{Folder: "f", Host: "elsewhere", Path: "/data", Locked: true}
	waited := elsewhere
	waited.Doubted = "old"
	for _, c := range []struct {
		what     string
		age      time.Duration
		starting persist.Boot
		want     bool
	}{
		{"heard just now", time.Second, elsewhere, false},
		{"heard just now, and its lock is held here", time.Second, here, true},
		{"silent", persist.FreshFor, elsewhere, true},
		{"a moment ahead", -time.Second, waited, false},
		{"a day ahead", -24 * time.Hour, elsewhere, false},
		{"a day ahead, and its lock is held here", -24 * time.Hour, here, true},
		{"a day ahead still", -24 * time.Hour, waited, true},
		{"a day ahead before, and heard meanwhile", time.Second, waited, false},
	} {
		old := persist.BootInfo{Boot: here, State: persist.BootAlive}
		old.ID = "old"
		old.SetBeat(c.age)
		if got := mayFence(c.starting, old); got != c.want {
			t.Errorf("%s: may fence %v, want %v", c.what, got, c.want)
		}
	}
}
