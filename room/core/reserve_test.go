package core_test

import (
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// TestKeptSeats keeps seats, and restores the room from its log and from a snapshot: it knows the same ones.
func TestKeptSeats(t *testing.T) {
	b := newBench(t, counterRules(), "")
	keep := func(p room.PlayerID, at, d time.Duration) core.Ready {
		return b.step(core.Input{Kind: core.KindReserve, Player: p, For: d, At: at})
	}
	check := func(c *core.Core, want ...core.Reservation) {
		t.Helper()
		if got := c.Reservations(); !slices.Equal(got, want) {
			t.Errorf("seats are kept: %v, want %v", got, want)
		}
	}
	keep("x", 1*time.Second, 5*time.Second)
	keep("y", 2*time.Second, 5*time.Second)
	keep("x", 3*time.Second, 5*time.Second) // for longer
	check(b.core, core.Reservation{Player: "y", Until: 7 * time.Second}, core.Reservation{Player: "x", Until: 8 * time.Second})
	b.join("y")
	if r := keep("y", 3*time.Second, time.Hour); r.Entry != nil || r.Refused != nil {
		t.Errorf("for a player who has a seat: %+v", r)
	}
	keep("z", 6*time.Second, 5*time.Second)
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	kept := b.kept()
	for range 2 {
		c, err := core.Restore(b.cfg, kept)
		if err != nil {
			t.Fatal(err)
		}
		check(c, core.Reservation{Player: "x", Until: 8 * time.Second}, core.Reservation{Player: "z", Until: 11 * time.Second})
		if named := c.Named(); !slices.Contains(named, "x") || !slices.Contains(named, "z") {
			t.Errorf("the log names %v", named)
		}
		kept.Snapshots = append(kept.Snapshots, snap, snap)
	}
	b.step(core.Input{Kind: core.KindTimer, At: 9 * time.Second}) // none: room time stays
	keep("w", 9*time.Second, time.Second)
	check(b.core, core.Reservation{Player: "z", Until: 11 * time.Second}, core.Reservation{Player: "w", Until: 10 * time.Second})
	for i := range 20 { // no more than a room has seats
		keep(room.PlayerID(rune('A'+i)), 9*time.Second, time.Minute)
	}
	if n := len(b.core.Reservations()); n != 4 {
		t.Errorf("%d seats are kept in a room of 4", n)
	}
	b.step(core.Input{Kind: core.KindClose, At: 9 * time.Second})
	if r := keep("late", 9*time.Second, time.Minute); r.Entry != nil || r.Refused == nil {
		t.Errorf("in a room that is over: %+v", r)
	}
}

// TestEarlierRuntimesLogNoKeptSeats: their own programs must be able to go on with the log.
func TestEarlierRuntimesLogNoKeptSeats(t *testing.T) {
	for runtime := core.OldestRuntime; runtime < 3; runtime++ {
		b := newBench(t, counterRules(), "")
		kept := b.kept()
		kept.Header.Runtime = runtime
		c, err := core.Restore(b.cfg, kept)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Step(core.Input{Kind: core.KindReserve, Player: "x", For: time.Hour})
		if err != nil || r.Entry != nil || r.Refused != nil || len(c.Reservations()) > 0 {
			t.Errorf("runtime %d: %+v, %v, %v", runtime, r, err, c.Reservations())
		}
	}
}

// TestAPlayerWhoNeverCameIsForgotten: a kept seat names its player in the log, and in the state of a snapshot; a redacted replay
// names a tombstone instead.
func TestAPlayerWhoNeverCameIsForgotten(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("ann")
	b.step(core.Input{Kind: core.KindReserve, Player: "never-came", For: time.Hour})
	b.act(m, `{"by":1000}`)
	b.all()
	f, err := b.core.Seal()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(f.Named, "never-came") {
		t.Errorf("the room names %v", f.Named)
	}
	r := core.Redaction{Player: "never-came", Gone: "tombstone"}
	now, err := r.Rerun(counterRules(), f.Replay.Join())
	if err != nil {
		t.Fatal(err)
	}
	replay, err := core.ReadReplay(now.Replay.Reader())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range replay.Entries {
		if e.Kind == core.KindReserve && e.Player != "tombstone" {
			t.Errorf("input %d is of %s", e.Index, e.Player)
		}
	}
}
