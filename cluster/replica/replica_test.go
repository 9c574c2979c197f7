package replica_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

func (n *node) create() room.ID {
	n.w.t.Helper()
	info, err := n.Create(n.w.t.Context(), actor.Create{Game: "adder"})
	if err != nil {
		n.w.t.Fatal(err)
	}
	return info.ID
}

// standby waits until a room has a standby and returns its node.
func (w *world) standby(id room.ID) (owner, standby *node) {
	w.t.Helper()
	testwait.Until(w.t, "the room has a standby", func() bool {
		row := w.row(id)
		owner, standby = nil, nil
		for _, n := range w.nodes {
			switch {
			case n.ended:
			case n.folder.ID() == row.Folder:
				owner = n
			case n.folder.ID() == row.Standby:
				standby = n
			}
		}
		return owner != nil && standby != nil
	})
	return owner, standby
}

// last is the end of what a node's journal has of a room.
func (n *node) last(id room.ID) room.Index {
	kept, err := n.journal.Load(n.w.t.Context(), id)
	if err != nil {
		return 0
	}
	return kept.Last()
}

func (n *node) sum(id room.ID) int {
	info, err := n.Inspect(n.w.t.Context(), id, actor.Look{View: &room.Spectator})
	if err != nil {
		return -1
	}
	var sum int
	_, _ = fmt.Sscanf(string(info.View), `{"sum":%d}`, &sum)
	return sum
}

// TestTwoJournalsHaveWhatIsAcknowledged reads the standby's journal after each acknowledgement.
func TestTwoJournalsHaveWhatIsAcknowledged(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	id := w.node("a").create()
	p := w.node("a").join(id, "x", 0)
	p.act(`{"add":1}`)
	p.acked()
	_, s := w.standby(id)
	for range 20 {
		p.act(`{"add":1}`)
		p.acked()
		info, err := w.node("a").Info(id)
		if err != nil {
			t.Fatal(err)
		}
		if have := s.last(id); have < info.Index {
			t.Fatalf("the room is at %d, and its standby has %d", info.Index, have)
		}
	}
}

// TestTheStandbySeizesTheRoomOfADeadOwner ends owners one after another. Nothing that was acknowledged is missing.
func TestTheStandbySeizesTheRoomOfADeadOwner(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	id := w.node("a").create()
	cseq := uint64(0)
	for round := range 2 {
		o, s := w.standby(id)
		p := o.join(id, "x", cseq)
		for range 10 {
			p.act(`{"add":1}`)
		}
		p.acked()
		cseq = p.cseq
		o.end()
		testwait.Until(t, "the standby serves the room", func() bool { return s.sum(id) == 10*(round+1) })
	}
}

// TestAnOwnerThatIsCutOffAcknowledgesNothing cuts an owner's links and lets it run on. Its standby seizes the room.
func TestAnOwnerThatIsCutOffAcknowledgesNothing(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	id := w.node("a").create()
	o, s := w.standby(id)
	p := o.join(id, "x", 0)
	p.act(`{"add":1}`)
	p.acked()
	o.cut()
	p.act(`{"add":100}`)
	testwait.Until(t, "the standby serves the room", func() bool { return s.sum(id) >= 0 })
	if sum := s.sum(id); sum != 1 && sum != 101 {
		t.Errorf("the sum is %d at the standby", sum)
	}
	lost := s.sum(id) == 1
	testwait.Until(t, "the former owner lets go", func() bool { _, err := o.Info(id); return err != nil })
	p.read()
	if lost && p.acks == p.cseq {
		t.Error("the former owner has acknowledged what its successor does not have")
	}
}

// TestALongLogIsFilled gives a room with a long log another standby. Play goes on meanwhile.
func TestALongLogIsFilled(t *testing.T) {
	w := newWorld(t, "a", "b")
	id := w.node("a").create()
	p := w.node("a").join(id, "x", 0)
	pad := strings.Repeat("x", 20_000)
	for range 100 {
		p.act(`{"add":1,"pad":"` + pad + `"}`)
		p.acked()
	}
	w.standby(id)
	w.node("b").end()
	c := w.start("c", t.TempDir())
	w.connect()
	for done := false; !done; {
		p.act(`{"add":1}`)
		p.acked()
		row := w.row(id)
		done = row.Standby == c.folder.ID()
	}
	p.act(`{"add":1}`)
	p.acked()
	info, err := w.node("a").Info(id)
	if err != nil {
		t.Fatal(err)
	}
	if have := c.last(id); have < info.Index {
		t.Errorf("the room is at %d, and its new standby has %d", info.Index, have)
	}
	sum := w.node("a").sum(id)
	w.node("a").end()
	testwait.Until(t, "the new standby serves the room", func() bool { return c.sum(id) == sum })
}

