// Package cluster makes many nodes one server. It joins the parts, each in a package of its own: which nodes there are (members, nodes),
// the ring, links and questions over them (link, rpc), placing and finding rooms (placement, locate), matchmaking (match), clients in
// rooms elsewhere (relay), and rooms that move (claim).
//
// The ring places and finds; it does not decide who owns a room. A room's row in the store decides that, moved by compare-and-set alone.
package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/roomring/roomring/cluster/claim"
	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/locate"
	"github.com/roomring/roomring/cluster/match"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/cluster/placement"
	"github.com/roomring/roomring/cluster/relay"
	"github.com/roomring/roomring/cluster/replica"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/cluster/tasks"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Options make a Cluster.
type Options struct {
	Members members.Options // Changed, Superseded and Clock are the cluster's own
	Link    link.Options    // Calls, Owner, Edge and Clock are the cluster's own
	Peer    net.Listener    // where other nodes dial
	Rooms   *actor.Directory
	Owner   *lifecycle.Owner  // of Rooms
	Copies  *replica.Replicas // of Rooms, between this node and the others; nil: no room is copied
	Store   Store
	Aside   AsideRooms // nil: this node sets no rooms aside

	// Describe says what this node is and how it does, now.
	Describe func() NodeInfo
	// Stop is called when the operator has this node drain: it gives its rooms away, as at SIGTERM, and ends. It must not block.
	Stop func()
	// Superseded is called once when another process has taken this node's name: this one must stop.
	Superseded func(err error)

	Ask      time.Duration // how long one peer may take to answer where a room is; 0 means 500 ms
	Forward  time.Duration // how long a peer may take to do what it is asked, such as to make a room; 0 means 5 s
	Gather   time.Duration // how long peers may take to answer a list; 0 means 1 s
	Reattach time.Duration // how long an edge looks for a room that has moved before it closes 4103; 0 means 2 s
	Sweep    time.Duration // how often released rooms that the ring gives this node are looked for; 0 means 2 s

	// Clock measures all waiting in this package and those below it, so that time in which the process stood still counts for nobody.
	// The timers of memberlist, gRPC, dials and the rates of log lines are their own. Nil: a clock of its own.
	Clock clock.Clock

	Known int // rooms elsewhere whose node is remembered, as many requests whose room was filled last, and as many tickets; 0 means 65,536
	// Fresh is how long a boot that nobody hears may be silent in the store and still keep rooms from being called not
	// found, and nodes from starting alone; 0 means 10 s. Lists are partial until the store holds it to be dead.
	Fresh time.Duration

	Log *slog.Logger // nil: discarded
}

