package actor_test

import (
	"testing"
	"time"

	"github.com/roomring/roomring/room/actor"
)

// TestStuckCountsFromTheLastFall has a reader fall behind, catch up, and fall behind again: its time begins anew.
func TestStuckCountsFromTheLastFall(t *testing.T) {
	clock := &manual{timers: map[*manualTimer]time.Duration{}}
	box := actor.NewOutbox(actor.OutboxOptions{Clock: clock, MaxBytes: 4, StuckAfter: 10 * time.Second})
	feed := actor.NewFeed(box)
	stuck := make(chan struct{}, 1)
	feed.Deliver(&actor.Bindings{Refill: func() {}, Stuck: func() { stuck <- struct{}{} }})
	fall := func() {
		feed.Deliver(&actor.Say{Frame: []byte("turn"), Fate: actor.Drop, Seq: 1, Events: 1})
		feed.Deliver(&actor.Say{Frame: []byte("turn"), Fate: actor.Drop, Seq: 2, Events: 1})
		if !box.Stats().Behind {
			t.Fatal("it is not behind")
		}
	}
	fall()
	clock.advance(9 * time.Second)
	box.Take(nil, 100)
	feed.Deliver(&actor.View{Seq: 2, Encode: func(uint64) []byte { return []byte("view") }})
	fall() // before the writer has come for the view
	if clock.sets(10*time.Second) || !clock.sets(19*time.Second) {
		t.Fatal("its time is not up 10 s after it fell behind last")
	}
	clock.advance(10 * time.Second)
	select {
	case <-stuck:
	case <-timeout():
		t.Error("a reader that takes nothing is not stuck")
	}
}
