package replica_test

import (
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// fatal is the fingerprint of a step in which processes die.
const fatal = 42

// dies ends the owner of a room in the fatal step, of which it has told the standby.
func (w *world) dies(id room.ID) (next *node) {
	w.t.Helper()
	o, s := w.standby(id)
	testwait.Until(w.t, "the standby knows of the step", func() bool {
		o.copies.Long(id, fatal)
		_, open := s.copies.Stepping(id)
		return open
	})
	o.end()
	return s
}

// serves waits until a node serves a room, whose row says how many have died in the fatal step.
func (n *node) serves(id room.ID, deaths int) {
	n.w.t.Helper()
	testwait.Until(n.w.t, n.name+" serves the room", func() bool { return n.sum(id) >= 0 && n.w.row(id).Folder == n.folder.ID() })
	want := record.Strike{Fingerprint: fatal, Deaths: deaths}
	if deaths == 0 {
		want = record.Strike{}
	}
	if row := n.w.row(id); row.Strike != want {
		n.w.t.Fatalf("the row at %s says %+v, not %+v", n.name, row.Strike, want)
	}
	if known := n.journal.BlackBox().Deaths(id, fatal); known != deaths {
		n.w.t.Fatalf("%s knows of %d deaths, not %d", n.name, known, deaths)
	}
}

// aborted waits until a room has ended so.
func (w *world) aborted(id room.ID) {
	w.t.Helper()
	testwait.Until(w.t, "the room is over", func() bool { return w.row(id).State == record.RowOver })
	if r, err := w.store.Result(w.t.Context(), id); err != nil || r.End != record.Aborted {
		w.t.Errorf("it ended as %s: %v", r.End, err)
	}
}

// TestDeathsAreCountedFromNodeToNode has the owner of a room die, its standby hand the room to a third node, and that one die in the same
// step.
func TestDeathsAreCountedFromNodeToNode(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	id := w.node("a").create()
	s := w.dies(id)
	s.serves(id, 1)
	_, third := w.standby(id)
	w.yields(id, s, third)
	third.serves(id, 1)
	w.standby(id)
	if !third.copies.Before(id, fatal+1) {
		t.Error("a room in which a process has died tells nobody what it steps")
	}
	third.copies.After(id, fatal+1)
	w.dies(id)
	w.aborted(id)
}

// TestDeathsAreCountedThroughTheStore has a room released between two deaths, to a node that has never seen it.
func TestDeathsAreCountedThroughTheStore(t *testing.T) {
	w := newWorld(t, "a", "b")
	id := w.node("a").create()
	s := w.dies(id)
	s.serves(id, 1)
	if err := s.owner.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if row := w.row(id); row.State != record.RowReleased || row.Strike.Deaths != 1 {
		t.Fatalf("released: %+v", row)
	}
	s.end()
	c := w.start("c", t.TempDir())
	if err := c.owner.Want(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	c.serves(id, 1)
	w.start("d", t.TempDir())
	w.connect()
	w.dies(id)
	w.aborted(id)
}

// TestDeathsOfWhoIsAlone has a process know from its own folder that one died, and later that this is forgiven.
func TestDeathsOfWhoIsAlone(t *testing.T) {
	w := newWorld(t, "a")
	a := w.node("a")
	id := a.create()
	testwait.Until(t, "it has a row", func() bool { _, err := w.store.Row(t.Context(), id); return err == nil })
	if err := a.journal.BlackBox().Strike(t.Context(), id, fatal, 1); err != nil {
		t.Fatal(err)
	}
	dir := a.dir
	for _, deaths := range []int{1, 1, 0} {
		if deaths == 0 {
			time.Sleep(2 * time.Millisecond) // it is forgiven after one
			a.journal.BlackBox().Begin(id, fatal).Release()
		}
		a.end()
		a = w.start("a", dir)
		a.serves(id, deaths)
	}
}

// TestAStrikeIsForgiven has the fatal step return at last. The next change of the row says so.
func TestAStrikeIsForgiven(t *testing.T) {
	w := newWorld(t, "a", "b")
	id := w.node("a").create()
	s := w.dies(id)
	s.serves(id, 1)
	time.Sleep(2 * time.Millisecond) // it is forgiven after one
	s.journal.BlackBox().Begin(id, fatal).Release()
	w.start("c", t.TempDir())
	w.connect()
	w.standby(id)
	s.serves(id, 0)
	w.dies(id).serves(id, 1)
}
