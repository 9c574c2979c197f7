package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestAnyNodeTakesAnyPlayer plays chess through every pair of edges. So owner and edge are sometimes the same node and sometimes
// different nodes.
func TestAnyNodeTakesAnyPlayer(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	ctx := e2e.WaitContext(t)
	games := e2e.RecordedGames(t)[:18] // their rows are 0 to 17
	e2e.ForEachGame(t, games, 18, func(g e2e.RecordedGame) error {
		i := g.Row
		m, err := c.Nodes[i%3].Seat(ctx, g, c.Nodes[i/3%3], c.Nodes[(i/9+i)%3])
		if err != nil {
			return err
		}
		if err := m.PlayAndCheck(ctx); err != nil {
			return err
		}
		for i, p := range m.Players {
			if st := p.Stats(); st.Sockets != 1 {
				return fmt.Errorf("player %d needed %d sockets", i, st.Sockets)
			}
			if owner := p.Welcome().Node; owner != m.Room.Node {
				return fmt.Errorf("player %d was welcomed in the name of %s to a room at %s", i, owner, m.Room.Node)
			}
		}
		return m.CheckStored()
	})
}

// TestEveryRoomIsFoundFromEveryNode makes rooms at random nodes and asks every node for each of them.
func TestEveryRoomIsFoundFromEveryNode(t *testing.T) {
	t.Parallel()
	rooms := e2e.Sized(100, 100, 1000)
	c := e2e.NewTeam(t, 3).Start()
	infos := make([]e2e.RoomInfo, rooms)
	e2e.ForEach(rooms, 16, func(i int) { infos[i] = c.AnyNode().Create("chess", nil) })
	own := map[string]int{}
	for _, info := range infos {
		own[info.Node]++
	}
	t.Logf("%d rooms over nodes: %v", rooms, own)
	for _, n := range c.Nodes {
		if share := float64(own[n.Node]) / float64(rooms); share < 0.2 || share > 0.47 {
			t.Errorf("%s has %.0f %% of the rooms", n.Node, 100*share)
		}
	}
	ctx := e2e.WaitContext(t)
	e2e.ForEach(3*rooms, 16, func(i int) {
		info, asked := infos[i/3], c.Nodes[i%3]
		var found e2e.RoomInfo
		var code int
		asked.Until(ctx, "all nodes say whether they have the room", func() bool {
			code = asked.Call("GET", "/v1/rooms/"+info.ID, nil, &found)
			return code != http.StatusServiceUnavailable
		})
		if code != http.StatusOK || found.Node != info.Node {
			t.Errorf("%s says of room %s at %s: %d %+v", asked.Node, info.ID, info.Node, code, found)
		}
	})
	for _, n := range c.Nodes {
		listed := map[string]int{}
		for _, info := range n.List() {
			listed[info.ID]++
		}
		for _, info := range infos {
			if listed[info.ID] != 1 {
				t.Errorf("%s lists room %s at %s %d times", n.Node, info.ID, info.Node, listed[info.ID])
			}
		}
	}

	// Each node says what a player may do, wherever the room is.
	ann := c.Nodes[0].Join(infos[0], client.Options{Name: "Ann"})
	for _, n := range c.Nodes {
		var legal struct{ Advises bool }
		if code := n.CallAt(n.URL, http.MethodGet, "/v1/rooms/"+infos[0].ID+"/legal", ann.Token(), nil, &legal); code != http.StatusOK || !legal.Advises {
			t.Errorf("%s says of what is legal in a room at %s: %d %+v", n.Node, infos[0].Node, code, legal)
		}
	}

	// A fourth node takes a quarter of the ring, and finds all rooms.
	late := c.Add()
	late.Start()
	c.WaitWhole(4)
	e2e.ForEach(rooms, 16, func(i int) {
		var found e2e.RoomInfo
		if code := late.Call("GET", "/v1/rooms/"+infos[i].ID, nil, &found); code != http.StatusOK || found.Node != infos[i].Node {
			t.Errorf("the new node says of room %s at %s: %d %+v", infos[i].ID, infos[i].Node, code, found)
		}
	})
}

