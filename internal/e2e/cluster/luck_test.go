package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestBadLuck breaks a cluster of three nodes in the middle of games. All games end as they should.
func TestBadLuck(t *testing.T) {
	t.Parallel()
	for name, strike := range map[string]func(c *e2e.Team){
		// The next start claims the rooms that they left in the store.
		"every node is stopped": func(c *e2e.Team) {
			e2e.ForEach(3, 3, func(i int) { c.Nodes[i].StopCleanly() })
			e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Start() })
		},
		// The next start brings back the rooms on their disks.
		"every node is killed": func(c *e2e.Team) {
			e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Kill() })
			e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Start() })
		},
		// The third node takes all rooms. Then some rooms return to their disks with it.
		"two nodes are stopped and the third is killed": func(c *e2e.Team) {
			e2e.ForEach(2, 2, func(i int) { c.Nodes[i].StopCleanly() })
			c.Nodes[2].Kill()
			e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Start() })
		},
		// Players who were connected there come back through other nodes. Acts without an answer are sent again.
		"the edge dies": func(c *e2e.Team) {
			c.Nodes[0].Kill()
			c.WaitWhole(2)
			c.Nodes[0].Start()
		},
		"a node is frozen while it stops": func(c *e2e.Team) {
			n := c.Nodes[1]
			n.Signal(syscall.SIGTERM)
			time.Sleep(30 * time.Millisecond)
			n.Signal(syscall.SIGSTOP)
			time.Sleep(3 * time.Second) // longer than the silence that links and gossip allow
			n.Signal(syscall.SIGCONT)
			if err := ends(n); err != nil || n.Cmd.ProcessState.ExitCode() != 0 {
				c.T.Errorf("it ended with %v %v", n.Cmd.ProcessState, err)
			}
			n.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
			underPlay(c, e2e.Sized(6, 6, 12), func() { strike(c) })
			for _, n := range c.Nodes {
				complainsOfNothing(n)
			}
		})
	}
}

// TestStoreAwayWhileANodeStops stops PostgreSQL and then a node. The node ends in time, and its rooms come back from its own disk.
func TestStoreAwayWhileANodeStops(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	c := e2e.NewTeamOn(t, pg.URL(t), 3, append(e2e.DefaultTimeouts, "--drain-timeout", "1s")...).Start()
	underPlay(c, e2e.Sized(6, 6, 12), func() {
		n := c.Nodes[1]
		pg.Stop(t)
		if code, took := n.Stop(); code != 0 || took > 15*time.Second {
			t.Errorf("it ended with %d after %v", code, took)
		}
		if log := n.Log.String(); strings.Contains(log, "no room is left here") || !strings.Contains(log, "not every room could be given away") {
			t.Error("rooms were given away to a store that was not there")
		}
		pg.Start(t)
		n.Start()
	})
}

// underPlay plays games for players at any node, calls strike in the middle of them, and checks how all games end.
func underPlay(c *e2e.Team, games int, strike func()) {
	t := c.T
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	front := &e2e.Server{T: t, Log: &e2e.LogBuffer{}, Ready: e2e.Ready{URL: "http://any.invalid"}, Transport: newAnyNode(c)}
	matches := make([]*e2e.Match, games)
	e2e.ForEach(games, games, func(i int) {
		var err error
		if matches[i], err = front.Seat(ctx, e2e.SteadyGames(t, games)[i]); err != nil {
			t.Errorf("game %d: %v", i, err)
			return
		}
		matches[i].Think = 20 * time.Millisecond
	})
	if t.Failed() {
		return
	}
	wait := e2e.PlayAll(ctx, t, matches)
	front.WaitForShare(ctx, matches, 0.2)
	strike()
	wait()
	if t.Failed() {
		return
	}
	for _, m := range matches {
		m.Server = c.Nodes[0]
	}
	e2e.CheckStored(t, matches)
}

