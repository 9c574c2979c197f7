package core_test

import (
	"bytes"
	"testing"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// FuzzSnapshot gives the snapshot reader random data. The reader must refuse it or return a room that has views. It never
// panics.
func FuzzSnapshot(f *testing.F) {
	b := newBench(f, cardRules(), "")
	m := b.join("x")
	b.join("y")
	b.act(m, `{"do":"draw"}`)
	snap, err := b.core.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	kept := b.kept()
	f.Add(snap.Data)
	f.Add([]byte{0xa0})
	f.Add([]byte("rubbish"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k := kept
		k.Batches = nil
		k.Snapshots = []record.Snapshot{{Room: snap.Room, Epoch: snap.Epoch, Index: snap.Index, Data: data}}
		c, err := core.Restore(b.cfg, k)
		if err != nil {
			return
		}
		c.Seats()
		c.Deadline()
		if _, err := c.Step(core.Input{Kind: core.KindEpoch, Epoch: c.Point().Epoch + 1}); err == nil {
			_, _ = c.Step(core.Input{Kind: core.KindJoin, Player: "z", Name: "z"})
			_, _ = c.Step(core.Input{Kind: core.KindAttach, Player: "z", Client: "c"})
			_, _ = c.Step(core.Input{Kind: core.KindAct, Player: "z", Client: "c", CSeq: 1, Data: []byte(`{"do":"play"}`)})
		}
	})
}

// FuzzReplay gives the replay reader random data.
func FuzzReplay(f *testing.F) {
	b := newBench(f, counterRules(), "")
	b.act(b.join("x"), `{"by":1000}`)
	sealed, err := b.core.Seal()
	if err != nil {
		f.Fatal(err)
	}
	whole := sealed.Replay.Join()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := core.ReadReplay(bytes.NewReader(data)); err == nil {
			_, _ = core.Run(b.cfg, r.Log(), nil)
		}
	})
}
