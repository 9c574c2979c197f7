package actor_test

import (
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock/clocktest"
)

// TestStuckCountsFromTheLastFall lets a reader fall behind, catch up, and fall behind again: its time begins anew.
func TestStuckCountsFromTheLastFall(t *testing.T) {
	clock := clocktest.New()
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
	clock.Jump(9 * time.Second)
	box.Take(nil, 100)
	feed.Deliver(&actor.View{Seq: 2, Encode: func(uint64) []byte { return []byte("view") }})
	fall() // before the writer has come for the view
	if at, ok := clock.Next(); !ok || at != 19*time.Second {
		t.Fatal("its time is not up 10 s after it fell behind last")
	}
	clock.Jump(10 * time.Second)
	testwait.Receive(t, "the end of a reader that takes nothing", stuck)
}
