// Package grid has tests run several nodes in one process: real rooms and clusters, with gossip, links and a store that the test holds
// in its hand.
package grid

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Grid is several nodes. A test changes its fields, and those of its nodes, by Set.
type Grid struct {
	Store *Store

	Nodes map[string]*Node
	Hung  map[string]bool // nodes that take questions and never answer
	// Claim takes a released room on for the node that the ring names.
	Claim func(ctx context.Context, owner string, id room.ID) error

	t     testing.TB
	clock *gridClock
	mu    sync.Mutex
	calls map[string]int // by method
	cut   map[[2]string]bool
}

// Node is one of them.
type Node struct {
	*cluster.Cluster
	Name      string
	Directory *actor.Directory
	Member    members.Member // what gossip tells of it
	Ring      *ring.Ring     // that it sees; nil: the active nodes of the grid
	Gone      bool           // nobody knows it
	Links     *link.Links    // nil: the grid carries questions in memory

	g      *Grid
	joined int
	mux    *mux
}

// Setup is how a node is made.
type Setup struct {
	Cluster cluster.Options
	Rooms   actor.Options
	Joined  int  // nodes that answer when it joins
	Joining bool // it is not on the ring until the test calls Start
}

// New starts nodes that are on the ring at once.
func New(t testing.TB, names ...string) *Grid {
	g := &Grid{
		Store: &Store{Rows: map[room.ID]record.Row{}, Ended: map[room.ID]actor.Info{}},
		Nodes: map[string]*Node{}, Hung: map[string]bool{},
		t: t, clock: &gridClock{Clock: clock.System()}, calls: map[string]int{}, cut: map[[2]string]bool{},
	}
	for _, n := range names {
		g.Add(n)
	}
	return g
}

// Add starts one more node.
func (g *Grid) Add(name string, change ...func(*Setup)) *Node {
	g.t.Helper()
	n, s := g.setup(name, change)
	n.mux = &mux{handlers: map[string]handler{}}
	g.start(n, s, cluster.Net{Members: table{n}, Links: links{n: n}, Mux: n.mux, Claims: claims{n: n}})
	return n
}

// Wired starts nodes that talk over real links on loopback.
func Wired(t testing.TB, names ...string) *Grid {
	g := New(t)
	for _, name := range names {
		g.Wire(name, "m")
	}
	g.Reach()
	for _, n := range g.All() {
		testwait.Until(t, "all links of "+n.Name+" are up", func() bool {
			up := 0
			for _, s := range n.Links.States() {
				if s.Up {
					up++
				}
			}
			return up == len(names)-1
		})
		n.join()
	}
	return g
}

// Reach has all nodes connect with those that gossip tells of.
func (g *Grid) Reach() {
	for _, n := range g.All() {
		n.Nodes.Reach()
	}
}

// Wire adds one more node with real links, on a machine. It joins when the test calls Start.
func (g *Grid) Wire(name, machine string, change ...func(*Setup)) *Node {
	g.t.Helper()
	n, s := g.setup(name, change)
	calls := link.NewMux()
	var err error
	n.Links, err = link.New(link.Options{
		Self:     &linkpb.Greeting{Node: name, Boot: string(n.Member.Boot), Label: "test", Machine: machine, Store: "sqlite"},
		Security: link.Security{Insecure: true}, Calls: calls,
		Owner: func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return n.Owner.Open(to) },
		Edge:  func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return n.Edge.Open(to) },
	})
	if err != nil {
		g.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	n.Member.Link = ln.Addr().String()
	g.start(n, s, cluster.Net{Members: table{n}, Links: n.Links, Mux: calls, Claims: claims{n: n}})
	n.Links.Serve(ln)
	return n
}

func (g *Grid) setup(name string, change []func(*Setup)) (*Node, *Setup) {
	n := &Node{Name: name, g: g}
	n.Member = members.Member{Name: name, Boot: record.BootID("boot-" + name), State: members.Joining, Link: name + ":1", Weight: 1}
	s := &Setup{
		Cluster: cluster.Options{
			Members: members.Options{Self: n.Member}, Store: g.Store, Clock: g.clock,
			Describe: func() cluster.NodeInfo { return cluster.NodeInfo{Version: "test", Rooms: n.Directory.Count()} },
			Ask:      5 * time.Second, Gather: 5 * time.Second, Forward: 20 * time.Second,
		},
		Rooms: actor.Options{Games: games(g.t), Node: name, NewID: func(game string) room.ID { return n.Place(game) }},
	}
	for _, c := range change {
		c(s)
	}
	n.joined = s.Joined
	return n, s
}

