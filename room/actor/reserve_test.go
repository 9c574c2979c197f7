package actor_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// TestKeptSeatsOutliveTheProcess keeps the seats of a room of two, and kills the process. Those for whom they are kept can still come,
// and nobody else, for as long as room time says: the time in which nobody runs the room does not count.
func TestKeptSeatsOutliveTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, func(o *setup) { o.Reserve = 5 * time.Second })
		defer func() { n.stop() }()
		info, err := n.Match(t.Context(), actor.Match{Game: "pair", Player: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		id := info.ID
		time.Sleep(3 * time.Second)
		if info, err := n.Match(t.Context(), actor.Match{Game: "pair", Player: "bob"}); err != nil || info.ID != id {
			t.Fatalf("matched into %s, %v; want %s", info.ID, err, id)
		}
		turnedAway := func(p string) {
			t.Helper()
			if why := attachError(t, n, id, hello(p)); why.Code != wire.CloseForbidden {
				t.Errorf("%s: %v", p, why)
			}
		}
		turnedAway("eve")
		n.restart()
		turnedAway("eve")
		time.Sleep(time.Second)
		n.player(id, "ann").next("welcome") // 4 s after it was kept
		if _, err := n.Seat(t.Context(), id, "eve", netip.Addr{}); err != actor.ErrNotFound {
			t.Errorf("eve is kept a seat: %v", err)
		}
		time.Sleep(5 * time.Second)
		n.player(id, "eve").next("welcome") // bob has not come
		turnedAway("bob")
	})
}

// TestAnInvitationOutlivesTheProcess: a player of a private room's rematch needs no code after a restart either.
func TestAnInvitationOutlivesTheProcess(t *testing.T) {
	n := newNode(t)
	defer func() { n.stop() }()
	id := n.create(actor.Create{Game: "counter", Private: true, Reserve: []room.PlayerID{"ann", "bob"}, ReserveFor: time.Hour})
	n.player(id, "ann").next("welcome")
	n.restart()
	if why := attachError(t, n, id, hello("eve")); why.Code != wire.CloseForbidden {
		t.Errorf("a stranger: %v", why)
	}
	n.player(id, "bob").next("welcome")
}

// TestASeatIsKeptBeforeItIsTold matches a player while the journal is slow: the answer waits for it. A room that is full answers
// nothing else meanwhile.
func TestASeatIsKeptBeforeItIsTold(t *testing.T) {
	n, j := newSlowNode(t)
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "pair"})
	n.player(id, "ann").next("welcome")
	j.flow(false)
	told := make(chan error, 1)
	go func() {
		_, err := n.Seat(t.Context(), id, "bob", netip.Addr{})
		told <- err
	}()
	testwait.Until(t, "the journal has it", func() bool { return len(j.underway()) == 1 })
	if _, err := n.Seat(t.Context(), id, "eve", netip.Addr{}); err != actor.ErrNotFound {
		t.Errorf("the last seat is kept for two: %v", err)
	}
	select {
	case err := <-told:
		t.Errorf("told before it was durable: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	j.flow(true)
	if err := <-told; err != nil {
		t.Error(err)
	}
}