// TestAFrozenOwner freezes the owner of a room without a standby for longer than anybody waits for it. No node takes the room from it. Its
// players hear that it cannot be reached, and go on when it goes on.
func TestAFrozenOwner(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, append(e2e.DefaultTimeouts, e2e.OneJournal...)...).Start()
	s := c.Nodes[0]
	s.CreateElsewhere = true
	info := s.Create("tally", nil)
	var owner *e2e.Server
	for _, n := range c.Nodes {
		if n.Node == info.Node {
			owner = n
		}
	}
	player := e2e.Dial(t, info.URL, wire.JSON)
	token := player.Hello(wire.Hello{Client: "a"}).Token
	player.Act(1, `{"add":5}`)
	player.Answer()

	owner.Signal(syscall.SIGSTOP)
	player.ClosesWith(wire.CloseUnreachable)
	late := e2e.Dial(t, info.URL, wire.JSON)
	late.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "b"}))
	late.ClosesWith(wire.CloseUnreachable)
	for _, n := range c.Nodes {
		if n == owner {
			continue
		}
		if code := n.Call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusServiceUnavailable {
			t.Errorf("%s says of the room: %d", n.Node, code)
		}
		n.Until(e2e.WaitContext(t), "it does not count on the frozen node", func() bool { return len(n.KnownNodes("active")) == 2 })
	}
	owner.Signal(syscall.SIGCONT)
	c.WaitWhole(3)
	s.Until(e2e.WaitContext(t), "the room is found again", func() bool { return s.Call("GET", "/v1/rooms/"+info.ID, nil, nil) == http.StatusOK })
	if in := s.Inspect(info.ID); in.Epoch != info.Epoch {
		t.Errorf("the room's epoch was %d and is %d: somebody took it", info.Epoch, in.Epoch)
	}
	player = e2e.Dial(t, info.URL, wire.JSON)
	if w := player.Hello(wire.Hello{Client: "a", Attempt: 2, Token: token}); w.CSeq != 1 {
		t.Errorf("the room knows %d acts, was told 1", w.CSeq)
	}
	player.Act(2, `{"add":1}`)
	player.Answer()
	if in := s.Inspect(info.ID); !e2e.Mentions(string(in.State), `6`) {
		t.Errorf("the room counts %s, should be 6", in.State)
	}
	for _, n := range c.Nodes {
		complainsOfNothing(n)
	}
}

// TestAnEdgeThatFreezesAndDies has a player connected to a node that does not own the room. The room notices that the node is gone. The
// player goes on when the node is back, on the same socket if it has survived. That the node was the room's standby too costs nobody
// anything.
func TestAnEdgeThatFreezesAndDies(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	edge, owner := c.Nodes[0], c.Nodes[1]
	edge.CreateElsewhere = true
	info := edge.Create("tally", nil)
	player := e2e.Dial(t, info.URL, wire.JSON)
	w := player.Hello(wire.Hello{Client: "a"})
	player.Act(1, `{"add":1}`)
	player.Answer()

	edge.Signal(syscall.SIGSTOP)
	owner.WaitOffline(info.ID, w.Player)
	edge.Signal(syscall.SIGCONT)
	if again := e2e.Hear[wire.Welcome](player); again.Epoch < w.Epoch || again.CSeq != 1 || !again.Recovered {
		t.Errorf("welcomed again as %+v", again)
	}
	player.Act(2, `{"add":1}`)
	player.Answer()

	edge.Kill()
	owner.WaitOffline(info.ID, w.Player)
	edge.Start()
	player = e2e.Dial(t, info.URL, wire.JSON)
	if again := player.Hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 1}); again.CSeq != 2 {
		t.Errorf("welcomed by another edge as %+v", again)
	}
	player.Act(3, `{"add":1}`)
	player.Answer()
}

// TestACrowdMoves stops the owner of a room with a full table and a crowd of spectators at all nodes.
func TestACrowdMoves(t *testing.T) {
	t.Parallel()
	spectators := e2e.Sized(60, 200, 500)
	c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
	info := c.Nodes[0].Create("snakes", nil)
	ctx := e2e.WaitContext(t)
	const players = 4
	clients := make([]*client.Client, spectators+players)
	anywhere := &e2e.Server{T: t, Transport: newAnyNode(c), Ready: e2e.Ready{URL: "http://any.invalid"}}
	e2e.ForEach(len(clients), len(clients), func(i int) {
		edge := c.Nodes[i%3]
		if edge.Node == info.Node {
			edge = anywhere // clients of the stopping node would have to move
		}
		var err error
		if clients[i], err = edge.TryJoin(edge.Via(info), client.Options{Spectate: i >= players, Encoding: e2e.EncodingOf(i)}); err != nil {
			t.Errorf("client %d: %v", i, err)
		}
	})
	if t.Failed() {
		return
	}
	for _, n := range c.Nodes {
		if n.Node == info.Node {
			n.StopCleanly()
		}
	}
	now := c.AnyNode()
	now.Until(ctx, "the room is at another node", func() bool {
		var found e2e.RoomInfo
		return now.Call("GET", "/v1/rooms/"+info.ID, nil, &found) == http.StatusOK && found.Node != info.Node
	})
	before := make([]int, len(clients))
	for i, cl := range clients {
		before[i] = cl.Stats().Turns
	}
	var again int
	for i, cl := range clients {
		now.Until(ctx, fmt.Sprintf("client %d hears the game go on", i), func() bool { return cl.Stats().Turns > before[i]+20 })
		st := cl.Stats()
		if st.Mismatches > 0 || st.Sockets < 2 {
			t.Errorf("client %d: %+v", i, st)
		}
		if st.Recovered == 0 {
			again++
		}
	}
	t.Logf("%d of %d clients needed the whole view", again, len(clients))
}
