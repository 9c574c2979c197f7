package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestBadLuck breaks a cluster of three in the middle of games, which all end as they should.
func TestBadLuck(t *testing.T) {
	t.Parallel()
	for name, strike := range map[string]func(c *team){
		// The next start claims what they left in the store.
		"every node is stopped": func(c *team) {
			each(3, 3, func(i int) { c.nodes[i].stopsWell() })
			each(3, 3, func(i int) { c.nodes[i].start() })
		},
		// The next start brings back what they kept on their disks.
		"every node is killed": func(c *team) {
			each(3, 3, func(i int) { c.nodes[i].kill() })
			each(3, 3, func(i int) { c.nodes[i].start() })
		},
		// The third takes on all rooms, and then some go back to their disks with it.
		"two nodes are stopped and the third is killed": func(c *team) {
			each(2, 2, func(i int) { c.nodes[i].stopsWell() })
			c.nodes[2].kill()
			each(3, 3, func(i int) { c.nodes[i].start() })
		},
		// Those who were connected there come back by others; what had no answer is sent again.
		"the edge dies": func(c *team) {
			c.nodes[0].kill()
			c.whole(2)
			c.nodes[0].start()
		},
		"a node is frozen while it stops": func(c *team) {
			n := c.nodes[1]
			n.signal(syscall.SIGTERM)
			time.Sleep(30 * time.Millisecond)
			n.signal(syscall.SIGSTOP)
			time.Sleep(3 * time.Second) // longer than links and gossip bear silence
			n.signal(syscall.SIGCONT)
			if err := n.ends(); err != nil || n.cmd.ProcessState.ExitCode() != 0 {
				c.t.Errorf("it ended with %v %v", n.cmd.ProcessState, err)
			}
			n.start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTeam(t, 3, asShipped...).start()
			c.underPlay(sized(6, 6, 12), func() { strike(c) })
			for _, n := range c.nodes {
				n.complainsOfNothing()
			}
		})
	}
}

// TestStoreAwayWhileANodeStops stops PostgreSQL and then a node: it ends in its time, and its rooms come back from its
// own disk.
func TestStoreAwayWhileANodeStops(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	c := newTeamOn(t, pg.URL(t), 3, append(asShipped, "--drain-timeout", "1s")...).start()
	c.underPlay(sized(6, 6, 12), func() {
		n := c.nodes[1]
		pg.Stop(t)
		if code, took := n.stop(); code != 0 || took > 15*time.Second {
			t.Errorf("it ended with %d after %v", code, took)
		}
		if log := n.log.String(); strings.Contains(log, "no room is left here") || !strings.Contains(log, "not every room could be given away") {
			t.Error("rooms were given away to a store that was not there")
		}
		pg.Start(t)
		n.start()
	})
}

func (s *server) stopsWell() {
	if code, _ := s.stop(); code != 0 {
		s.t.Errorf("%s stopped with %d", s.Node, code)
	}
}

// underPlay plays games for players who connect to any node, strikes in their middle, and checks how all of them end.
func (c *team) underPlay(games int, strike func()) {
	t := c.t
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	front := &server{t: t, log: &logBuffer{}, ready: ready{URL: "http://any.invalid"}, by: newAnyNode(c)}
	matches := make([]*match, games)
	each(games, games, func(i int) {
		var err error
		if matches[i], err = front.seat(ctx, steadyGames(t, games)[i]); err != nil {
			t.Errorf("game %d: %v", i, err)
			return
		}
		matches[i].think = 20 * time.Millisecond
	})
	if t.Failed() {
		return
	}
	wait := playAll(ctx, t, matches)
	front.amid(ctx, matches, 0.2)
	strike()
	wait()
	if t.Failed() {
		return
	}
	for _, m := range matches {
		m.s = c.nodes[0]
	}
	checkStored(t, matches)
}

