package actor_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// TestSeatsThatNobodyClaims attacks from one address, and then from many of a /48: they ask for seats ten times a second and
// never come. Meanwhile pairs of honest players come one after the other. Every pair meets, and the addresses have no more
// seats at a time than allowed.
func TestSeatsThatNobodyClaims(t *testing.T) {
	narrow := func(int) netip.Addr { return netip.MustParseAddr("192.0.2.1") }
	wide := func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::", i%300)) }
	for name, from := range map[string]func(i int) netip.Addr{"an address": narrow, "a /48": wide} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t)
				defer n.stop()
				refused := 0
				ask := func(p room.PlayerID, from netip.Addr) (room.ID, error) {
					info, err := n.Match(t.Context(), actor.Match{Game: "pair", Player: p, From: from})
					return info.ID, err
				}
				attack := func(i int) {
					for k := range 10 {
						_, err := ask(room.PlayerID(fmt.Sprint("x", i, ".", k)), from(10*i+k))
						if err != nil && !errors.Is(err, actor.ErrUnclaimed) {
							t.Fatal(err)
						}
						if err != nil {
							refused++
						}
						time.Sleep(100 * time.Millisecond)
					}
				}
				attack(0)
				for i := range 10 {
					var rooms [2]room.ID
					for k, name := range []string{"ann", "bob"} {
						p := room.PlayerID(fmt.Sprint(name, i))
						id, err := ask(p, netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", 2*i+k)))
						if err != nil {
							t.Fatal(err)
						}
						n.player(id, string(p)).next("welcome")
						rooms[k] = id
						attack(2*i + k + 1)
					}
					if rooms[0] != rooms[1] {
						t.Errorf("pair %d: %v", i, rooms)
					}
				}
				if refused < 50 {
					t.Errorf("%d of 210 seats were refused", refused)
				}
			})
		})
	}
}

// TestMatchmakingPrefersThosePresent: a room in which somebody waits comes before one with as many seats that are only kept.
func TestMatchmakingPrefersThosePresent(t *testing.T) {
	n := newNode(t)
	ask := func(p room.PlayerID) room.ID {
		info, err := n.Match(t.Context(), actor.Match{Game: "trio", Player: p})
		if err != nil {
			t.Fatal(err)
		}
		return info.ID
	}
	kept := n.create(actor.Create{Game: "trio", Reserve: []room.PlayerID{"x", "y"}})
	waits := n.create(actor.Create{Game: "trio"})
	n.player(waits, "ann").next("welcome")
	if got := ask("bob"); got != waits {
		t.Errorf("bob is in %s, ann waits in %s, and %s has seats that nobody sits in", got, waits, kept)
	}
}
