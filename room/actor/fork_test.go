//go:build !race

package actor_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// TestAForkOutlivesItsProcessAndItsPlayersAbsence makes a durable room of the log of one that is kept in memory.
func TestAForkOutlivesItsProcessAndItsPlayersAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, func(o *setup) { o.Options.ActFor = true })
		id := n.create(actor.Create{Game: "counter", Name: strings.Repeat("ö", 32), Durability: room.Memory})
		c := n.player(id, "ann")
		for range 3 {
			c.act(`{"add":2}`)
		}
		r := n.recorded(id)
		h, err := n.ForkHeader(r.Header)
		if err != nil {
			t.Fatal(err)
		}
		if h.ID == id || h.ForkOf != id || !h.Private || h.Code == "" || h.Durability != room.Local || len(h.Name) > 64 || !strings.HasPrefix(h.Name, "fork of ö") {
			t.Errorf("the header of the fork is %+v", h)
		}
		kept, err := r.Fork(h, r.Last().Seq-1) // before the last act
		if err != nil {
			t.Fatal(err)
		}
		if err := n.owner.Fork(context.Background(), kept); err != nil {
			t.Fatal(err)
		}
		n.restart()
		time.Sleep(59 * time.Minute) // longer than any grace, and nobody comes
		if err := n.ActFor(context.Background(), h.ID, "ann", json.RawMessage(`{"add":5}`)); err != nil {
			t.Fatalf("acting for a player of the fork: %v", err)
		}
		in, err := n.Inspect(context.Background(), h.ID, actor.Look{State: true})
		if err != nil || !strings.Contains(string(in.State), `"Sum":9`) || len(in.Info.Seats) != 1 || in.Info.Seats[0].Online {
			t.Errorf("the fork is %s, seats %v: %v", in.State, in.Info.Seats, err)
		}
		time.Sleep(2 * time.Minute)
		if f, over := n.results.get(h.ID); !over || f.End != record.Closed || f.Rated {
			t.Errorf("an hour without anybody leaves %+v", f)
		}
		n.stop()
	})
}
