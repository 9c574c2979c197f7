package replica_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/replica"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// TestASnapshotIsTooLargeToBeSent plays until the owner's journal has a snapshot, which is larger than what is sent. The standby gets none
// and takes the room from its log, and so does one that is sent snapshots.
func TestASnapshotIsTooLargeToBeSent(t *testing.T) {
	for name, largest := range map[string]int{"too large": 1, "as large as it may be": 0} {
		t.Run(name, func(t *testing.T) {
			w := newTunedWorld(t, func(o *replica.Options) { o.Snapshot = largest }, "a", "b")
			id := w.node("a").create()
			o, s := w.standby(id)
			p := o.join(id, "x", 0)
			pad := strings.Repeat("x", 20_000)
			acts := 0
			act := func() {
				p.act(`{"add":1,"pad":"` + pad + `"}`)
				p.acked()
				acts++
			}
			testwait.Until(t, "the owner has a snapshot", func() bool { act(); return o.snapshots(id) > 0 })
			act() // what was sent before it has arrived with it
			if largest == 0 {
				testwait.Until(t, "the standby has it", func() bool { return s.snapshots(id) > 0 })
			} else if n := s.snapshots(id); n > 0 {
				t.Errorf("the standby has %d snapshots", n)
			}
			o.end()
			testwait.Until(t, "the standby serves the room", func() bool { return s.sum(id) == acts })
		})
	}
}

// snapshots is how many snapshots of a room a node's journal has.
func (n *node) snapshots(id room.ID) int {
	kept, err := n.journal.Load(n.w.t.Context(), id)
	if err != nil {
		return 0
	}
	return len(kept.Snapshots)
}

// TestAMatchedSeatIsTakenUpAfterATakeover keeps the seats of a room of two for those who were matched, and ends its owner. At the standby
// they can still come, and nobody else.
func TestAMatchedSeatIsTakenUpAfterATakeover(t *testing.T) {
	w := newWorld(t, "a", "b")
	info, err := w.node("a").Create(t.Context(), actor.Create{Game: "adder", Reserve: []room.PlayerID{"ann"}, ReserveFor: ceiling})
	if err != nil {
		t.Fatal(err)
	}
	o, s := w.standby(info.ID)
	if _, err := o.Seat(t.Context(), info.ID, "bob", netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	o.end()
	testwait.Until(t, "the standby serves the room", func() bool { return s.sum(info.ID) >= 0 })
	come := func(p room.PlayerID) error {
		ctx, cancel := context.WithTimeout(t.Context(), ceiling)
		defer cancel()
		_, err := s.Attach(ctx, info.ID, actor.Hello{Player: p, Client: "c"}, actor.NewOutbox(actor.OutboxOptions{}))
		return err
	}
	for p, may := range map[room.PlayerID]bool{"eve": false, "ann": true, "bob": true} {
		var closed *actor.CloseError
		if err := come(p); may && err != nil || !may && (!errors.As(err, &closed) || closed.Code != wire.CloseForbidden) {
			t.Errorf("%s: %v", p, err)
		}
	}
}
