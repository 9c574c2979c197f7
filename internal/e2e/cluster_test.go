package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// unhurried are limits for machines that run much else: a node that gets no turn for a while is not taken for dead, and
// its players wait for it.
var unhurried = []string{"--peer-silence", "5s", "--reattach-timeout", "10s"}

// asShipped takes that back, for tests in which nodes shall be taken for dead.
var asShipped = slices.Clip([]string{"--peer-silence", "1.5s", "--reattach-timeout", "2s"})

// team is a cluster of real processes on loopback.
type team struct {
	t      *testing.T
	nodes  []*server
	secret string // file
	store  string // URL
	args   []string
}

// newTeam prepares a cluster whose nodes share a SQLite file; further args are every node's.
func newTeam(t *testing.T, nodes int, args ...string) *team {
	t.Helper()
	return newTeamOn(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"), nodes, args...)
}

func newTeamOn(t *testing.T, store string, nodes int, args ...string) *team {
	t.Helper()
	c := &team{t: t, store: store, secret: filepath.Join(t.TempDir(), "secret"), args: args}
	c.writeSecrets(rand.Text())
	for range nodes {
		c.add()
	}
	return c
}

func (c *team) writeSecrets(secrets ...string) {
	c.t.Helper()
	if err := os.WriteFile(c.secret, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// add prepares one more node, which knows those before it, and they it from their next start on.
func (c *team) add() *server {
	c.t.Helper()
	gossip := freePort(c.t)
	s := newServer(c.t, slices.Concat(generous, unhurried, []string{
		"--node", fmt.Sprintf("n%d", len(c.nodes)+1), "--peer-listen", freePort(c.t), "--gossip-listen", gossip,
		"--cluster-secret-file", c.secret, "--store", c.store,
	}, c.args)...)
	s.gossipAt = gossip
	c.nodes = append(c.nodes, s)
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.gossipAt)
	}
	for _, n := range c.nodes {
		n.joins = strings.Join(all, ",")
	}
	return s
}

// start runs all nodes and waits until each is ready and has all others on its ring.
func (c *team) start() *team {
	c.t.Helper()
	var wg sync.WaitGroup
	for _, n := range c.nodes {
		wg.Go(func() { n.start() })
	}
	wg.Wait()
	c.whole(len(c.nodes))
	return c
}

// whole waits until every running node is ready, has so many nodes on its ring, and hears them say that they are active.
func (c *team) whole(active int) {
	c.t.Helper()
	for _, n := range c.nodes {
		if !n.runs() {
			continue
		}
		n.until(patience(c.t), fmt.Sprintf("%s is ready and has %d active nodes on its ring", n.Node, active), func() bool {
			return n.isReady() && len(n.onRing()) == active && len(n.sees("active")) == active
		})
	}
}

func (s *server) isReady() bool {
	code, err := s.tryAt(s.URL, "GET", "/readyz", "", nil, nil)
	return err == nil && code == http.StatusOK
}

// adminNode is a node of the admin API, as far as tests look at it.
type adminNode struct {
	Name     string   `json:"name"`
	Boot     string   `json:"boot"`
	State    string   `json:"state"`
	Rooms    int      `json:"rooms"`
	Sessions int      `json:"sessions"`
	Remote   int      `json:"remote"`
	Unready  []string `json:"unready"`
}

// sees are the nodes that this one knows in a state; "" is any.
func (s *server) sees(state string) []adminNode {
	var body struct{ Nodes []adminNode }
	if code, err := s.tryAt(s.AdminAt, "GET", "/admin/v1/nodes", "", nil, &body); err != nil || code != http.StatusOK {
		return nil
	}
	return slices.DeleteFunc(body.Nodes, func(n adminNode) bool { return state != "" && n.State != state })
}

// onRing are the names on the ring as this node knows it.
func (s *server) onRing() (names []string) {
	var body struct{ Nodes []struct{ Name string } }
	if code, err := s.tryAt(s.AdminAt, "GET", "/admin/v1/ring", "", nil, &body); err != nil || code != http.StatusOK {
		return nil
	}
	for _, n := range body.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// any is a node that runs, at random.
func (c *team) any() *server {
	running := slices.DeleteFunc(slices.Clone(c.nodes), func(n *server) bool { return !n.runs() })
	return running[mathrand.IntN(len(running))]
}

// at makes a room's address that of another node.
func (s *server) at(info roomInfo) roomInfo {
	_, path, _ := strings.Cut(strings.TrimPrefix(info.URL, "ws://"), "/")
	info.URL = strings.Replace(s.URL, "http", "ws", 1) + "/" + path
	return info
}

// TestAnyNodeTakesAnyPlayer plays chess with every pair of edges, so that owner and edge are the same and different nodes.
func TestAnyNodeTakesAnyPlayer(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3).start()
	ctx := patience(t)
	games := recordedGames(t)[:18] // their rows are 0 to 17
	crowd(t, games, 18, func(g recorded) error {
		i := g.row
		m, err := c.nodes[i%3].seat(ctx, g, c.nodes[i/3%3], c.nodes[(i/9+i)%3])
		if err != nil {
			return err
		}
		if err := m.toTheEnd(ctx); err != nil {
			return err
		}
		for i, p := range m.players {
			if st := p.Stats(); st.Sockets != 1 {
				return fmt.Errorf("player %d needed %d sockets", i, st.Sockets)
			}
			if owner := p.Welcome().Node; owner != m.room.Node {
				return fmt.Errorf("player %d was welcomed in the name of %s to a room at %s", i, owner, m.room.Node)
			}
		}
		return m.checkStored()
	})
}

// TestEveryRoomIsFoundFromEveryNode makes rooms at random nodes and asks each node for each of them.
func TestEveryRoomIsFoundFromEveryNode(t *testing.T) {
	t.Parallel()
	rooms := sized(100, 100, 1000)
	c := newTeam(t, 3).start()
	infos := make([]roomInfo, rooms)
	each(rooms, 16, func(i int) { infos[i] = c.any().create("chess", nil) })
	own := map[string]int{}
	for _, info := range infos {
		own[info.Node]++
	}
	t.Logf("%d rooms over nodes: %v", rooms, own)
	for _, n := range c.nodes {
		if share := float64(own[n.Node]) / float64(rooms); share < 0.2 || share > 0.47 {
			t.Errorf("%s has %.0f %% of the rooms", n.Node, 100*share)
		}
	}
	ctx := patience(t)
	each(3*rooms, 16, func(i int) {
		info, asked := infos[i/3], c.nodes[i%3]
		var found roomInfo
		var code int
		asked.until(ctx, "all nodes say whether they have the room", func() bool {
			code = asked.call("GET", "/v1/rooms/"+info.ID, nil, &found)
			return code != http.StatusServiceUnavailable
		})
		if code != http.StatusOK || found.Node != info.Node {
			t.Errorf("%s says of room %s at %s: %d %+v", asked.Node, info.ID, info.Node, code, found)
		}
	})
	for _, n := range c.nodes {
		listed := map[string]int{}
		for _, info := range n.list() {
			listed[info.ID]++
		}
		for _, info := range infos {
			if listed[info.ID] != 1 {
				t.Errorf("%s lists room %s at %s %d times", n.Node, info.ID, info.Node, listed[info.ID])
			}
		}
	}

	// A fourth node takes a fourth of the ring: no room moves or takes an input for it, and it finds them all.
	late := c.add()
	late.start()
	c.whole(4)
	each(rooms, 16, func(i int) {
		var found struct {
			roomInfo
			Seq int
		}
		code := late.call("GET", "/v1/rooms/"+infos[i].ID, nil, &found)
		if opened := 2; code != http.StatusOK || found.Node != infos[i].Node || found.Epoch != 1 || found.Seq != opened {
			t.Errorf("the new node says of room %s at %s: %d %+v", infos[i].ID, infos[i].Node, code, found)
		}
	})
}

// list pages through all rooms.
func (s *server) list() (all []roomInfo) {
	s.t.Helper()
	for after := ""; ; {
		var page struct {
			Rooms   []roomInfo
			Next    string
			Partial bool
		}
		if code := s.call("GET", "/v1/rooms?limit=300"+after, nil, &page); code != http.StatusOK || page.Partial {
			s.t.Errorf("%s answered a list with %d, partial %v", s.Node, code, page.Partial)
			return all
		}
		all = append(all, page.Rooms...)
		if page.Next == "" {
			return all
		}
		after = "&after=" + page.Next
	}
}

// each calls f for 0 to n-1, some at once.
func each(n, atOnce int, f func(i int)) {
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			f(i)
		})
	}
	wg.Wait()
}

