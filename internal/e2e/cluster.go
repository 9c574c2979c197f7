package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// unhurried are limits for machines that run much else: a node that gets no turn for a while is not taken for dead, and
// its players wait for it.
var unhurried = []string{"--peer-silence", "5s", "--reattach-timeout", "10s"}

// AsShipped takes that back, for tests in which nodes shall be taken for dead.
var AsShipped = slices.Clip([]string{"--peer-silence", "1.5s", "--reattach-timeout", "2s"})

// Team is a cluster of real processes on loopback.
type Team struct {
	T      *testing.T
	Nodes  []*Server
	secret string // file
	Store  string // URL
	args   []string
}

// NewTeam prepares a cluster whose nodes share a SQLite file; further args are every node's.
func NewTeam(t *testing.T, nodes int, args ...string) *Team {
	t.Helper()
	return NewTeamOn(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"), nodes, args...)
}

func NewTeamOn(t *testing.T, store string, nodes int, args ...string) *Team {
	t.Helper()
	c := &Team{T: t, Store: store, secret: filepath.Join(t.TempDir(), "secret"), args: args}
	c.WriteSecrets(rand.Text())
	for range nodes {
		c.Add()
	}
	return c
}

func (c *Team) WriteSecrets(secrets ...string) {
	c.T.Helper()
	if err := os.WriteFile(c.secret, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		c.T.Fatal(err)
	}
}

// Add prepares one more node, which knows those before it, and they it from their next start on.
func (c *Team) Add() *Server {
	c.T.Helper()
	gossip := FreePort(c.T)
	s := NewServer(c.T, slices.Concat(Generous, unhurried, []string{
		"--node", fmt.Sprintf("n%d", len(c.Nodes)+1), "--peer-listen", FreePort(c.T), "--gossip-listen", gossip,
		"--cluster-secret-file", c.secret, "--store", c.Store,
	}, c.args)...)
	s.GossipAt = gossip
	c.Nodes = append(c.Nodes, s)
	var all []string
	for _, n := range c.Nodes {
		all = append(all, n.GossipAt)
	}
	for _, n := range c.Nodes {
		n.Joins = strings.Join(all, ",")
	}
	return s
}

// Start runs all nodes and waits until each is ready and has all others on its ring.
func (c *Team) Start() *Team {
	c.T.Helper()
	var wg sync.WaitGroup
	for _, n := range c.Nodes {
		wg.Go(func() { n.Start() })
	}
	wg.Wait()
	c.Whole(len(c.Nodes))
	return c
}

// Whole waits until every running node is ready, has so many nodes on its ring, and hears them say that they are active.
func (c *Team) Whole(active int) {
	c.T.Helper()
	for _, n := range c.Nodes {
		if !n.Runs() {
			continue
		}
		n.Until(Patience(c.T), fmt.Sprintf("%s is ready and has %d active nodes on its ring", n.Node, active), func() bool {
			return n.IsReady() && len(n.OnRing()) == active && len(n.Sees("active")) == active
		})
	}
}

func (s *Server) IsReady() bool {
	code, err := s.TryAt(s.URL, "GET", "/readyz", "", nil, nil)
	return err == nil && code == http.StatusOK
}

// AdminNode is a node of the admin API, as far as tests look at it.
type AdminNode struct {
	Name     string   `json:"name"`
	Boot     string   `json:"boot"`
	State    string   `json:"state"`
	Rooms    int      `json:"rooms"`
	Sessions int      `json:"sessions"`
	Remote   int      `json:"remote"`
	Unready  []string `json:"unready"`
}

// Sees are the nodes that this one knows in a state; "" is any.
func (s *Server) Sees(state string) []AdminNode {
	var body struct{ Nodes []AdminNode }
	if code, err := s.TryAt(s.AdminAt, "GET", "/admin/v1/nodes", "", nil, &body); err != nil || code != http.StatusOK {
		return nil
	}
	return slices.DeleteFunc(body.Nodes, func(n AdminNode) bool { return state != "" && n.State != state })
}

// OnRing are the names on the ring as this node knows it.
func (s *Server) OnRing() (names []string) {
	var body struct{ Nodes []struct{ Name string } }
	if code, err := s.TryAt(s.AdminAt, "GET", "/admin/v1/ring", "", nil, &body); err != nil || code != http.StatusOK {
		return nil
	}
	for _, n := range body.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// Any is a node that runs, at random.
func (c *Team) Any() *Server {
	running := slices.DeleteFunc(slices.Clone(c.Nodes), func(n *Server) bool { return !n.Runs() })
	return running[mathrand.IntN(len(running))]
}

// At makes a room's address that of another node.
func (s *Server) At(info RoomInfo) RoomInfo {
	_, path, _ := strings.Cut(strings.TrimPrefix(info.URL, "ws://"), "/")
	info.URL = strings.Replace(s.URL, "http", "ws", 1) + "/" + path
	return info
}

// List pages through all rooms.
func (s *Server) List() (all []RoomInfo) {
	s.T.Helper()
	for after := ""; ; {
		var page struct {
			Rooms   []RoomInfo
			Next    string
			Partial bool
		}
		if code := s.Call("GET", "/v1/rooms?limit=300"+after, nil, &page); code != http.StatusOK || page.Partial {
			s.T.Errorf("%s answered a list with %d, partial %v", s.Node, code, page.Partial)
			return all
		}
		all = append(all, page.Rooms...)
		if page.Next == "" {
			return all
		}
		after = "&after=" + page.Next
	}
}

// Each calls f for 0 to n-1, some at once.
func Each(n, atOnce int, f func(i int)) {
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

// Says waits until a process's log has all the words in one line.
func (s *Server) Says(words ...string) {
	s.T.Helper()
	s.Until(Patience(s.T), "said "+strings.Join(words, ", "), func() bool {
		for line := range strings.Lines(s.Log.String()) {
			if Mentions(line, words...) {
				return true
			}
		}
		return false
	})
}

func (s *Server) StopsWell() {
	if code, _ := s.Stop(); code != 0 {
		s.T.Errorf("%s stopped with %d", s.Node, code)
	}
}

type MatchedRoom struct {
	RoomInfo
	Guest struct{ Token string }
}

func (s *Server) Signal(sig syscall.Signal) { _ = s.Cmd.Process.Signal(sig) } // an error: it has ended

// Over reports whether an error says that the room is over: the answer to its last act may have been lost with a socket.
func Over(err error) bool {
	closed, ok := errors.AsType[*client.Closed](err)
	return ok && closed.Code == wire.CloseOver
}
