package client

import (
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestResumesFromTheViewAlone checks that neither a welcome nor an answer moves the point to resume from:
// turns up to there may never have come.
func TestResumesFromTheViewAlone(t *testing.T) {
	t.Parallel()
	c := &Client{changed: make(chan struct{}), wake: make(chan struct{}, 1)}
	c.welcomed(wire.Welcome{Epoch: 3, Seq: 20}, nil)
	epoch := uint64(3)
	resume := func(want uint64) {
		t.Helper()
		if got := c.hello().Resume; got == nil || got.Epoch != epoch || got.Seq != want {
			t.Errorf("resumes from %+v, should be from seq %d of epoch %d", got, want, epoch)
		}
	}
	if got := c.hello().Resume; got != nil {
		t.Errorf("resumes from %+v without a view", got)
	}
	for _, step := range []struct {
		m    wire.ServerMessage
		want uint64
	}{
		{wire.State{Seq: 20, View: []byte(`{}`)}, 20},
		{wire.Turn{Seq: 21}, 21},
		{wire.Ack{CSeq: 1, Seq: 25}, 21},
		{wire.Reject{CSeq: 2, Seq: 26}, 21},
		{wire.State{Seq: 27, View: []byte(`{}`)}, 27},
		{wire.State{Seq: 12, View: []byte(`{}`)}, 12}, // of a room that has lost inputs
	} {
		if err := c.apply(step.m); err != nil {
			t.Fatal(err)
		}
		resume(step.want)
	}
	c.welcomed(wire.Welcome{Epoch: 3, Seq: 40, Recovered: true}, nil)
	resume(12)
	for i, m := range []wire.ServerMessage{wire.Turn{Epoch: 5, Seq: 41}, wire.Turn{Seq: 42}, wire.State{Epoch: 6, Seq: 43, View: []byte(`{}`)}} {
		if err := c.apply(m); err != nil {
			t.Fatal(err)
		}
		epoch = []uint64{5, 5, 6}[i] // the last one told, by whatever message
		resume(41 + uint64(i))
	}
}
