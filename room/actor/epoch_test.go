package actor_test

import (
	"log/slog"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// TestAnEpochBeginsWhileCommitsAreUnderWay enters an epoch with the log's window full. The commits of the old epoch that come
// then do not count, and are nothing to complain of; that of the new epoch makes up for them.
func TestAnEpochBeginsWhileCommitsAreUnderWay(t *testing.T) {
	var log testwait.Log
	n, j := newSlowNode(t, func(o *setup) {
		o.Window, o.Log = 2, slog.New(slog.NewTextHandler(&log, nil))
	})
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	for range 3 {
		n.stepped(a, id, 1)
	}
	n.EnterEpoch(id, 2)
	n.EnterEpoch(id, 2) // it is there already
	n.EnterEpoch("nosuchroom", 9)
	testwait.Until(t, "the epoch is handed to the journal", func() bool { return len(j.underway()) == 4 })
	end := n.stepped(a, id, 1)
	n.Committed(id, record.Point{Epoch: 1, Seq: end - 2})
	if look, err := n.Inspect(t.Context(), id, actor.Look{}); err != nil || look.Committed >= end-4 || look.Point != (record.Point{Epoch: 2, Seq: end}) {
		t.Errorf("the commit of the old epoch counts: %+v, %v", look, err)
	}
	if got := a.acks(); len(got) > 0 {
		t.Errorf("it acknowledges %v", got)
	}
	j.flow(true)
	for range 4 {
		a.next("ack")
	}
	for _, b := range j.kept {
		if b.First <= end-1 && b.Last >= end-1 && b.Epoch != 2 || b.Last < end-1 && b.Epoch != 1 {
			t.Errorf("batch %d to %d is of epoch %d; epoch 2 begins at %d", b.First, b.Last, b.Epoch, end-1)
		}
	}
	if log.String() != "" {
		t.Errorf("it is logged:\n%s", log.String())
	}
}
