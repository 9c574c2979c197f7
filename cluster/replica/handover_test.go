package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
)

// TestAHandoverIsAwaited sends a client to the standby before the room is yielded, as an edge does that was told. The attach waits for the
// room. The player stays connected in the game's eyes, until it is clear that its own client does not come.
func TestAHandoverIsAwaited(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	id := w.node("a").create()
	o, s := w.standby(id)
	if node, heir := s.Next(id); node != o.name || !heir {
		t.Errorf("the standby says that the room is at %q, heir: %v", node, heir)
	}
	first := o.join(id, "first", 0)
	first.act(`{"add":1}`)
	first.acked()
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	attached := make(chan error, 1)
	go func() {
		watcher := actor.NewOutbox(actor.OutboxOptions{Wake: func() {}})
		_, err := s.Attach(ctx, id, actor.Hello{Spectate: true, Client: "second", Coming: true}, watcher)
		attached <- err
	}()
	select {
	case err := <-attached:
		t.Fatalf("the attach does not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	w.yields(id, o, s)
	if err := <-attached; err != nil {
		t.Fatalf("the attach that has waited: %v", err)
	}
	testwait.Until(t, "the former owner says where the room is", func() bool { node, heir := o.Next(id); return node == s.name && heir })
	online := func() bool {
		info, err := s.Info(id)
		return err == nil && len(info.Seats) > 0 && info.Seats[0].Online
	}
	testwait.Until(t, "who does not come is disconnected", func() bool { return !online() })
	log, err := s.journal.Load(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	last := log.Batches[len(log.Batches)-1]
	if log.Batches[len(log.Batches)-2].Epoch != last.Epoch {
		t.Errorf("the player was disconnected with the handover, at %v", last.Time)
	}
}

// TestARoomThatDoesNotComeIsNotAwaited sends a client to a standby whose owner keeps the room.
func TestARoomThatDoesNotComeIsNotAwaited(t *testing.T) {
	w := newWorld(t, "a", "b")
	id := w.node("a").create()
	_, s := w.standby(id)
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	box := actor.NewOutbox(actor.OutboxOptions{Wake: func() {}})
	if _, err := s.Attach(ctx, id, actor.Hello{Spectate: true, Coming: true}, box); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("the attach answers %v", err)
	}
}

// TestADrainLooksForAStandbyThatStays drains two of four nodes at once that have rooms together. Each room gets another standby before it is
// given away, so that none takes the way through the store, in which nobody serves it.
func TestADrainLooksForAStandbyThatStays(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d")
	owners := []*node{w.node("a"), w.node("b")}
	for i := range 20 {
		w.standby(owners[i%2].create())
	}
	w.mu.Lock()
	w.leave["a"], w.leave["b"] = true, true
	w.mu.Unlock()
	drained := make(chan error, 2)
	for _, n := range owners {
		go func() { drained <- n.owner.Drain(t.Context()) }()
	}
	for range owners {
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range owners {
		if m := n.owner.Moves(); m.Released > 0 || m.Yielded == 0 {
			t.Errorf("%s has released %d rooms and yielded %d", n.name, m.Released, m.Yielded)
		}
	}
}
