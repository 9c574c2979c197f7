package replica_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// box is a black box that notes strikes.
type box struct {
	deaths  int // of every step
	mu      sync.Mutex
	strikes []string
}

func (*box) Scan()                        {}
func (b *box) Deaths(room.ID, uint64) int { return b.deaths }

func (b *box) Strike(_ context.Context, id room.ID, fingerprint uint64, deaths int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strikes = append(b.strikes, fmt.Sprint(id, " ", fingerprint, " ", deaths))
	return nil
}

// TestAStandbyKnowsTheFatalStep: of a room whose owner was lost before, each step is told before it begins, and one that has not returned is
// noted when the copy is taken. Rooms that have got on tell only of long steps.
func TestAStandbyKnowsTheFatalStep(t *testing.T) {
	rooms := []room.ID{"room-of-a-step-done", "room-of-a-fatal-step"}
	headers, logs := map[room.ID]record.Header{}, map[room.ID]actor.LogStore{}
	for _, id := range rooms {
		headers[id] = record.Header{ID: id, Game: "chess", Durability: room.Standby}
	}
	owner := open(t, "a", "b", func(s *side, id room.ID, e ownership.Event) {
		if e.Kind == ownership.Recruit {
			s.Enter(id, 2, e.Folder)
		}
	})
	owner.box.deaths = 1
	standby := open(t, "b", "a", func(s *side, id room.ID, e ownership.Event) {
		if e.Kind == ownership.Offered {
			s.Follow(id, e.Epoch, e.Folder, record.Kept{Header: headers[id], Epoch: e.Epoch, Doubt: record.Partial})
		}
	})
	write := func(e record.Epoch, first, last room.Index) {
		t.Helper()
		for _, id := range rooms {
			b := record.Batch{Room: id, Epoch: e, First: first, Last: last}
			for i := first; i <= last; i++ {
				var err error
				if b.Entries, err = core.EncodeEntries(b.Entries, core.Entry{Index: i, Epoch: e, Input: core.Input{Kind: core.KindAct, Player: "p"}}); err != nil {
					t.Fatal(err)
				}
			}
			owner.disk.mu.Lock()
			owner.disk.kept.Batches = append(owner.disk.kept.Batches, b)
			owner.disk.mu.Unlock()
			if err := logs[id].Append(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, id := range rooms {
		owner.Lead(headers[id], 1, "", &record.Kept{Header: headers[id]}, true)
		logs[id] = owner.Open(id, quiet{})
		if !owner.Before(id, 40) { // nobody can be told: it does not wait
			t.Error("a step of a room whose owner was lost is not watched")
		}
		owner.After(id, 40)
	}
	write(1, 1, 5)
	owner.links.Targets([]link.Target{standby.target})
	standby.links.Targets([]link.Target{owner.target})
	for _, id := range rooms {
		owner.Replicate(id, headers[id])
		testwait.Until(t, "it has a standby", func() bool {
			m, _ := owner.Members(id)
			return m.Standby != nil && m.Standby.Whole
		})
	}
	owner.Before(rooms[0], 41)
	owner.After(rooms[0], 41)
	if !owner.Before(rooms[1], 42) { // the standby has noted this, and heard all before
		t.Error("a step is not told")
	}
	if _, _, lost, followed := standby.Unfollow(rooms[0]); lost || !followed {
		t.Errorf("a room between two steps: lost %v, followed %v", lost, followed)
	}
	if _, _, lost, _ := standby.Unfollow(rooms[1]); !lost {
		t.Error("a room in a step counts as given away")
	}
	standby.box.mu.Lock()
	if want := "room-of-a-fatal-step 42 2"; len(standby.box.strikes) != 1 || standby.box.strikes[0] != want {
		t.Errorf("it noted %q, not %q", standby.box.strikes, want)
	}
	standby.box.mu.Unlock()
	for _, id := range rooms {
		owner.Enter(id, 3, "") // alone, so that all is committed
	}
	write(3, 6, 40)
	testwait.Until(t, "the rooms have got on", func() bool { return !owner.Before(rooms[0], 43) && !owner.Before(rooms[1], 43) })
}
