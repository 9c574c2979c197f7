package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

func TestARoomElsewhereIsWatched(t *testing.T) {
	g := grid.Wired(t, "a", "b")
	made := g.Nodes["b"].Make(actor.Create{Game: "pair"})
	for _, n := range g.All() {
		ctx, stop := context.WithCancel(t.Context())
		events, over := watch(ctx, n, made.ID)
		if e := next(t, events); e.Type != actor.EventWatching || e.Index == 0 {
			t.Errorf("%s: it begins with %+v", n.Name, e)
		}
		stop()
		if err := ended(t, over); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: given up: %v", n.Name, err)
		}
	}
	events, over := watch(t.Context(), g.Nodes["a"], made.ID)
	next(t, events)
	if err := g.Nodes["a"].Rooms().Close(t.Context(), made.ID, "enough"); err != nil {
		t.Fatal(err)
	}
	if e := next(t, events); e.Type != actor.EventInput || e.Kind != "close" {
		t.Errorf("the close was told as %+v", e)
	}
	if e := next(t, events); e.Type != actor.EventOver || e.End != record.Closed {
		t.Errorf("the end was told as %+v", e)
	}
	if err := ended(t, over); err != nil {
		t.Errorf("after the end: %v", err)
	}
	if err := g.Nodes["a"].Rooms().Watch(t.Context(), grid.RandomID(), nil); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("no such room: %v", err)
	}
	enough := errors.New("enough")
	other := g.Nodes["b"].Make(actor.Create{Game: "pair"})
	if err := g.Nodes["a"].Rooms().Watch(t.Context(), other.ID, func(actor.RoomEvent) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("whose reader fails: %v", err)
	}
}

// Whoever watches a room whose node goes away hears that it is out of reach, not of something broken here.
func TestAWatchWhoseLinkBreaks(t *testing.T) {
	g := grid.Wired(t, "a", "b")
	made := g.Nodes["b"].Make(actor.Create{Game: "pair"})
	events, over := watch(t.Context(), g.Nodes["a"], made.ID)
	next(t, events)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = g.Nodes["b"].Links.Close(gone)
	if err := ended(t, over); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("the link is gone: %v", err)
	}
}

func watch(ctx context.Context, n *grid.Node, id room.ID) (<-chan actor.RoomEvent, <-chan error) {
	events, over := make(chan actor.RoomEvent, 100), make(chan error, 1)
	go func() { over <- n.Rooms().Watch(ctx, id, func(e actor.RoomEvent) error { events <- e; return nil }) }()
	return events, over
}

func next(t *testing.T, events <-chan actor.RoomEvent) actor.RoomEvent {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(30 * time.Second):
		t.Fatal("no event came")
		return actor.RoomEvent{}
	}
}

func ended(t *testing.T, over <-chan error) error {
	t.Helper()
	select {
	case err := <-over:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the watch did not end")
		return nil
	}
}
