package actor_test

import (
	"errors"
	"net/netip"
	"sync"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// TestSharesOfANode fills a node from one address, one network and one player: each gets its share and no more. Then rooms that
// nobody joined are evicted, the oldest of the creator with the most first, and never rooms that somebody joined.
func TestSharesOfANode(t *testing.T) {
	n := newNode(t, func(o *setup) { o.MaxRooms, o.RoomShare = 10, 2 })
	defer n.stop()
	made := func(from string, by room.PlayerID) (room.ID, error) {
		info, err := n.Create(t.Context(), actor.Create{Game: "pair", From: netip.MustParseAddr(from), By: by})
		return info.ID, err
	}
	fill := func(want int, from []string, by room.PlayerID) (ids []room.ID) {
		t.Helper()
		for i := 0; ; i++ {
			id, err := made(from[i%len(from)], by)
			if err != nil {
				if !errors.Is(err, actor.ErrShare) || len(ids) != want {
					t.Fatalf("%d rooms of %v, by %q, then %v; want %d", len(ids), from, by, err, want)
				}
				return ids
			}
			ids = append(ids, id)
		}
	}
	first := fill(2, []string{"192.0.2.1"}, "")
	heavy := fill(4, []string{"2001:db8:1:1::", "2001:db8:1:2::", "2001:db8:1:3::"}, "")
	fill(2, []string{"192.0.2.2", "192.0.2.3", "192.0.2.4"}, "ann")
	n.player(first[0], "bob").next("welcome")
	fill(2, []string{"192.0.2.5"}, "")
	if _, err := n.Create(t.Context(), actor.Create{Game: "pair", Keep: true}); err != actor.ErrTooMany {
		t.Errorf("a room that no other is to go for: %v", err)
	}
	latest, err := made("192.0.2.6", "")
	if err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "the oldest unused room of the creator with the most has gone", func() bool { _, err := n.Info(heavy[0]); return err == actor.ErrNotFound })
	for _, id := range append(first, latest, heavy[1]) {
		if _, err := n.Info(id); err != nil {
			t.Errorf("room %s: %v", id, err)
		}
	}
	testwait.Until(t, "its creator may have another", func() bool { _, err := made("2001:db8:1:1::", ""); return err == nil })
	if all := n.List(actor.Filter{}); len(all) > 11 {
		t.Errorf("there are %d rooms of 10", len(all))
	}
}

// TestManyAtOnceOnAFullNode makes far more rooms at once than may be evicted at a time: each Create waits.
func TestManyAtOnceOnAFullNode(t *testing.T) {
	const most = 150
	n := newNode(t, func(o *setup) { o.MaxRooms, o.RoomShare = most, -1 })
	defer n.stop()
	var wg sync.WaitGroup
	for round := range 2 {
		for i := range most {
			wg.Go(func() {
				from := netip.AddrFrom4([4]byte{192, 0, 2, byte(100 * round)})
				if _, err := n.Create(t.Context(), actor.Create{Game: "pair", From: from}); err != nil {
					t.Errorf("room %d of round %d: %v", i, round, err)
				}
			})
		}
		wg.Wait()
	}
}
