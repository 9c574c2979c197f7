package actor_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// ears keeps what it is told.
type ears struct {
	mu     sync.Mutex
	heard  []record.Event
	behind atomic.Bool
}

func (e *ears) Happened(events []record.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, events...)
}

func (e *ears) Behind(room.ID) bool { return e.behind.Load() }

func (e *ears) all() []record.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

// wait waits until n events were heard, and forgets them.
func (e *ears) wait(t *testing.T, n int) []record.Event {
	t.Helper()
	testwait.Until(t, fmt.Sprintf("%d events are told", n), func() bool { return len(e.all()) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	heard := e.heard
	if e.heard = nil; len(heard) != n {
		t.Errorf("%d events were told: %+v", len(heard), heard)
	}
	return heard
}

// story is events as text.
func story(events []record.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s", e.Kind)
		if e.Player != nil {
			fmt.Fprintf(&b, " %s at %d", e.Player.ID, e.Player.Seat)
		}
		b.WriteString("; ")
	}
	return b.String()
}

func TestEventsComeAfterTheirCommitAndAgainWithTheirIDs(t *testing.T) {
	heard := &ears{}
	n := newNode(t, func(o *setup) { o.Events = heard })
	defer func() { n.stop() }()
	id := n.create(actor.Create{Game: "trio"})
	events := heard.wait(t, 1)
	a, b := n.player(id, "a"), n.player(id, "b")
	a.next("state")
	b.next("state")
	n.journal.hold(true)
	late := n.player(id, "c")
	testwait.Until(t, "c has joined, and the journal does not have it", func() bool {
		look, err := n.Inspect(context.Background(), id, actor.Look{})
		return err == nil && look.Point.Seq > look.Committed && len(look.Info.Seats) == 3
	})
	if got := story(heard.all()); got != "player.joined a at 0; player.joined b at 1; " {
		t.Errorf("before the commit was told: %s", got)
	}
	n.journal.hold(false)
	late.next("state")
	events = append(events, heard.wait(t, 3)...)
	leave(t, b)
	n.player(id, "d").next("state")
	events = append(events, heard.wait(t, 1)...)
	if got := story(events); got != "room.created; player.joined a at 0; player.joined b at 1; player.joined c at 2; player.joined d at 1; " {
		t.Errorf("told: %s", got)
	}
	for i, e := range events {
		if e.Private || e.Room != id || e.Game != "trio" || i > 0 && e.Index <= events[i-1].Index || e.ID != fmt.Sprintf("%s:1:%d:%s", id, e.Index, strings.Split(string(e.Kind), ".")[1]) {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if events[0].Created.IsZero() {
		t.Error("when the room was made is not told")
	}
	for range 2 { // a successor of a successor
		if found := n.restart(); found.Rooms != 1 {
			t.Fatalf("%+v", found)
		}
		if again := heard.wait(t, len(events)); !reflect.DeepEqual(again, events) {
			t.Errorf("told again: %+v\nwant %+v", again, events)
		}
	}
	d := n.player(id, "d")
	d.next("state")
	leave(t, d)
	n.player(id, "b").next("state")
	if e := heard.wait(t, 1)[0]; e.Epoch != 3 || e.Player.ID != "b" || e.Player.Seat != 1 {
		t.Errorf("%+v %+v", e, e.Player)
	}
}

func leave(t *testing.T, c *client) {
	t.Helper()
	if err := c.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestALogIsNotCutBeforeItsEventsAreSafe cuts a log only when nothing of it would be forgotten, and tells after it what came since.
func TestALogIsNotCutBeforeItsEventsAreSafe(t *testing.T) {
	heard := &ears{}
	heard.behind.Store(true)
	n := newNode(t, func(o *setup) {
		o.Events = heard
		rules := room.MustDefine(room.Spec{Name: "world", Version: 1, MaxPlayers: 3, LogBytes: room.MinLogBytes, SharedView: true}, func() *counter { return &counter{} })
		all, err := core.NewGames(rules)
		if err != nil {
			t.Fatal(err)
		}
		o.Games = all
	})
	defer func() { n.stop() }()
	id := n.create(actor.Create{Game: "world"})
	a := n.player(id, "a")
	a.next("state")
	cut := func() bool {
		kept, err := n.journal.Load(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		return kept.Batches[0].First > 1
	}
	act := func() {
		for range 3 * room.MinLogBytes / 1000 {
			a.act(fmt.Sprintf(`{"add": 1, "pad": %q}`, strings.Repeat("x", 1000)))
		}
	}
	if act(); cut() {
		t.Error("the log was cut while its events were in memory alone")
	}
	heard.wait(t, 2)
	heard.behind.Store(false)
	if act(); !cut() {
		t.Error("the log is never cut")
	}
	b := n.player(id, "b")
	b.next("state")
	joined := heard.wait(t, 1)
	n.restart()
	if again := heard.wait(t, 1); !reflect.DeepEqual(again, joined) || story(again) != "player.joined b at 1; " {
		t.Errorf("told again: %+v, want %+v", again, joined)
	}
}
