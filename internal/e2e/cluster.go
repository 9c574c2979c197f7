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

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// patientTimeouts are settings for busy machines: a node that gets no processor for a while is not taken for dead, and its players
// wait for it.
var patientTimeouts = []string{"--peer-silence", "5s", "--reattach-timeout", "10s"}

// OneJournal has each room in the journal of its owner only, for tests in which the rooms of a node that is gone wait for it.
var OneJournal = slices.Clip([]string{"--durability", "local"})

// DefaultTimeouts restores the default timeouts, for tests in which nodes must be taken for dead.
var DefaultTimeouts = slices.Clip([]string{"--peer-silence", "1.5s", "--reattach-timeout", "2s"})

// Team is a cluster of real processes on the loopback network.
type Team struct {
	T      *testing.T
	Nodes  []*Server
	secret string   // the file with the cluster secrets
	Store  string   // URL of the store
	args   []string // of every node
	opened persist.Store
}

// NewTeam prepares a cluster of nodes that share a SQLite file. Every node gets the args. Start starts them.
func NewTeam(t *testing.T, nodes int, args ...string) *Team {
	t.Helper()
	return NewTeamOn(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"), nodes, args...)
}

// NewTeamOn is NewTeam with the URL of a store.
func NewTeamOn(t *testing.T, store string, nodes int, args ...string) *Team {
	t.Helper()
	c := &Team{T: t, Store: store, secret: filepath.Join(t.TempDir(), "secret"), args: args}
	c.WriteSecrets(rand.Text())
	for range nodes {
		c.Add()
	}
	return c
}

// WriteSecrets writes the file of cluster secrets, one a line.
func (c *Team) WriteSecrets(secrets ...string) {
	c.T.Helper()
	if err := os.WriteFile(c.secret, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		c.T.Fatal(err)
	}
}

// Add prepares one more node. It knows the addresses of the nodes before it; they know its address from their next start on.
func (c *Team) Add() *Server {
	c.T.Helper()
	gossip := FreePort(c.T)
	s := NewServer(c.T, slices.Concat(GenerousLimits, patientTimeouts, []string{
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
		n.JoinAddrs = strings.Join(all, ",")
	}
	return s
}

// Start starts all nodes and waits until each is ready and has all of them on its ring.
func (c *Team) Start() *Team {
	c.T.Helper()
	var wg sync.WaitGroup
	for _, n := range c.Nodes {
		wg.Go(func() { n.Start() })
	}
	wg.Wait()
	c.WaitWhole(len(c.Nodes))
	return c
}

// WaitWhole waits until every running node is ready, has this many nodes on its ring, and knows this many nodes as active.
func (c *Team) WaitWhole(active int) {
	c.T.Helper()
	for _, n := range c.Nodes {
		if !n.IsRunning() {
			continue
		}
		n.Until(WaitContext(c.T), fmt.Sprintf("%s is ready and has %d active nodes on its ring", n.Node, active), func() bool {
			return n.IsReady() && len(n.RingNames()) == active && len(n.KnownNodes("active")) == active
		})
	}
}

// IsReady reports whether /readyz answers 200.
func (s *Server) IsReady() bool {
	code, err := s.TryCallAt(s.URL, "GET", "/readyz", "", nil, nil)
	return err == nil && code == http.StatusOK
}

// AdminNode is a node as the admin API shows it, with the fields that tests read.
type AdminNode struct {
	Name     string   `json:"name"`
	Boot     string   `json:"boot"`
	State    string   `json:"state"`
	Rooms    int      `json:"rooms"`
	Sessions int      `json:"sessions"`
	Remote   int      `json:"remote"`
	Unready  []string `json:"unready"`
	Links    []struct {
		Peer string `json:"peer"`
		Up   bool   `json:"up"`
		Via  string `json:"via"`
	} `json:"links"`
}

// KnownNodes returns the nodes that this node knows to be in a state; "" means any state. It returns nil while the node does not answer.
func (s *Server) KnownNodes(state string) []AdminNode {
	var body struct{ Nodes []AdminNode }
	if code, err := s.TryCallAt(s.AdminAt, "GET", "/admin/v1/nodes", "", nil, &body); err != nil || code != http.StatusOK {
		return nil
	}
	return slices.DeleteFunc(body.Nodes, func(n AdminNode) bool { return state != "" && n.State != state })
}

// RingNames returns the names of the nodes on the ring, as this node knows it. It returns nil while the node does not answer.
func (s *Server) RingNames() (names []string) {
	var body struct{ Nodes []struct{ Name string } }
	if code, err := s.TryCallAt(s.AdminAt, "GET", "/admin/v1/ring", "", nil, &body); err != nil || code != http.StatusOK {
		return nil
	}
	for _, n := range body.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// AnyNode returns a random node that is running.
func (c *Team) AnyNode() *Server {
	running := slices.DeleteFunc(slices.Clone(c.Nodes), func(n *Server) bool { return !n.IsRunning() })
	return running[mathrand.IntN(len(running))]
}

// Via returns info with a URL that leads to the room through this node.
func (s *Server) Via(info RoomInfo) RoomInfo {
	_, path, _ := strings.Cut(strings.TrimPrefix(info.URL, "ws://"), "/")
	info.URL = strings.Replace(s.URL, "http", "ws", 1) + "/" + path
	return info
}

// List returns all rooms that this node lists, page by page.
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

// ForEach calls f for 0 to n-1, at most atOnce of them at a time, and waits for all.
func ForEach(n, atOnce int, f func(i int)) {
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

// WaitForLog waits until one line of the process's log has all the words.
func (s *Server) WaitForLog(words ...string) {
	s.T.Helper()
	s.Until(WaitContext(s.T), "said "+strings.Join(words, ", "), func() bool {
		for line := range strings.Lines(s.Log.String()) {
			if Mentions(line, words...) {
				return true
			}
		}
		return false
	})
}

// StopCleanly stops the process and fails the test if it exits with an error.
func (s *Server) StopCleanly() {
	if code, _ := s.Stop(); code != 0 {
		s.T.Errorf("%s stopped with %d", s.Node, code)
	}
}

// MatchedRoom is the answer to a guest who asks for a match.
type MatchedRoom struct {
	RoomInfo
	Guest struct{ Token string }
}

// Signal sends a signal to the process. It does nothing if the process has ended.
func (s *Server) Signal(sig syscall.Signal) { _ = s.Cmd.Process.Signal(sig) }

// IsRoomOver reports whether err says that the room is over. An act can fail this way after it ended the game, if its answer was lost with
// a socket.
func IsRoomOver(err error) bool {
	closed, ok := errors.AsType[*client.Closed](err)
	return ok && closed.Code == wire.CloseOver
}
