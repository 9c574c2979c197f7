// Package nodes knows which nodes there are: by gossip, by links, and by the store. It takes this node onto the ring and off it, and
// tells operators of all nodes.
package nodes

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/cluster/tasks"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Table is what gossip tells: a members.Members.
type Table interface {
	Join(ctx context.Context) (others int, err error)
	Self() members.Member
	All() []members.Member
	Get(name string) (members.Member, bool)
	Ring() *ring.Ring
	SetState(s members.State)
	SetLoad(load float64)
	Stats() members.Stats
}

// Links are this node's connections to the others: a link.Links.
type Links interface {
	Targets(to []link.Target)
	States() []link.State
}

// Store lists processes.
type Store interface {
	// Boots are the processes that the store holds to be alive.
	Boots(ctx context.Context) ([]Boot, error)
}

// Boot is a process that the store holds to be alive.
type Boot struct {
	ID     record.BootID
	Node   string
	Host   string
	Silent time.Duration // since its last heartbeat
}

// Options make Nodes. All are needed but Join.
type Options struct {
	Name  string // of this node
	Boot  record.BootID
	Join  []string // the addresses that this node was told to join
	Table Table
	Links Links
	Store Store
	Calls *rpc.Caller
	Tasks *tasks.Group // runs what goes on in the background
	Clock clock.Clock
	Log   *slog.Logger

	Describe  func() Info    // says what this node is and how it does, now
	Load      func() float64 // of this node, for gossip
	Stop      func()         // has this node drain and end; it must not block
	Activated func()         // is called once, when this node is on the ring for the first time

	Gather  time.Duration // how long other nodes and the store may take to answer
	Forward time.Duration // how long the store may take in the background
	Fresh   time.Duration // how long a boot may be silent and still keep this node from starting alone
}

// Nodes are all nodes as this one knows them. Its methods may be called from any goroutine; those with a context wait for others.
type Nodes struct {
	o         Options
	turning   sync.Mutex // orders the changes of this node's state
	activated sync.Once
	targeting sync.Mutex // the links are told the newest table last

	asking singleflight.Group // of the store for boots

	mu      sync.Mutex // guards what follows
	unready []string   // why this node is not on the ring
	boots   []Boot     // as the store last said
	asked   time.Time  // when it did
}

// New knows nothing yet. This node is not ready until Start.
func New(o Options) *Nodes {
	n := &Nodes{o: o, unready: []string{"the node has not joined the cluster yet"}}
	rpc.Serve(o.Calls, nodeInfo, func(context.Context, rpc.None) (Info, error) { return n.describe(), nil })
	rpc.ServeAct(o.Calls, nodeDrain, "drain", func(rpc.None) []any { return []any{"target", o.Name} },
		func(context.Context, rpc.None) error { o.Stop(); return nil })
	return n
}

// Self is this process.
func (n *Nodes) Self() link.Peer { return link.Peer{Node: n.o.Name, Boot: n.o.Table.Self().Boot} }

// Ring is the ring of the active nodes as this node knows it.
func (n *Nodes) Ring() *ring.Ring { return n.o.Table.Ring() }

// Members are all nodes that gossip tells of, this one among them.
func (n *Nodes) Members() []members.Member { return n.o.Table.All() }

// Reach connects this node with all others that gossip tells of.
func (n *Nodes) Reach() {
	n.targeting.Lock()
	defer n.targeting.Unlock()
	var to []link.Target
	for _, m := range n.o.Table.All() {
		if m.Name != n.o.Name && m.Link != "" {
			to = append(to, link.Target{Peer: link.Peer{Node: m.Name, Boot: m.Boot}, Addr: m.Link})
		}
	}
	n.o.Links.Targets(to)
}

// Heard are the processes of all other nodes that gossip tells of or a link stands to. Gossip takes a slow node for dead, and the
// link knows better. A node that does not fit into one cluster with this one is left out, see misfit.
func (n *Nodes) Heard() []link.Peer {
	var out []link.Peer
	links := n.o.Links.States()
	for _, m := range n.o.Table.All() {
		p := link.Peer{Node: m.Name, Boot: m.Boot}
		if m.Name != n.o.Name && !slices.ContainsFunc(links, func(s link.State) bool { return s.Unfit && s.Peer == p }) {
			out = append(out, p)
		}
	}
	for _, s := range links {
		if s.Up && !slices.ContainsFunc(out, func(p link.Peer) bool { return p.Node == s.Node }) {
			out = append(out, s.Peer)
		}
	}
	return out
}

// Hears reports whether another node is among Heard.
func (n *Nodes) Hears(node string) bool {
	return slices.ContainsFunc(n.Heard(), func(p link.Peer) bool { return p.Node == node })
}

// Others are the names of the nodes in Heard.
func (n *Nodes) Others() []string {
	var out []string
	for _, p := range n.Heard() {
		out = append(out, p.Node)
	}
	return out
}

// All are the names of the nodes in Heard and of this one.
func (n *Nodes) All() []string { return append(n.Others(), n.o.Name) }

// HeardBoots are the processes that gossip tells of or a link stands to, with this one and those that do not fit.
func (n *Nodes) HeardBoots() []record.BootID {
	var out []record.BootID
	for _, m := range n.o.Table.All() {
		out = append(out, m.Boot)
	}
	for _, l := range n.o.Links.States() {
		if l.Up {
			out = append(out, l.Boot)
		}
	}
	return out
}

// Drain takes this node off the ring.
func (n *Nodes) Drain() {
	n.turning.Lock()
	defer n.turning.Unlock()
	n.o.Table.SetState(members.Draining)
}