// TestPlayersWhoAskAtTwoNodesMeet matches pairs that ask different nodes at the same moment.
func TestPlayersWhoAskAtTwoNodesMeet(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	for pair := range 30 {
		options := map[string]any{"clock": map[string]any{"initial_ms": 60_000 + pair}} // options that no other pair uses
		var got [2]e2e.RoomInfo
		e2e.ForEach(2, 2, func(i int) {
			n := c.Nodes[(pair+i)%3]
			body := map[string]any{"game": "chess", "options": options, "ticket": e2e.Ticket(pair, i)}
			if code := n.Call("POST", "/v1/matchmake", body, &got[i]); code != http.StatusOK {
				t.Errorf("matchmaking at %s: %d", n.Node, code)
			}
		})
		if got[0].ID != got[1].ID {
			t.Errorf("pair %d was put into two rooms, %s and %s", pair, got[0].ID, got[1].ID)
		}
	}
}

// TestABurstOfJoins connects 500 spectators and a full table to one room at once, through three nodes.
func TestABurstOfJoins(t *testing.T) {
	t.Parallel()
	spectators := e2e.Sized(60, 60, 500)
	c := e2e.NewTeam(t, 3).Start()
	info := c.AnyNode().Create("snakes", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	const players = snakes.MaxPlayers
	clients := make([]*client.Client, spectators+players)
	e2e.ForEach(len(clients), len(clients), func(i int) {
		n := c.Nodes[i%3]
		o := client.Options{Spectate: i >= players, Encoding: e2e.EncodingOf(i)}
		var err error
		if clients[i], err = n.TryJoin(n.Via(info), o); err != nil {
			t.Errorf("client %d at %s: %v", i, n.Node, err)
		}
	})
	if t.Failed() {
		return
	}
	// Nobody starves: every client sees the game go on.
	before := make([]int, len(clients))
	for i, cl := range clients {
		before[i] = cl.Stats().Turns
	}
	for i, cl := range clients {
		c.Nodes[0].Until(ctx, fmt.Sprintf("client %d at %s hears the game go on", i, c.Nodes[i%3].Node), func() bool {
			return cl.Stats().Turns > before[i]+20
		})
	}
	for i, cl := range clients {
		if st := cl.Stats(); st.Mismatches > 0 {
			t.Errorf("client %d: %d checksums differ", i, st.Mismatches)
		}
	}
}

// TestAKilledNodeBringsItsRoomsBack kills one of three nodes whose rooms have no standbys. Its players hear that their room cannot be reached, not that it does not
// exist, and go on when the node is back. Players of other rooms notice nothing.
func TestAKilledNodeBringsItsRoomsBack(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, e2e.OneJournal...).Start()
	ctx := e2e.WaitContext(t)
	games := e2e.SteadyGames(t, e2e.Sized(12, 12, 24))
	matches := make([]*e2e.Match, len(games))
	e2e.ForEach(len(games), len(games), func(i int) {
		var err error // players connect to nodes that are not killed, wherever their room is
		if matches[i], err = c.AnyNode().Seat(ctx, games[i], c.Nodes[0], c.Nodes[1]); err != nil {
			t.Errorf("game %d: %v", games[i].Row, err)
			return
		}
		matches[i].Server = c.Nodes[i%2] // and so do clients that ask for results
	})
	if t.Failed() {
		return
	}
	dead := c.Nodes[2]
	wait := e2e.PlayAll(ctx, t, matches)
	c.Nodes[0].WaitForShare(ctx, matches, 0.2)
	dead.Kill()
	theirs := slices.IndexFunc(matches, func(m *e2e.Match) bool { return m.Room.Node == dead.Node })
	if theirs < 0 {
		t.Fatal("no room was at the node that died")
	}
	c.Nodes[0].Until(ctx, "the death is noticed", func() bool { return len(c.Nodes[0].KnownNodes("active")) == 2 })
	var raw []byte
	if code := c.Nodes[0].Call("GET", "/v1/rooms/"+matches[theirs].Room.ID, nil, &raw); code != http.StatusServiceUnavailable || !e2e.Mentions(string(raw), dead.Node) {
		t.Errorf("a room of a node that is down: %d %s", code, raw)
	}
	sock := e2e.Dial(t, c.Nodes[0].Via(matches[theirs].Room).URL, wire.JSON)
	sock.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
	sock.ClosesWith(wire.CloseUnreachable, dead.Node)
	dead.Start()
	wait()
	e2e.CheckStored(t, matches)
}
