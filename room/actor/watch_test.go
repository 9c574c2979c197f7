package actor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// watching is a running Watch.
type watching struct {
	t      testing.TB
	events chan actor.RoomEvent
	over   chan error
}

func (n *node) watch(ctx context.Context, id room.ID, each func(actor.RoomEvent)) *watching {
	w := &watching{n.t, make(chan actor.RoomEvent, 10_000), make(chan error, 1)}
	go func() {
		w.over <- n.Watch(ctx, id, func(e actor.RoomEvent) error {
			if each != nil {
				each(e)
			}
			w.events <- e
			return nil
		})
	}()
	return w
}

func (w *watching) next() actor.RoomEvent {
	w.t.Helper()
	return testwait.Receive(w.t, "an event", w.events)
}

func (w *watching) ended() error {
	w.t.Helper()
	return testwait.Receive(w.t, "the end of the watch", w.over)
}

func TestWatchTellsEveryInputInOrder(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("welcome")
	w := n.watch(t.Context(), id, nil)
	first := w.next()
	if first.Type != actor.EventWatching || first.Index == 0 || first.Epoch == 0 {
		t.Fatalf("it begins with %+v", first)
	}
	for i := range 5 {
		seq := a.act(`{"add":1}`).num("seq")
		e := w.next()
		if e.Type != actor.EventInput || e.Kind != "act" || e.Player != "a" || e.CSeq != record.CSeq(i+1) || int(e.Index) != seq || e.Bytes != len(`{"add":1}`) || e.Data != `{"add":1}` || e.Code != "" {
			t.Errorf("act %d at %d was told as %+v", i+1, seq, e)
		}
		if e.Index != first.Index+room.Index(i)+1 || e.Commit >= e.Index {
			t.Errorf("told %+v after %+v", e, first)
		}
	}
	refused := `{"add":-1,"note":"` + strings.Repeat("é", 600) + `"}`
	a.send(refused)
	if e := w.next(); e.Code == "" || e.Bytes != len(refused) || !strings.HasPrefix(refused, e.Data) || len(e.Data) < 1000 || len(e.Data) > 1024 {
		t.Errorf("a long act that is refused was told as %+v", e)
	}
	if err := n.Close(t.Context(), id, "enough"); err != nil {
		t.Fatal(err)
	}
	if e := w.next(); e.Kind != "close" {
		t.Errorf("the close was told as %+v", e)
	}
	if e := w.next(); e.Type != actor.EventOver || e.End != record.Closed || e.Commit < e.Index {
		t.Errorf("the end was told as %+v", e)
	}
	if err := w.ended(); err != nil {
		t.Error(err)
	}
	id = n.create(actor.Create{Game: "counter"}) // lingers when it is finished
	a = n.player(id, "a")
	if w = n.watch(t.Context(), id, nil); a.act(`{"finish":true}`) == nil || w.ended() != nil {
		t.Error("the watch of a finished game failed")
	}
	late := n.watch(t.Context(), id, nil)
	switch err := late.ended(); { // it may have left memory by now
	case errors.Is(err, actor.ErrNotFound):
	case err != nil:
		t.Error(err)
	case late.next().Type != actor.EventWatching || late.next().Type != actor.EventOver:
		t.Error("a watch of what is over does not say so")
	}
}

func TestASlowWatcherMissesEventsAndTheRoomDoesNotWait(t *testing.T) {
	n := newNode(t, func(o *setup) { o.WatchQueue = 4 })
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("welcome")
	held, began := make(chan struct{}), make(chan struct{})
	w := n.watch(t.Context(), id, func(e actor.RoomEvent) {
		if e.Type == actor.EventWatching {
			close(began)
			<-held
		}
	})
	<-began
	for range 20 {
		a.act(`{"add":1}`) // answered, so stepped and committed
	}
	close(held)
	if e := w.next(); e.Type != actor.EventWatching {
		t.Fatalf("it begins with %+v", e)
	}
	for i := range 4 {
		if e := w.next(); e.CSeq != record.CSeq(i+1) {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if e := w.next(); e.Type != actor.EventMissed || e.Missed != 16 {
		t.Errorf("what it missed was told as %+v", e)
	}
	a.act(`{"add":1}`)
	if e := w.next(); e.CSeq != 21 {
		t.Errorf("it goes on with %+v", e)
	}
}

func TestAWatchEnds(t *testing.T) {
	n := newNode(t)
	id := n.create(actor.Create{Game: "counter"})
	if err := n.Watch(t.Context(), "0123456789abcdef", nil); err != actor.ErrNotFound {
		t.Errorf("of no room: %v", err)
	}
	enough := errors.New("enough")
	if err := n.Watch(t.Context(), id, func(actor.RoomEvent) error { return enough }); err != enough {
		t.Errorf("whose reader fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	given := n.watch(ctx, id, nil)
	given.next()
	cancel()
	if err := given.ended(); !errors.Is(err, context.Canceled) {
		t.Errorf("that is given up: %v", err)
	}
	w := n.watch(t.Context(), id, nil)
	w.next()
	n.stop()
	if e := w.next(); e.Type != actor.EventMoved {
		t.Errorf("the room left, and the watcher was told %+v", e)
	}
	if err := w.ended(); err != nil {
		t.Errorf("of a room that left: %v", err)
	}
}

func TestListIsSearched(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	open := n.create(actor.Create{Game: "counter", Name: "Friday Night"})
	private := n.create(actor.Create{Game: "counter", Private: true})
	found, err := n.Inspect(t.Context(), private, actor.Look{})
	if err != nil {
		t.Fatal(err)
	}
	zoe := hello("zoë")
	zoe.Code = found.Info.Code
	n.attach(private, zoe).next("welcome")
	testwait.Until(t, "the list has heard of zoë", func() bool { return len(n.List(actor.Filter{Search: "zoë", Private: true})) == 1 })
	for _, test := range []struct {
		what string
		f    actor.Filter
		want room.ID
	}{
		{"by name", actor.Filter{Search: "friday n"}, open},
		{"by the id's beginning", actor.Filter{Search: string(open[:8])}, open},
		{"by player", actor.Filter{Search: "zoë", Private: true}, private},
		{"private ones alone", actor.Filter{Private: true, Hidden: true}, private},
		{"by node", actor.Filter{Node: "n1"}, open},
		{"by another node", actor.Filter{Node: "n2", Private: true}, ""},
		{"private ones are hidden", actor.Filter{Search: "zoë"}, ""},
		{"by what is not there", actor.Filter{Search: "saturday", Private: true}, ""},
	} {
		got := n.List(test.f)
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || got[0].ID != test.want) {
			t.Errorf("%s: %v", test.what, got)
		}
	}
}