func (o Options) complete() (Options, error) {
	if o.Rooms == nil || o.Owner == nil || o.Store == nil || o.Describe == nil {
		return o, errors.New("cluster: Options.Rooms, Options.Owner, Options.Store and Options.Describe are needed")
	}
	o.Ask = cmp.Or(o.Ask, 500*time.Millisecond)
	o.Forward = cmp.Or(o.Forward, 5*time.Second)
	o.Gather = cmp.Or(o.Gather, time.Second)
	o.Reattach = cmp.Or(o.Reattach, 2*time.Second)
	o.Sweep = cmp.Or(o.Sweep, 2*time.Second)
	o.Known = cmp.Or(o.Known, 65_536)
	o.Fresh = cmp.Or(o.Fresh, 10*time.Second)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Stop == nil {
		o.Stop = func() {}
	}
	if o.Superseded == nil {
		o.Superseded = func(error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Store is what the cluster asks of the store. record.ErrNotFound says for certain that there is no such thing; any other
// error that the store is away.
type Store interface {
	locate.Store
	nodes.Store
	claim.Store
	RowByCode(ctx context.Context, code string) (record.Row, error)
}

// Boot is a process that the store holds to be alive.
type Boot = nodes.Boot

// NodeInfo is one node as it describes itself.
type NodeInfo = nodes.Info

// Net is how a node reaches the others: gossip and links. Open makes it; tests may make their own.
type Net struct {
	Members interface {
		nodes.Table
		Rotate(secrets [][]byte) error
		Leave(ctx context.Context) error
		Close() error
	}
	Links interface {
		nodes.Links
		rpc.Links
		Rotate(secrets [][]byte) error
		Close(ctx context.Context) error
	}
	Mux    rpc.Mux
	Claims Claims // nil: by the rows in the store
}

// Claims move rooms between nodes that stop and nodes that go on: a claim.Claimer.
type Claims interface {
	Claim(ctx context.Context, id room.ID) error
	Serve(ctx context.Context, want claim.Request) (claim.Answer, error)
	Drain(ctx context.Context) error
	Released(id room.ID)
	RingChanged()
	Start()
	Close()
}

// Parts are what a Cluster is made of.
type Parts struct {
	Calls  *rpc.Caller
	Nodes  *nodes.Nodes
	Locate *locate.Locator
	Placer *placement.Placer
	Match  *match.Matcher
	Edge   *relay.Edge
	Owner  *relay.Owner
	Claims Claims
}

// Cluster is this node's part of the cluster. Its methods may be called from any goroutine.
type Cluster struct {
	Parts
	o     Options
	net   Net
	tasks *tasks.Group
}

// claimRooms asks a node to claim released rooms.
const claimRooms rpc.Method[claim.Request, claim.Answer] = "rooms.claim"

// Open begins to gossip in state joining and answers peers. Errors say what to change.
func Open(o Options) (*Cluster, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	var c *Cluster
	mux := link.NewMux()
	lo := o.Link
	lo.Calls, lo.Clock, lo.Log = mux, o.Clock, cmp.Or(lo.Log, o.Log)
	lo.Edge = func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return c.Edge.Open(to) }
	lo.Owner = func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return c.Owner.Open(to) }
	if r := o.Copies; r != nil {
		lo.Leader, lo.Follower, lo.Gone, lo.Silent, lo.Heard = r.Leader, r.Follower, r.Gone, r.Silent, r.Heard
	}
	links, err := link.New(lo) // before gossip, so that peers that hear of this node can dial it
	if err != nil {
		return nil, err
	}
	made := make(chan struct{}) // gossip may call before the cluster is made
	mo := o.Members
	mo.Changed = func() {
		if <-made; c != nil {
			c.changed()
		}
	}
	mo.Superseded, mo.Clock, mo.Log = o.superseded, o.Clock, cmp.Or(mo.Log, o.Log)
	table, err := members.Open(mo)
	if err != nil {
		return nil, errors.Join(err, links.Close(context.Background()))
	}
	c, err = Compose(o, Net{Members: table, Links: links, Mux: mux})
	close(made)
	if err != nil {
		return nil, errors.Join(err, links.Close(context.Background()), table.Close())
	}
	if o.Copies != nil {
		o.Copies.Start(others{c.Nodes})
	}
	links.Serve(o.Peer)
	c.Nodes.Reach()
	c.tasks.Go(c.Nodes.TellLoad)
	c.tasks.Go(c.Match.KeepTickets)
	return c, nil
}

// Compose makes a cluster that reaches the other nodes by net. It starts nothing in the background.
func Compose(o Options, net Net) (*Cluster, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	c := &Cluster{o: o, net: net, tasks: tasks.New()}
	self := o.Members.Self.Name
	c.Calls = rpc.New(rpc.Options{Self: self, Links: net.Links, Mux: net.Mux, Timeout: o.Forward, Clock: o.Clock, Log: o.Log})
	c.Nodes = nodes.New(nodes.Options{
		Name: self, Boot: o.Members.Self.Boot, Join: o.Members.Join,
		Table: net.Members, Links: net.Links, Store: o.Store, Calls: c.Calls, Tasks: c.tasks, Clock: o.Clock, Log: o.Log,
		Describe: c.describe, Load: c.load, Stop: o.Stop, Activated: func() { c.Claims.Start() },
		Gather: o.Gather, Forward: o.Forward, Fresh: o.Fresh,
	})
	c.Locate, err = locate.New(locate.Options{
		Rooms: o.Rooms, Nodes: c.Nodes, Store: o.Store, Calls: c.Calls, Tasks: c.tasks, Clock: o.Clock, Log: o.Log,
		Claim: func(ctx context.Context, id room.ID) error { return c.Claims.Claim(ctx, id) },
		Ask:   o.Ask, Gather: o.Gather, Forward: o.Forward, Known: o.Known, Fresh: o.Fresh,
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: Options.Known: %w", err)
	}
	c.Placer = placement.New(placement.Options{Rooms: o.Rooms, Nodes: c.Nodes, Calls: c.Calls, Clock: o.Clock})
	c.Match, err = match.New(match.Options{
		Rooms: o.Rooms, Nodes: c.Nodes, Locate: c.Locate, Calls: c.Calls, Clock: o.Clock, Log: o.Log, Create: c.Placer.Create,
		Ask: o.Ask, Forward: o.Forward, Reattach: o.Reattach, Known: o.Known,
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: Options.Known: %w", err)
	}
	c.Edge = relay.NewEdge(relay.EdgeOptions{Node: self, Rooms: o.Rooms, Locator: c.Locate, Reattach: o.Reattach, Clock: o.Clock})
	c.Owner = relay.NewOwner(relay.OwnerOptions{Rooms: o.Rooms})
	c.Claims = net.Claims
	if c.Claims == nil {
		c.Claims = claim.New(claim.Options{
			Here:  func(id room.ID) bool { _, err := o.Rooms.Info(id); return err == nil },
			Owner: o.Owner, Store: o.Store, Node: self, Sweep: o.Sweep, Clock: o.Clock, Log: o.Log,
			Order: func(id room.ID) []string { r := c.Nodes.Ring(); return r.First(id, len(r.Nodes())) },
			Ask: func(ctx context.Context, node string, r claim.Request) (claim.Answer, error) {
				return rpc.Ask(ctx, c.Calls, node, claimRooms, r)
			},
		})
	}
	rpc.Serve(c.Calls, claimRooms, c.Claims.Serve)
	o.Owner.OnRelease(c.Claims.Released)
	c.serveRooms()
	c.serveRebalance()
	o.Clock.Use(1)
	return c, nil
}

// changed is called when gossip tells something new.
func (c *Cluster) changed() {
	c.Nodes.Reach()
	c.Claims.RingChanged()
	c.Match.RingChanged()
}

func (o *Options) superseded(by members.Member) {
	o.Superseded(fmt.Errorf("the process %s at %s has taken the name %s of this node, and is newer: this one stops; give each node a --node of its own", by.Boot, by.Link, by.Name))
}

// load is this node's for gossip: its rooms, and a tenth for each socket.
func (c *Cluster) load() float64 {
	return float64(c.o.Rooms.Count()) + float64(c.o.Describe().Sessions)/10
}

// Start is called when the journal's rooms are back. See nodes.Nodes.Start.
func (c *Cluster) Start(ctx context.Context) error {
	c.Locate.Complete(true)
	return c.Nodes.Start(ctx)
}

// notice is how long before its rooms a node's leave is told.
const notice = 300 * time.Millisecond

// Drain takes this node off the ring and gives its rooms away. When it returns nil none is left.
func (c *Cluster) Drain(ctx context.Context) error {
	c.Nodes.Drain()
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Gather)
	c.Match.HandOver(limited)
	cancel()
	if len(c.Nodes.Others()) > 0 { // so that they know of each other that they leave, and hand nothing to one that does
		clock.Sleep(ctx, c.o.Clock, notice)
	}
	return c.Claims.Drain(ctx)
}

// Rotate takes new secrets into use for gossip and for links made from now on, as their Options have them.
func (c *Cluster) Rotate(gossip, links [][]byte) error {
	return errors.Join(c.net.Members.Rotate(gossip), c.net.Links.Rotate(links))
}

// Close leaves the cluster. Gossip goes on for a second so that all hear it. Call it once.
func (c *Cluster) Close(ctx context.Context) error {
	err := c.net.Members.Leave(ctx)
	c.o.Clock.Use(-1)
	c.Claims.Close()
	c.Edge.Close()
	c.tasks.Close()
	err = errors.Join(err, c.net.Links.Close(ctx))
	c.Owner.Close()
	return errors.Join(err, c.net.Members.Close())
}

// Place draws an id that the ring gives this node, for rooms of any game made here. See actor.Options.NewID.
func (c *Cluster) Place(string) room.ID { return c.Placer.ID() }

// Where says where a room belongs by the ring, and which node has it at which epoch. Errors are those of locate.Locator.Locate; the
// Placement is there all the same.
func (c *Cluster) Where(ctx context.Context, id room.ID) (p ring.Placement, node string, epoch record.Epoch, err error) {
	p = c.Nodes.Ring().Explain(id)
	if node, err = c.Locate.Locate(ctx, id); err != nil {
		return p, "", 0, err
	}
	at, err := rpc.Ask(ctx, c.Calls, node, locate.Where, id)
	if err == nil && !at.Here {
		c.Locate.Forget(id, node)
		err = actor.ErrUnreachable
	}
	return p, node, at.Epoch, err
}

// Counts are what this node has done in its cluster since it started.
type Counts struct {
	lifecycle.Moves
	Fills      uint64 // copies of its rooms elsewhere that were filled from its journal
	Strikes    uint64 // rooms taken on whose owner was lost in a step of them
	Reattached uint64 // times that one of its clients was brought into its room again
	LostEvents uint64 // events that its clients of rooms elsewhere were told they missed
}

// Counts reads the counters. It never blocks.
func (c *Cluster) Counts() (n Counts) {
	n.Moves = c.o.Owner.Moves()
	if c.o.Copies != nil {
		n.Fills, n.Strikes = c.o.Copies.Fills(), c.o.Copies.Strikes()
	}
	n.Reattached, n.LostEvents = c.Edge.Counts()
	return n
}

// Gossip is how gossip does. It never blocks.
func (c *Cluster) Gossip() members.Stats { return c.net.Members.Stats() }

// Links are this node's links to all others. It never blocks.
func (c *Cluster) Links() []link.State { return c.net.Links.States() }
