//go:build soak

package survive_test

import (
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/client"
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

// TestPostgreSQLFailsOverUnderACluster kills PostgreSQL's primary in the middle of games and promotes its synchronous replica, while a node drains.
// Rows that change meanwhile wait, and nobody loses anything.
func TestPostgreSQLFailsOverUnderACluster(t *testing.T) {
	primary := pgtest.New(t)
	database := primary.URL(t)
	replica := primary.Replica(t, "second")
	primary.Configure(t, "synchronous_standby_names", "second")
	c := e2e.NewTeamOn(t, pgtest.Either(t, database, replica), 3, e2e.DefaultTimeouts...).Start()
	p := newParty(c, c.Nodes[1], 4, anyStandby, c.Nodes[0])
	p.finishing(func() {
		c.Nodes[1].Signal(syscall.SIGTERM)
		time.Sleep(50 * time.Millisecond) // some of its rooms are on their way
		primary.Kill(t)
		time.Sleep(time.Second) // those that are on their way wait
		replica.Promote(t)
		if code := c.Nodes[1].Wait(); code != e2e.ExitOK {
			t.Errorf("the node that drained ended with %d", code)
		}
	})
	c.Nodes[2].Kill() // the new primary decides on takeovers
	p.goesOn()
	c.Nodes[1].Start()
	c.Nodes[2].Start()
	c.WaitWhole(3)
	p.goesOn()
	p.moved("two members", func(_, _ e2e.Members) bool { return true })
	p.over()
}

// TestANodeWithTwentyThousandRoomsDies kills the owner of 20,000 rooms while the results of others are being written. The other node takes
// all of them, and PostgreSQL never has to end one of two statements that wait for each other.
func TestANodeWithTwentyThousandRoomsDies(t *testing.T) {
	const rooms, games = 20_000, 200
	database := pgtest.URL(t)
	c := e2e.NewTeamOn(t, database, 2, append(e2e.DefaultTimeouts, "--max-rooms", "50000", "--room-share", "100")...)
	c.Nodes[0].Args = append(c.Nodes[0].Args, "--weight", "100") // nearly all rooms are made here
	c.Nodes[1].Args = append(c.Nodes[1].Args, "--weight", "0.01")
	c.Start()
	dies, lives := c.Nodes[0], c.Nodes[1]
	began := time.Now()
	e2e.ForEach(rooms-games, 16, func(int) { dies.Create("tally", nil) })
	played := make([]e2e.RoomInfo, games)
	players := make([]*client.Client, games)
	e2e.ForEach(games, 16, func(i int) {
		played[i] = dies.CreateHere("tally", nil)
		for range 2 {
			players[i] = lives.Join(lives.Via(played[i]), client.Options{Encoding: e2e.EncodingOf(i)})
		}
	})
	dies.Until(e2e.WaitContext(t), "each room would go on without "+dies.Node, func() bool {
		var loss struct{ Wait []struct{ Rooms int } }
		code, err := dies.TryCallAt(dies.AdminAt, http.MethodGet, "/admin/v1/nodes/"+dies.Node+"/loss", "", nil, &loss)
		return err == nil && code == http.StatusOK && len(loss.Wait) == 0
	})
	t.Logf("%d rooms were made, and had their standbys after %v", rooms, time.Since(began).Round(time.Second))

	var ends sync.WaitGroup
	for i, c := range players {
		ends.Go(func() {
			time.Sleep(time.Duration(i) * 10 * time.Millisecond) // some before, some after
			if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 1, Finish: true}); err != nil && !e2e.IsRoomOver(err) {
				t.Errorf("the end of room %s: %v", played[i].ID, err)
			}
		})
	}
	time.Sleep(games * 10 * time.Millisecond / 2)
	died := time.Now()
	dies.Kill()
	folder := dies.Folder()
	lives.Until(e2e.WaitContext(t), "the other node has all rooms", func() bool {
		for _, r := range c.Naming(folder) {
			if r.State == record.RowLive && r.Folder == folder {
				return false
			}
		}
		return true
	})
	t.Logf("all were taken within %v", time.Since(died).Round(10*time.Millisecond))
	ends.Wait()
	for _, r := range played {
		if got := lives.Result(r.ID); got.End != "finished" || got.Result.Summary != "They counted to 1" {
			t.Errorf("room %s is stored as %+v", r.ID, got)
		}
	}
	var deadlocks int
	pgtest.Ask(t, database, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`, &deadlocks)
	if deadlocks > 0 {
		t.Errorf("PostgreSQL has ended %d deadlocks", deadlocks)
	}
}
