package journal_test

import (
	"testing"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// cutAt is a batch that begins a log.
func cutAt(t *testing.T, id room.ID, first, last room.Index) record.Batch {
	entries := []core.Entry{{Index: first, Epoch: 1, Input: core.Input{Kind: core.KindCut, Version: 3, Data: []byte("the state")}}}
	for i := first + 1; i <= last; i++ {
		entries = append(entries, core.Entry{Index: i, Epoch: 1, Input: core.Input{Kind: core.KindDetach}})
	}
	raw, err := core.EncodeEntries(nil, entries...)
	if err != nil {
		t.Fatal(err)
	}
	return record.Batch{Room: id, Epoch: 1, First: first, Last: last, Begins: true, Entries: raw}
}

// TestCutDeletesWhatLiesBefore checks that a log which begins anew loses what lies before, and other rooms lose nothing. What is left
// can be loaded and given away.
func TestCutDeletesWhatLiesBefore(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id, other := roomID(1), roomID(2)
	n.create(id, other)
	n.append(batch(id, 1, 1, 5), &record.Snapshot{Room: id, Epoch: 1, Index: 5, Data: []byte("old")})
	n.append(batch(other, 1, 1, 5), &record.Snapshot{Room: other, Epoch: 1, Index: 5, Data: []byte("old")})
	// Both may be in one group, but must not become one record.
	written := make(chan error, 3)
	for _, b := range []record.Batch{batch(id, 1, 6, 7), cutAt(t, id, 8, 9), cutAt(t, id, 10, 12)} {
		if err := n.Append(b, nil, func(err error) { written <- err }); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := <-written; err != nil {
			t.Fatal(err)
		}
	}
	n.append(record.Batch{Room: id, Epoch: 1}, &record.Snapshot{Room: id, Epoch: 1, Index: 12, Data: []byte("new")})
	check := func(kept record.Kept) {
		t.Helper()
		if len(kept.Batches) != 1 || kept.Batches[0].First != 10 || kept.Last() != 12 || kept.Cut != "" || len(kept.Snapshots) != 1 || kept.Snapshots[0].Index != 12 {
			t.Errorf("kept %+v", kept)
		}
		if err := core.CheckKept(&kept); err != nil {
			t.Error(err)
		}
	}
	check(n.load(id))
	n.close()
	n = open(t, dir, journal.Options{})
	kept := n.load(id)
	check(kept)
	if end := checkLog(t, n.load(other)); end != 5 {
		t.Errorf("the other room's log ends at %d", end)
	}
	to := open(t, t.TempDir(), journal.Options{})
	if err := to.Import(within(t), kept); err != nil {
		t.Fatal(err)
	}
	check(to.load(id))
}