// TestARestartedStandbyIsFedAgain restarts a standby with its folder. It follows on without being filled from nothing.
func TestARestartedStandbyIsFedAgain(t *testing.T) {
	w := newWorld(t, "a", "b")
	id := w.node("a").create()
	p := w.node("a").join(id, "x", 0)
	p.act(`{"add":1}`)
	p.acked()
	_, s := w.standby(id)
	dir := s.dir
	s.end()
	p.act(`{"add":1}`)
	p.acked() // the owner goes on alone
	b := w.start("b", dir)
	w.connect()
	testwait.Until(t, "the room has its standby again", func() bool { return w.row(id).Standby == b.folder.ID() })
	p.act(`{"add":1}`)
	p.acked()
	w.node("a").end()
	testwait.Until(t, "the standby serves the room", func() bool { return b.sum(id) == 3 })
}

// TestADrainedOwnerYields gives a node's rooms to their standbys.
func TestADrainedOwnerYields(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	var ids []room.ID
	for range 20 {
		ids = append(ids, w.node("a").create())
	}
	for _, id := range ids {
		w.standby(id)
	}
	w.mu.Lock()
	w.leave["a"] = true
	w.mu.Unlock()
	if err := w.node("a").owner.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := w.node("a").folder.ID()
	for _, id := range ids {
		if row := w.row(id); row.Folder == a || row.Standby == a {
			t.Errorf("room %s still names the node that has drained: %+v", id, row)
		}
	}
	for _, id := range ids {
		w.standby(id)
	}
}

// TestARoomAloneAnswersAtOnce makes a room where no other node is.
func TestARoomAloneAnswersAtOnce(t *testing.T) {
	w := newWorld(t, "a")
	id := w.node("a").create()
	p := w.node("a").join(id, "x", 0)
	began := time.Now()
	p.act(`{"add":1}`)
	p.acked()
	if took := time.Since(began); took > ceiling/2 {
		t.Errorf("it took %s", took)
	}
}

// TestAYieldedRoomIsServedAtOnce hands rooms from node to node and back. The new owner waits for nothing but its standby's answer.
func TestAYieldedRoomIsServedAtOnce(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	late := 0
	for i := range 8 {
		id := w.node("a").create()
		for round := range 3 {
			o, s := w.standby(id)
			w.yields(id, o, s)
			testwait.Until(t, "the standby serves the room", func() bool { return s.sum(id) >= 0 })
			began := time.Now()
			p := s.join(id, fmt.Sprint("x", i, round), 0)
			p.act(`{"add":1}`)
			p.acked()
			if time.Since(began) > patience {
				late++
			}
		}
	}
	if late > 12 { // of 24: a busy machine may be late now and then
		t.Errorf("%d of 24 rooms waited until their new owner had lost its patience", late)
	}
}

// TestAnOwnerThatCanSaveNothingYields has a node's journal fail. Its rooms go on at their standbys, which let the node go at once.
func TestAnOwnerThatCanSaveNothingYields(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	id := w.node("a").create()
	o, s := w.standby(id)
	p := o.join(id, "x", 0)
	p.act(`{"add":1}`)
	p.acked()
	failed := errors.New("the disk is full")
	o.failing.Store(&failed)
	testwait.Until(t, "the standby serves the room", func() bool { return s.sum(id) == 1 })
	q := s.join(id, "y", 0)
	q.act(`{"add":1}`)
	q.acked()
	testwait.Until(t, "another node becomes the standby", func() bool {
		row := w.row(id)
		return row.Folder == s.folder.ID() && row.Standby != "" && row.Standby != o.folder.ID()
	})
}
