package survive_test

import (
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// TestADrainUnderPlay stops a node by SIGTERM in the middle of games. Nobody loses anything or needs a whole view, and no row names the
// node when it has gone.
func TestADrainUnderPlay(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	leaver := c.Nodes[1]
	p := newParty(c, leaver, 3, anyStandby, c.Nodes[0], c.Nodes[2])
	p.finishing(func() { p.leaves(leaver) })
	p.goesOn()
	p.moved("its standby for an owner, and another standby", func(was, now e2e.Members) bool {
		return now.Owner == was.Standby && now.Standby != leaver
	})
	p.welcomes(2)
	leaver.Start()
	c.WaitWhole(3)
	p.goesOn()
	p.over()
}

// TestTwoNodesDrainAtOnce stops two of three nodes at the same moment. Rooms whose owner and standby both leave go on at the third.
func TestTwoNodesDrainAtOnce(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	stays := c.Nodes[0]
	p := newParty(c, c.Nodes[1], 3, anyStandby, stays)
	p.finishing(func() { e2e.ForEach(2, 2, func(i int) { p.leaves(c.Nodes[1+i]) }) })
	p.goesOn()
	for _, r := range p.rooms {
		if m := c.Members(r.ID); m.Owner != stays || m.Row.Standby != "" {
			t.Errorf("room %s is not at the last node alone: %+v", r.ID, m.Row)
		}
	}
	e2e.ForEach(2, 2, func(i int) { c.Nodes[1+i].Start() })
	c.WaitWhole(3)
	p.moved("a standby again", func(_, now e2e.Members) bool { return now.Owner == stays })
	p.goesOn()
	p.over()
}

// leaves stops a node, and checks how it ends.
func (p *party) leaves(n *e2e.Server) {
	p.T.Helper()
	code, took := n.Stop()
	p.T.Logf("%s stopped in %v", n.Node, took.Round(time.Millisecond))
	if code != e2e.ExitOK || !e2e.Mentions(n.Log.String(), "no room is left here") {
		p.T.Errorf("%s ended with %d", n.Node, code)
	}
	if rows := p.Naming(n.Folder()); len(rows) > 0 {
		p.T.Errorf("%s has gone, and is named by %+v", n.Node, rows)
	}
}
