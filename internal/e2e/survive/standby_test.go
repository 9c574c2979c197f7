package survive_test

import (
	"os"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// TestAKilledNodesRoomsGoOn kills a node, and removes its folder too. Its rooms go on at their standbys, with all that was acknowledged,
// and get new standbys. A player notices a second welcome at most.
func TestAKilledNodesRoomsGoOn(t *testing.T) {
	t.Parallel()
	for name, burnt := range map[string]bool{"with its folder": false, "without its folder": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
			dead := c.Nodes[1]
			p := newParty(c, dead, 3, anyStandby, c.Nodes[0], c.Nodes[2])
			p.finishing(dead.Kill)
			t.Logf("after the kill every player was answered within %v", p.goesOn().Round(time.Millisecond))
			p.moved("its standby for an owner, and another standby", func(was, now e2e.Members) bool {
				return now.Owner == was.Standby && now.Standby != was.Owner
			})
			p.welcomes(2)
			if burnt {
				if err := os.RemoveAll(dead.Dir); err != nil {
					t.Fatal(err)
				}
			}
			dead.Start()
			c.WaitWhole(3)
			p.goesOn()
			p.welcomes(2)
			p.over()
		})
	}
}

// TestBothMembersAreKilled kills the owner and the standby of some rooms at once. They go on as soon as either is back with its folder.
func TestBothMembersAreKilled(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]int{"the owner is back first": 1, "the standby is back first": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
			owner, standby := c.Nodes[1], c.Nodes[2]
			p := newParty(c, owner, 2, func(m e2e.Members) bool { return m.Standby == standby }, c.Nodes[0])
			p.finishing(func() {
				_ = standby.Cmd.Process.Kill() // the other must not find the time to go on without it
				owner.Kill()
				standby.Kill()
			})
			c.Nodes[first].Start()
			p.goesOn()
			p.moved("two members", func(_, now e2e.Members) bool { return now.Owner == c.Nodes[first] || now.Standby == c.Nodes[first] })
			c.Nodes[3-first].Start()
			c.WaitWhole(3)
			p.goesOn()
			p.over()
		})
	}
}

// TestAllNodesAreKilled kills every node at once. All games go on when they are back.
func TestAllNodesAreKilled(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
	p := newParty(c, c.Nodes[1], 3, anyStandby, c.Nodes[0], c.Nodes[2])
	p.finishing(func() { e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Kill() }) })
	e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Start() })
	c.WaitWhole(3)
	p.goesOn()
	p.moved("two members", func(_, _ e2e.Members) bool { return true })
	p.over()
}

// TestAStandbyIsKilled kills the standby of some rooms. Their owner goes on alone, and finds another. Nobody is welcomed again.
func TestAStandbyIsKilled(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
	owner, standby := c.Nodes[1], c.Nodes[2]
	p := newParty(c, owner, 2, func(m e2e.Members) bool { return m.Standby == standby }, c.Nodes[0], owner)
	p.finishing(standby.Kill)
	p.goesOn()
	p.moved("another standby", func(_, now e2e.Members) bool { return now.Owner == owner && now.Standby == c.Nodes[0] })
	standby.Start()
	c.WaitWhole(3)
	p.goesOn()
	p.welcomes(1)

	// The new standby takes over, and the node that is back becomes the next.
	owner.Kill()
	p.moved("the new standby for an owner", func(_, now e2e.Members) bool { return now.Owner == c.Nodes[0] && now.Standby == standby })
	owner.Start() // some players know no other node
	c.WaitWhole(3)
	p.goesOn()
	p.over()
}
