package claim

import (
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// TestAWorldWithoutAnEndMoves plays a room far beyond the bound of its log, kills its node, and lets it move: the log begins
// at a cut in journal, store and replay, and nothing acknowledged is missing.
func TestAWorldWithoutAnEndMoves(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	rules, _ := testGames(t).Lookup("adder")
	spec := rules.Spec()
	spec.LogBytes = room.MinLogBytes
	short, err := core.NewGames(room.MustDefine(spec, func() *adder { return &adder{} }))
	if err != nil {
		t.Fatal(err)
	}
	change := func(o *placeOptions) { o.Games = short }
	a := w.node("a", change)
	id, s := a.create("adder"), newSocket(t, "p")
	const acts = 300
	for range acts {
		s.add(id, `{"add":1,"ring":100000}`, a)
	}
	kept, err := a.journal.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, b := range kept.Batches {
		size += len(b.Entries)
	}
	if kept.Batches[0].First == 1 || size > 4*room.MinLogBytes {
		t.Errorf("the journal has %d bytes from %d on", size, kept.Batches[0].First)
	}
	if err := a.drain(bounded(t)); err != nil {
		t.Fatal(err)
	}
	b := w.node("b", change)
	if err := b.Claim(bounded(t), id); err != nil {
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, b)
	if v := b.view(id); v["sum"] != acts+1 {
		t.Errorf("the sum is %d", v["sum"])
	}
}