// TestAFrozenOwner freezes the node that has a room for longer than anybody waits for it. Nobody takes the room from it;
// its players hear that it cannot be reached, and go on when it does.
func TestAFrozenOwner(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3, asShipped...).start()
	s := c.nodes[0]
	s.away = true
	info := s.create("tally", nil)
	var owner *server
	for _, n := range c.nodes {
		if n.Node == info.Node {
			owner = n
		}
	}
	player := dial(t, info.URL, wire.JSON)
	token := player.hello(wire.Hello{Client: "a"}).Token
	player.act(1, `{"add":5}`)
	player.answer()

	owner.signal(syscall.SIGSTOP)
	player.closesWith(wire.CloseUnreachable)
	late := dial(t, info.URL, wire.JSON)
	late.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "b"}))
	late.closesWith(wire.CloseUnreachable)
	for _, n := range c.nodes {
		if n == owner {
			continue
		}
		if code := n.call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusServiceUnavailable {
			t.Errorf("%s says of the room: %d", n.Node, code)
		}
		n.until(patience(t), "it does not count on the frozen node", func() bool { return len(n.sees("active")) == 2 })
	}
	owner.signal(syscall.SIGCONT)
	c.whole(3)
	s.until(patience(t), "the room is found again", func() bool { return s.call("GET", "/v1/rooms/"+info.ID, nil, nil) == http.StatusOK })
	if in := s.inspect(info.ID); in.Epoch != info.Epoch {
		t.Errorf("the room's epoch was %d and is %d: somebody took it", info.Epoch, in.Epoch)
	}
	player = dial(t, info.URL, wire.JSON)
	if w := player.hello(wire.Hello{Client: "a", Attempt: 2, Token: token}); w.CSeq != 1 {
		t.Errorf("the room knows %d acts, was told 1", w.CSeq)
	}
	player.act(2, `{"add":1}`)
	player.answer()
	if in := s.inspect(info.ID); !mentions(string(in.State), `6`) {
		t.Errorf("the room counts %s, should be 6", in.State)
	}
	for _, n := range c.nodes {
		n.complainsOfNothing()
	}
}

// TestAnEdgeThatFreezesAndDies has a player connected to a node that has not the room. The room notices that the node is
// gone, and the player goes on when it is back, on the same socket if that has survived.
func TestAnEdgeThatFreezesAndDies(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	edge, owner := c.nodes[0], c.nodes[1]
	edge.away = true
	info := edge.create("tally", nil)
	player := dial(t, info.URL, wire.JSON)
	w := player.hello(wire.Hello{Client: "a"})
	player.act(1, `{"add":1}`)
	player.answer()

	edge.signal(syscall.SIGSTOP)
	owner.offline(info.ID, w.Player)
	edge.signal(syscall.SIGCONT)
	if again := hear[wire.Welcome](player); again.Epoch != w.Epoch || again.CSeq != 1 || !again.Recovered {
		t.Errorf("welcomed again as %+v", again)
	}
	player.act(2, `{"add":1}`)
	player.answer()

	edge.kill()
	owner.offline(info.ID, w.Player)
	edge.start()
	player = dial(t, info.URL, wire.JSON)
	if again := player.hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 1}); again.CSeq != 2 {
		t.Errorf("welcomed by another edge as %+v", again)
	}
	player.act(3, `{"add":1}`)
	player.answer()
}

// TestACrowdMoves stops the node of a room that a full table plays in and a crowd watches, from all nodes.
func TestACrowdMoves(t *testing.T) {
	t.Parallel()
	spectators := 500
	if testing.Short() {
		spectators = 60
	}
	c := newTeam(t, 3, asShipped...).start()
	info := c.nodes[0].create("snakes", nil)
	ctx := patience(t)
	const players = 4
	clients := make([]*client.Client, spectators+players)
	anywhere := &server{t: t, by: newAnyNode(c), ready: ready{URL: "http://any.invalid"}}
	each(len(clients), len(clients), func(i int) {
		edge := c.nodes[i%3]
		if edge.Node == info.Node {
			edge = anywhere // who is at the node that stops would have to go elsewhere
		}
		var err error
		if clients[i], err = edge.tryJoin(edge.at(info), client.Options{Spectate: i >= players, Encoding: encodingOf(i)}); err != nil {
			t.Errorf("client %d: %v", i, err)
		}
	})
	if t.Failed() {
		return
	}
	for _, n := range c.nodes {
		if n.Node == info.Node {
			n.stopsWell()
		}
	}
	now := c.any()
	now.until(ctx, "the room is at another node", func() bool {
		var found roomInfo
		return now.call("GET", "/v1/rooms/"+info.ID, nil, &found) == http.StatusOK && found.Node != info.Node
	})
	before := make([]int, len(clients))
	for i, cl := range clients {
		before[i] = cl.Stats().Turns
	}
	var again int
	for i, cl := range clients {
		now.until(ctx, fmt.Sprintf("client %d hears the game go on", i), func() bool { return cl.Stats().Turns > before[i]+20 })
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