// TestPlayersWhoAskAtTwoNodesMeet matches pairs that ask different nodes in the same moment.
func TestPlayersWhoAskAtTwoNodesMeet(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3).start()
	for pair := range 30 {
		options := map[string]any{"clock": map[string]any{"initial_ms": 60_000 + pair}} // a queue of its own
		var got [2]roomInfo
		each(2, 2, func(i int) {
			n := c.nodes[(pair+i)%3]
			body := map[string]any{"game": "chess", "options": options, "ticket": ticket(pair, i)}
			if code := n.call("POST", "/v1/matchmake", body, &got[i]); code != http.StatusOK {
				t.Errorf("matchmaking at %s: %d", n.Node, code)
			}
		})
		if got[0].ID != got[1].ID {
			t.Errorf("pair %d was put into two rooms, %s and %s", pair, got[0].ID, got[1].ID)
		}
	}
}

// TestABurstOfJoins brings 500 spectators and a full table into one room at once, through three nodes.
func TestABurstOfJoins(t *testing.T) {
	t.Parallel()
	spectators := 500
	if testing.Short() {
		spectators = 60
	}
	c := newTeam(t, 3).start()
	info := c.any().create("snakes", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	const players = snakes.MaxPlayers
	clients := make([]*client.Client, spectators+players)
	each(len(clients), len(clients), func(i int) {
		n := c.nodes[i%3]
		o := client.Options{Spectate: i >= players, Encoding: encodingOf(i)}
		var err error
		if clients[i], err = n.tryJoin(n.at(info), o); err != nil {
			t.Errorf("client %d at %s: %v", i, n.Node, err)
		}
	})
	if t.Failed() {
		return
	}
	// Nobody starves: everybody sees the game go on.
	before := make([]int, len(clients))
	for i, cl := range clients {
		before[i] = cl.Stats().Turns
	}
	for i, cl := range clients {
		c.nodes[0].until(ctx, fmt.Sprintf("client %d at %s hears the game go on", i, c.nodes[i%3].Node), func() bool {
			return cl.Stats().Turns > before[i]+20
		})
	}
	for i, cl := range clients {
		if st := cl.Stats(); st.Mismatches > 0 {
			t.Errorf("client %d: %d checksums differ", i, st.Mismatches)
		}
	}
}

// TestAKilledNodeBringsItsRoomsBack kills one of three nodes: its players hear that their room is not reachable, not
// that there is none, and go on when the node is back; the others' players notice nothing.
func TestAKilledNodeBringsItsRoomsBack(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3).start()
	ctx := patience(t)
	games := steadyGames(t, 24)
	matches := make([]*match, len(games))
	each(len(games), len(games), func(i int) {
		var err error // players connect to nodes that live on, wherever their room is
		if matches[i], err = c.any().seat(ctx, games[i], c.nodes[0], c.nodes[1]); err != nil {
			t.Errorf("game %d: %v", games[i].row, err)
			return
		}
		matches[i].s = c.nodes[i%2] // and so do those who ask for results
	})
	if t.Failed() {
		return
	}
	dead := c.nodes[2]
	wait := playAll(ctx, t, matches)
	c.nodes[0].amid(ctx, matches, 0.2)
	dead.kill()
	theirs := slices.IndexFunc(matches, func(m *match) bool { return m.room.Node == dead.Node })
	if theirs < 0 {
		t.Fatal("no room was at the node that died")
	}
	c.nodes[0].until(ctx, "the death is noticed", func() bool { return len(c.nodes[0].sees("active")) == 2 })
	var raw []byte
	if code := c.nodes[0].call("GET", "/v1/rooms/"+matches[theirs].room.ID, nil, &raw); code != http.StatusServiceUnavailable || !mentions(string(raw), dead.Node) {
		t.Errorf("a room of a node that is down: %d %s", code, raw)
	}
	sock := dial(t, c.nodes[0].at(matches[theirs].room).URL, wire.JSON)
	sock.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
	sock.closesWith(wire.CloseUnreachable, dead.Node)
	dead.start()
	wait()
	checkStored(t, matches)
}
