package actor_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
)

// TestARoomOfADroppedRuntimeGoesOn starts a program without the room's runtime, after a program with it was stopped, and after
// one was killed.
func TestARoomOfADroppedRuntimeGoesOn(t *testing.T) {
	n := newNode(t)
	defer func() { n.stop() }()
	id := n.create(actor.Create{Game: "counter"})
	n.journal.rooms[id].kept.Header.Runtime = 1
	n.restart()
	a := n.player(id, "a")
	a.next("welcome")
	a.act(`{"ADD":1}`) // names are folded by the first runtime
	dropped := func(o *setup) { o.Core.OldestRuntime = 2 }
	if found := n.restart(dropped); found != (lifecycle.Restored{Held: 1}) {
		t.Fatalf("killed, it is restored as %+v", found)
	}
	if held := n.owner.Held(); !strings.Contains(held[0].Why, "version 1 of the runtime") || !strings.Contains(held[0].Why, "cleanly") {
		t.Errorf("held: %+v", held)
	}
	n.restart(func(o *setup) { o.Core.OldestRuntime = 1 })
	n.stop()
	dropped(&n.options)
	n.boot()
	if found, err := n.owner.Restore(t.Context()); err != nil || found != (lifecycle.Restored{Rooms: 1}) {
		t.Fatalf("stopped, it is restored as %+v, %v", found, err)
	}
	h := hello("a")
	h.Attempt = 2
	b := n.attach(id, h)
	if at := b.next("welcome"); at.num("cseq") != 1 {
		t.Errorf("welcomed as %v", at)
	}
	b.resend(1, `{"ADD":1}`)
	b.next("ack") // the answer of before
	b.resend(2, `{"ADD":1}`)
	b.next("reject")
	b.resend(3, `{"add":1}`)
	b.next("ack")
	n.wantSum(id, 2)
	if found := n.restart(); found != (lifecycle.Restored{Rooms: 1}) {
		t.Errorf("after the move, killed, it is restored as %+v", found)
	}
	n.wantSum(id, 2)
	look, err := n.Inspect(t.Context(), id, actor.Look{})
	if err != nil || look.Info.Phase == core.PhaseOver {
		t.Errorf("it is %s, %v", look.Info.Phase, err)
	}
}
