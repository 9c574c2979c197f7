package survive_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/wire"
)

// TestANodeDiesWhileTheStoreIsAway stops PostgreSQL and then kills a node. Nobody may take its rooms without the store, so they wait, and
// who comes hears why. When the store is back, they go on at their standbys.
func TestANodeDiesWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	c := e2e.NewTeamOn(t, pg.URL(t), 3, e2e.DefaultTimeouts...).Start()
	dead := c.Nodes[1]
	p := newParty(c, dead, 2, anyStandby, c.Nodes[0], c.Nodes[2])
	p.finishing(func() {
		pg.Stop(t)
		p.goesOn() // games that need no change of their owner
		dead.Kill()
		for _, n := range []*e2e.Server{c.Nodes[0], c.Nodes[2]} {
			testwait.Until(t, n.Node+" says what a room waits for", func() bool {
				late := e2e.Dial(t, n.Via(p.rooms[0].RoomInfo).URL, wire.JSON)
				late.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late", As: wire.AsSpectator}))
				code, reason, _ := late.Closed()
				if code != wire.CloseUnreachable {
					t.Errorf("closed %d %q, should be %d", code, reason, wire.CloseUnreachable)
				}
				return strings.Contains(reason, "the store does not answer")
			})
		}
		pg.Start(t)
	})
	p.goesOn()
	p.moved("its standby for an owner, and another standby", func(was, now e2e.Members) bool {
		return now.Owner == was.Standby && now.Standby != dead
	})
	dead.Start()
	c.WaitWhole(3)
	p.goesOn()
	p.over()
}
