package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// refuseRoom makes the journal refuse one room's appends.
func (j *journal) refuseRoom(id room.ID, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rooms[id].refused = err
}

func (j *journal) tries() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.appends
}

func (n *node) wantSum(id room.ID, sum int) {
	n.t.Helper()
	look, err := n.Inspect(context.Background(), id, actor.Look{View: &room.Viewer{}})
	if err != nil || !strings.Contains(string(look.View), fmt.Sprintf(`"sum":%d}`, sum)) {
		n.t.Errorf("the room is seen as %s with %v, want the sum %d", look.View, err, sum)
	}
}

// TestRoomThatCanNeverBeSaved: the journal refuses one room for good. That is logged once, the room is held, and what was
// acknowledged comes back with the next start.
func TestRoomThatCanNeverBeSaved(t *testing.T) {
	var log testwait.Log
	n := newNode(t, func(o *setup) {
		o.Check = time.Millisecond
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	defer func() { n.stop() }()
	id, other := n.create(actor.Create{Game: "counter"}), n.create(actor.Create{Game: "counter"})
	ann, bob := n.player(id, "ann"), n.player(other, "bob")
	ann.act(`{"add":1}`)
	bob.act(`{"add":1}`)
	n.journal.refuseRoom(id, record.Permanent(errors.New("too big for one batch")))
	before := n.journal.tries()
	ann.send(`{"add":2}`)
	if code := ann.closed(); code != wire.CloseUnreachable {
		t.Errorf("the session was closed with %d", code)
	}
	for _, m := range ann.got {
		if m.kind() == "ack" && m.num("cseq") == 2 {
			t.Errorf("what is not durable was acknowledged: %v", m)
		}
	}
	testwait.Until(t, "the room has left memory", func() bool { return n.Count() == 1 })
	if c := attachError(t, n, id, hello("ann")); c.Code != wire.CloseUnreachable || !strings.Contains(c.Reason, "too big for one batch") {
		t.Errorf("a client that comes now is told %v", c)
	}
	if held := n.owner.Held(); len(held) != 1 || held[0].ID != id || held[0].Released || !strings.Contains(held[0].Why, "too big for one batch") {
		t.Errorf("held: %+v", held)
	}
	if _, err := n.Inspect(context.Background(), id, actor.Look{}); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("the operator is told %v", err)
	}
	tried := n.journal.tries() - before
	time.Sleep(20 * time.Millisecond) // many checks of the journal
	bob.act(`{"add":1}`)
	if again := n.journal.tries() - before; tried > 2 || again > tried+2 { // one is bob's, one more for each may have been a snapshot
		t.Errorf("the room was tried %d times, and %d times with what the other did", tried, again)
	}
	if lines := strings.Count(log.String(), "too big for one batch"); lines != 1 {
		t.Errorf("%d lines of it:\n%s", lines, log.String())
	}
	n.restart()
	n.wantSum(id, 1) // what was acknowledged
	ann = n.player(id, "ann")
	ann.next("welcome")
	ann.cseq = 1
	ann.act(`{"add":2}`)
}

// TestRoomThatCannotBeSavedForAWhile: that is logged once, however often it is tried, and the room goes on.
func TestRoomThatCannotBeSavedForAWhile(t *testing.T) {
	var log testwait.Log
	n := newNode(t, func(o *setup) {
		o.Check = time.Millisecond
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	ann := n.player(id, "ann")
	ann.next("welcome")
	for round := 1; round <= 2; round++ {
		n.journal.refuseRoom(id, errors.New("too much waits"))
		before := n.journal.tries()
		answered := make(chan error, 1)
		go func() { answered <- n.Signal(context.Background(), id, "reset", nil) }()
		testwait.Until(t, "it is tried again", func() bool { return n.journal.tries() > before+5 })
		n.journal.refuseRoom(id, nil)
		if err := testwait.Receive(t, "the signal's answer", answered); err != nil {
			t.Error(err)
		}
		if lines := strings.Count(log.String(), "stands still"); lines != round {
			t.Errorf("%d lines of %d times:\n%s", lines, round, log.String())
		}
	}
}
