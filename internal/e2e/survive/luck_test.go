//go:build soak

package survive_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// TestTheLastTwoNodesDrainAtOnce stops both nodes of a cluster at the same moment. Rooms of which nobody is left to take them are in the
// store, and go on when the nodes are back.
func TestTheLastTwoNodesDrainAtOnce(t *testing.T) {
	c := e2e.NewTeam(t, 2, e2e.DefaultTimeouts...).Start()
	p := newParty(c, c.Nodes[1], 3, anyStandby, c.Nodes[0], c.Nodes[1])
	p.finishing(func() {
		e2e.ForEach(2, 2, func(i int) { c.Nodes[i].Signal(syscall.SIGTERM) })
		e2e.ForEach(2, 2, func(i int) {
			if code := c.Nodes[i].Wait(); code != e2e.ExitOK {
				t.Errorf("%s ended with %d", c.Nodes[i].Node, code)
			}
		})
	})
	e2e.ForEach(2, 2, func(i int) { c.Nodes[i].Start() })
	c.WaitWhole(2)
	p.goesOn()
	p.moved("two members", func(_, _ e2e.Members) bool { return true })
	p.over()
}

// TestADrainingStandbyWhoseOwnerDies kills the owner of rooms a moment after their standby was told to stop. Whichever has them in the end,
// they go on at the third node or when a member is back, with all that was acknowledged.
func TestADrainingStandbyWhoseOwnerDies(t *testing.T) {
	for _, pause := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
		t.Run(pause.String(), func(t *testing.T) {
			c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
			stays, owner, standby := c.Nodes[0], c.Nodes[1], c.Nodes[2]
			p := newParty(c, owner, 2, func(m e2e.Members) bool { return m.Standby == standby }, stays)
			p.finishing(func() {
				standby.Signal(syscall.SIGTERM)
				time.Sleep(pause)
				owner.Kill()
				if code := standby.Wait(); code != e2e.ExitOK {
					t.Errorf("%s ended with %d", standby.Node, code)
				}
			})
			owner.Start()
			standby.Start()
			c.WaitWhole(3)
			p.goesOn()
			p.moved("two members", func(_, _ e2e.Members) bool { return true })
			p.over()
		})
	}
}

// TestTheRingChangesThreeTimesInASecond has a node leave, another one die and a new one come at the same time, while the balance has rooms
// on their way to a node that has just joined.
func TestTheRingChangesThreeTimesInASecond(t *testing.T) {
	c := e2e.NewTeam(t, 4, e2e.DefaultTimeouts...).Start()
	p := newParty(c, c.Nodes[1], 6, anyStandby, c.Nodes[0])
	c.Add().Start()
	fresh := c.Add()
	fresh.Spawn()
	p.finishing(func() {
		c.Nodes[1].Signal(syscall.SIGTERM)
		time.Sleep(300 * time.Millisecond)
		c.Nodes[2].Kill()
	})
	p.goesOn()
	if code := c.Nodes[1].Wait(); code != e2e.ExitOK {
		t.Errorf("%s ended with %d", c.Nodes[1].Node, code)
	}
	testwait.Until(t, "the newest node is ready", fresh.ReadReadyFile)
	c.Nodes[1].Start()
	c.Nodes[2].Start()
	c.WaitWhole(6)
	p.goesOn()
	p.moved("two members", func(_, _ e2e.Members) bool { return true })
	p.over()
}

// TestOwnerAndStandbyAreInTwoZones has two nodes in each of two zones. No room has both of its members in one, before and after a zone dies
// and comes back.
func TestOwnerAndStandbyAreInTwoZones(t *testing.T) {
	c := e2e.NewTeam(t, 4, e2e.DefaultTimeouts...)
	zone := map[*e2e.Server]string{}
	for i, n := range c.Nodes {
		zone[n] = [...]string{"east", "west"}[i%2]
		n.Args = append(n.Args, "--zone", zone[n])
	}
	c.Start()
	apart := func(_, now e2e.Members) bool { return zone[now.Owner] != zone[now.Standby] }
	p := newParty(c, c.Nodes[1], 6, func(m e2e.Members) bool { return apart(m, m) }, c.Nodes[0], c.Nodes[2])
	p.finishing(func() { e2e.ForEach(2, 2, func(i int) { c.Nodes[1+2*i].Kill() }) })
	p.goesOn()
	p.moved("two members in the zone that is left", func(_, now e2e.Members) bool { return zone[now.Owner] == "east" && zone[now.Standby] == "east" })
	e2e.ForEach(2, 2, func(i int) { c.Nodes[1+2*i].Start() })
	c.WaitWhole(4)
	for _, r := range p.rooms { // which takes a minute and more: so long a room that has moved stays where it is
		c.WaitMembers(p.ctx, r.ID, "members in two zones", func(m e2e.Members) bool { return apart(m, m) })
	}
	p.goesOn()
	p.over()
}