func (g *Grid) start(n *Node, s *Setup, net cluster.Net) {
	owner := lifecycle.NewOwner(lifecycle.OwnerOptions{Self: ownership.Self{Boot: n.Member.Boot}})
	s.Rooms.Owner = owner
	var err error
	if n.Directory, err = actor.NewDirectory(s.Rooms); err != nil {
		g.t.Fatal(err)
	}
	owner.Serve(n.Directory)
	s.Cluster.Owner, s.Cluster.Rooms = owner, n.Directory
	if n.Cluster, err = cluster.Compose(s.Cluster, net); err != nil {
		g.t.Fatal(err)
	}
	g.Set(func() { g.Nodes[n.Name] = n })
	g.t.Cleanup(func() {
		ctx, cancel := clock.WithTimeout(context.Background(), clock.System(), testwait.Ceiling)
		defer cancel()
		if err := errors.Join(n.Close(ctx), n.Directory.Shutdown(ctx)); err != nil {
			g.t.Errorf("node %s does not stop: %v", n.Name, err)
		}
		owner.Close()
	})
	if s.Joining {
		return
	}
	if n.Locate.Complete(true); n.Links == nil {
		n.join()
	}
}

// join takes the node onto the ring.
func (n *Node) join() {
	n.g.t.Helper()
	if err := n.Start(n.g.t.Context()); err != nil {
		n.g.t.Fatal(err)
	}
}

// Set changes fields of the grid or its nodes.
func (g *Grid) Set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

// Later moves the time of day on for all nodes that go by the grid's clock.
func (g *Grid) Later(d time.Duration) { g.clock.later.Add(int64(d)) }

// gridClock is a clock whose time of day may be moved on.
type gridClock struct {
	clock.Clock
	later atomic.Int64
}

func (c *gridClock) Wall() time.Time { return c.Clock.Wall().Add(time.Duration(c.later.Load())) }

// Separate cuts the link between two nodes, in both directions.
func (g *Grid) Separate(a, b string) {
	g.Set(func() { g.cut[[2]string{a, b}], g.cut[[2]string{b, a}] = true, true })
}

// Mend undoes all that Separate has cut.
func (g *Grid) Mend() { g.Set(func() { clear(g.cut) }) }

// Asked is how many questions of a method have gone over links.
func (g *Grid) Asked(method string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[method]
}

// All are the nodes by name.
func (g *Grid) All() []*Node {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []*Node
	for _, name := range slices.Sorted(maps.Keys(g.Nodes)) {
		out = append(out, g.Nodes[name])
	}
	return out
}

// State is what gossip tells of the node.
func (n *Node) State() members.State { return table{n}.Self().State }

// Make makes a room at a node, whatever the loads are.
func (n *Node) Make(c actor.Create) actor.Info {
	n.g.t.Helper()
	info, err := n.Directory.Create(context.Background(), c)
	if err != nil {
		n.g.t.Fatal(err)
	}
	return info
}

// tally is a game that counts.
type tally struct{ Sum int }

func (c *tally) Act(_ *room.Turn, _ room.Player, n int) error {
	c.Sum += n
	return nil
}

func (c *tally) Open(t *room.Turn, _ json.RawMessage) error {
	var o struct {
		Bad bool `json:"bad"`
		N   int  `json:"n"`
	}
	if err := t.Options(&o); err != nil {
		return err
	}
	if o.Bad {
		return errors.New("bad options")
	}
	return nil
}

func (c *tally) Signal(_ *room.Turn, name string, _ json.RawMessage) error {
	if name != "reset" {
		return room.Refuse("unknown", "no such signal")
	}
	c.Sum = 0
	return nil
}

func (c *tally) View(room.Viewer) map[string]int { return map[string]int{"sum": c.Sum} }

func games(t testing.TB) *core.Games {
	g, err := core.NewGames(
		room.MustDefine(room.Spec{Name: "pair", Version: 1, MaxPlayers: 2}, func() *tally { return &tally{} }),
		room.MustDefine(room.Spec{Name: "party", Version: 1, MaxPlayers: 8}, func() *tally { return &tally{} }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
