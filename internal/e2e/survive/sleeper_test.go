package survive_test

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestASleepingOwnerLetsGo stops the process of an owner for five seconds. Its rooms go on at their standbys. When it wakes, it lets go:
// whoever is still connected to it hears nothing that it said as owner, and nobody serves a room twice.
func TestASleepingOwnerLetsGo(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
	sleeper := c.Nodes[1]
	p := newParty(c, sleeper, 3, anyStandby, c.Nodes[0], c.Nodes[2])
	r := p.rooms[0]
	late := e2e.Dial(t, sleeper.Via(r.RoomInfo).URL, wire.JSON)
	w := late.Hello(wire.Hello{Client: "late", As: wire.AsSpectator})

	p.finishing(func() { freeze(sleeper) })
	asleep := time.Now()
	late.Write(wire.AppendResync(nil, wire.JSON)) // the sleeper reads this first when it wakes
	t.Logf("every player was answered within %v", p.goesOn().Round(time.Millisecond))
	p.moved("its standby for an owner, and another standby", func(was, now e2e.Members) bool {
		return now.Owner == was.Standby && now.Standby != sleeper
	})
	taken := c.Members(r.ID).Row.Epoch
	time.Sleep(time.Until(asleep.Add(5 * time.Second)))
	sleeper.Signal(syscall.SIGCONT)

	c.WaitWhole(3)
	p.goesOn()
	sleeper.Until(p.ctx, "the sleeper serves no room", func() bool { return sleeper.Metric("roomring_rooms") == 0 })
	for _, r := range p.rooms {
		if m := c.Members(r.ID); m.Owner == nil || m.Owner == sleeper {
			t.Errorf("room %s is the sleeper's: %+v", r.ID, m.Row)
		}
		for _, n := range c.Nodes {
			n.Until(p.ctx, n.Node+" knows where the room is", func() bool {
				var info e2e.RoomInfo
				n.Call("GET", "/v1/rooms/"+r.ID, nil, &info)
				return info.Node == c.Members(r.ID).Owner.Node
			})
		}
	}
	heardNothingOld(late, w, uint64(taken))
	p.over()
}

// heardNothingOld reads what a spectator was told since the owner fell asleep. Nothing that counts from an epoch before the takeover may
// say more than had been committed then: the count never goes back.
func heardNothingOld(s *e2e.Socket, w wire.Welcome, taken uint64) {
	s.T.Helper()
	epoch, seq, last := w.Epoch, uint64(0), -1
	for end := time.Now().Add(e2e.Ceiling); time.Now().Before(end); {
		m, err, ok := s.Next()
		if err != nil || !ok {
			return // it was let go with its socket
		}
		switch m := m.(type) {
		case wire.Welcome:
			epoch, seq = m.Epoch, 0
		case wire.State:
			var v e2e.TallyView
			if err := json.Unmarshal(m.View, &v); err != nil {
				s.T.Fatal(err)
			}
			if v.Count < last || m.Seq < seq {
				s.T.Errorf("a spectator saw %d at %d, and then %d at %d", last, seq, v.Count, m.Seq)
			}
			epoch, seq, last = max(epoch, m.Epoch), m.Seq, v.Count
		case wire.Turn:
			if m.Seq < seq {
				s.T.Errorf("a spectator heard turn %d after %d", m.Seq, seq)
			}
			epoch, seq = max(epoch, m.Epoch), m.Seq
		}
		if epoch >= taken {
			return
		}
	}
	s.T.Errorf("the spectator at the sleeper never heard of epoch %d", taken)
}
