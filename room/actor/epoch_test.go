package actor_test

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock/clocktest"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
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

// TestASlowClientIsToldTheEpoch raises the epoch while one client reads and another does not. The one hears it with the next turn;
// the other has missed that, and hears it with the whole view. Each comes back with what it has been told, and misses nothing.
func TestASlowClientIsToldTheEpoch(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	slow := newClient(t, actor.OutboxOptions{MaxBytes: 1000})
	n.attachClient(id, hello("slow"), slow)
	slow.next("state")
	a.next("state")
	a.send(`{"add":1}`)
	if turn := a.next("turn"); turn["epoch"] != nil {
		t.Errorf("before: %v", turn)
	}
	a.next("ack")
	n.EnterEpoch(id, 4)
	for i := range 50 {
		a.send(`{"add":1}`)
		if turn := a.next("turn"); (turn.num("epoch") == 4) != (i == 0) {
			t.Errorf("turn %d: %v", i, turn)
		}
		a.next("ack")
	}
	if view := slow.next("state"); view.num("epoch") != 4 || view.num("lost") == 0 {
		t.Errorf("the slow one gets %v", view)
	}
	a.send(`{"add":1}`)
	end := slow.next("turn").num("seq")
	if at := slow.box.Resume(); at == nil || *at != (record.Point{Epoch: 4, Seq: room.Index(end)}) {
		t.Errorf("it can go on from %v, and has %d", at, end)
	}
	if info, err := n.Info(id); err != nil || info.Epoch != 4 {
		t.Errorf("the room is %+v, %v", info, err)
	}
	for _, from := range []record.Point{{Epoch: 1, Seq: 4}, {Epoch: 4, Seq: room.Index(end)}} {
		h := hello("a")
		h.Resume = &from
		h.Attempt = 2
		if at := n.attach(id, h).next("welcome"); at["recovered"] != true || at.num("epoch") != 4 {
			t.Errorf("from %v: %v", from, at)
		}
	}
}

// TestAnEpochBetweenTicks begins an epoch in a room that ticks: the next tick tells it, and answers go out with their ticks.
func TestAnEpochBetweenTicks(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "ticker"})
	a := n.player(id, "a")
	a.next("state")
	a.next("turn")
	n.EnterEpoch(id, 2)
	a.send(`{}`)
	testwait.Until(t, "a tick tells the epoch", func() bool { return a.next("turn").num("epoch") == 2 })
	for range 5 {
		if turn := a.next("turn"); turn["epoch"] != nil {
			t.Errorf("told again: %v", turn)
		}
	}
	a.cseq = 1
	a.act(`{}`)
}

// TestAClientKnowsAHigherEpoch attaches clients that know the room at a higher epoch than its node does. The row is read, once a
// second at most, because anybody may say so. When another node has the room, it leaves, and a spectator who waits for it too.
func TestAClientKnowsAHigherEpoch(t *testing.T) {
	c := clocktest.New()
	d := &doubtful{sure: true}
	n := newNode(t, func(o *setup) {
		o.Clock, o.MaxSpectators = c, 1000
		o.Through = func(l actor.Logs) actor.Logs { d.Logs = l; return d }
	})
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	watching := hello("w")
	watching.Spectate = true
	attach := func(epoch record.Epoch) {
		t.Helper()
		watching.Resume = &record.Point{Epoch: epoch, Seq: 1}
		n.attach(id, watching).next("state")
	}
	attach(1)
	n.EnterEpoch(id, 2)
	a.act(`{"add":1}`)
	attach(2)
	seconds := int64(1) // a question whose answer is still under way when the next one comes shares that answer
	testwait.Until(t, "the row is read again", func() bool {
		for range 20 {
			attach(9)
		}
		got := n.reads.Load()
		if got > seconds {
			t.Errorf("the row was read %d times in %d s", got, seconds)
		}
		c.Advance(time.Second)
		seconds++
		return got >= 3
	})
	a.act(`{"add":1}`)

	d.be(false)
	n.moved.Store(&record.Row{Room: id, State: record.RowLive, Epoch: 3, Folder: "f2", Boot: "b2"})
	watching.Resume = &record.Point{Epoch: 3, Seq: 1}
	var spectators sync.WaitGroup
	var told atomic.Pointer[actor.CloseError]
	testwait.Until(t, "a spectator hears of the row", func() bool {
		c.Advance(time.Second)
		spectators.Go(func() { // who comes when the room has left finds none
			_, err := n.Attach(t.Context(), id, watching, actor.NewOutbox(actor.OutboxOptions{}))
			if closed, is := errors.AsType[*actor.CloseError](err); is {
				told.Store(closed)
			}
		})
		return told.Load() != nil
	})
	spectators.Wait()
	if err := told.Load(); err.Code != wire.CloseMoved {
		t.Errorf("the spectator is told %v", err)
	}
	if code := a.closed(); code != wire.CloseMoved {
		t.Errorf("the player is closed with %d", code)
	}
}
