//go:build !race

package actor_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
)

// matched is the room that a player is put into.
func (n *node) matched(game string, p room.PlayerID) room.ID {
	n.t.Helper()
	info, err := n.Match(context.Background(), actor.Match{Game: game, Player: p})
	if err != nil {
		n.t.Fatal(err)
	}
	return info.ID
}

func (n *node) seated(id room.ID) int {
	n.t.Helper()
	synctest.Wait()
	info, err := n.Info(id)
	if err != nil {
		n.t.Fatal(err)
	}
	return len(info.Seats)
}

// TestNobodyIsMatchedWithWhoIsAway: a player who waits and goes is matched with nobody, and keeps the seat for
// Spec.WaitingGrace.
func TestNobodyIsMatchedWithWhoIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		first := n.matched("pair", "a")
		n.player(first, "a").Detach()
		synctest.Wait()
		if _, ok := n.Candidate(actor.Match{Game: "pair", Player: "b"}); ok {
			t.Error("a room whose player is away is a candidate")
		}
		if _, err := n.Seat(t.Context(), first, "b", netip.Addr{}); err != actor.ErrNotFound {
			t.Errorf("a seat beside a player who is away: %v", err)
		}
		if n.matched("pair", "b") == first {
			t.Error("somebody is matched with a player who is away")
		}
		if n.matched("pair", "a") != first {
			t.Error("a player who comes back is not led to the seat that is kept")
		}
		time.Sleep(4 * time.Second)
		if got := n.seated(first); got != 1 {
			t.Errorf("within the grace of a waiting room %d seats are occupied", got)
		}
		time.Sleep(2 * time.Second)
		if got := n.seated(first); got != 0 {
			t.Errorf("after the grace of a waiting room %d seats are occupied", got)
		}
		if _, err := n.Seat(t.Context(), first, "c", netip.Addr{}); err != nil {
			t.Errorf("the empty room: %v", err)
		}
	})
}

// TestASeatThatIsKeptStaysSo: a player who is matched a moment before the other goes still gets the seat, and waits there.
func TestASeatThatIsKeptStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		id := n.matched("pair", "a")
		a := n.player(id, "a")
		if n.matched("pair", "b") != id {
			t.Fatal("two who want the same are not matched")
		}
		a.Detach()
		synctest.Wait()
		if n.matched("pair", "b") != id {
			t.Error("asked again, a player is not led to the seat that is kept")
		}
		time.Sleep(6 * time.Second)
		n.player(id, "b")
		if info, _ := n.Info(id); info.Phase != core.PhaseWaiting || len(info.Seats) != 1 {
			t.Errorf("the room is %s with %+v", info.Phase, info.Seats)
		}
	})
}

// TestARoomThatIsPlayedIsFilled: a game that has begun gets more players while somebody is there to play with.
func TestARoomThatIsPlayedIsFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		id := n.matched("trio", "a")
		a, b := n.player(id, "a"), n.player(id, "b")
		a.Detach()
		time.Sleep(10 * time.Second)
		if got := n.seated(id); got != 2 {
			t.Errorf("within the grace of a game %d seats are occupied", got)
		}
		if n.matched("trio", "c") != id {
			t.Error("a room with somebody in it is not filled")
		}
		time.Sleep(20 * time.Second) // what was kept for c is free again
		b.Detach()
		synctest.Wait()
		if n.matched("trio", "d") == id {
			t.Error("a room that all are away from is filled")
		}
	})
}

// TestARestartKeepsWhoWaitsForAMoment: after a restart a seated player without a socket is away.
func TestARestartKeepsWhoWaitsForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer func() { n.stop() }()
		id := n.matched("pair", "a")
		n.player(id, "a")
		n.restart()
		time.Sleep(time.Second) // so that the next room is a younger one
		if n.matched("pair", "b") == id {
			t.Error("somebody is matched with a player who has not come back yet")
		}
		n.player(id, "a")
		if n.matched("pair", "c") != id {
			t.Error("a player who has come back is not matched")
		}
	})
}
