// Package cluster makes many nodes one server: it knows who is there (package members), places and finds rooms
// by the ring (package ring), and brings clients of this node into rooms elsewhere over links (package link).
//
// The ring places and finds; it does not decide who owns a room. That is the room's row in the store, moved by
// compare-and-set alone.
package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/match"
	"github.com/roomring/roomring/room/record"
)

// Options make a Cluster.
type Options struct {
	Members members.Options // Changed, Superseded and Clock are the cluster's own
	Link    link.Options    // Calls, Owner, Edge and Clock are the cluster's own
	Peer    net.Listener    // where other nodes dial
	Rooms   *actor.Directory
	Owner   *lifecycle.Owner // of Rooms
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

	// Clock is what all waiting in this package and those below it is measured by, so that time in which the process stood still
	// counts for nobody; the timers of memberlist, gRPC, dials and the rates of log lines are their own. Nil: one of its own.
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

// Store is what the cluster asks of the store. ErrNoRow says for certain that there is no such thing; any other
// error that the store is away.
type Store interface {
	Row(ctx context.Context, id room.ID) (record.Row, error)
	RowByCode(ctx context.Context, code string) (record.Row, error)
	// Past is a room that is over and gone from memory.
	Past(ctx context.Context, id room.ID) (actor.Info, error)
	// Boots are the processes that the store holds to be alive.
	Boots(ctx context.Context) ([]Boot, error)

	// Released lists released rows after an id, by id.
	Released(ctx context.Context, after room.ID, limit int) ([]record.Row, error)
}

// Boot is a process that the store holds to be alive.
type Boot struct {
	ID     record.BootID
	Node   string
	Host   string
	Silent time.Duration // since its last heartbeat
}

// ErrNoRow is an error of Store.
var ErrNoRow = ownership.ErrNoRow

// NodeInfo is one node as it describes itself. It travels as JSON.
type NodeInfo struct {
	Name     string        `json:"name"`
	Boot     string        `json:"boot"`
	State    string        `json:"state"` // joining, active, draining; or silent: the store holds it to be alive and nobody hears it
	Zone     string        `json:"zone,omitempty"`
	Weight   float64       `json:"weight"`
	Version  string        `json:"version"`
	Started  time.Time     `json:"started"`
	Games    []string      `json:"games,omitempty"` // each with its version, as "chess 1"; an older node does not say
	Rooms    int           `json:"rooms"`
	Sessions int           `json:"sessions"` // sockets open at this node
	Remote   int           `json:"remote"`   // of them, those in rooms elsewhere
	Unready  []string      `json:"unready"`
	Held     []actor.Held  `json:"held,omitempty"`   // rooms that it keeps and cannot run, some of them where there are many
	Link     string        `json:"link,omitempty"`   // address other nodes dial
	Gossip   string        `json:"gossip,omitempty"` // address it gossips at
	Links    []link.State  `json:"links"`
	Gossips  members.Stats `json:"gossip_stats"`
}

// table is what the cluster uses of members.Members.
type table interface {
	Join(ctx context.Context) (others int, err error)
	Self() members.Member
	All() []members.Member
	Get(name string) (members.Member, bool)
	Ring() *ring.Ring
	SetState(s members.State)
	SetLoad(load float64)
	Rotate(secrets [][]byte) error
	Stats() members.Stats
	Leave(ctx context.Context) error
	Close() error
}

// peers is what the cluster uses of link.Links.
type peers interface {
	Targets(to []link.Target)
	Call(ctx context.Context, node, method string, body []byte) ([]byte, error)
	Watch(ctx context.Context, node, method string, body []byte, each func([]byte) error) error
	States() []link.State
	Rotate(secrets [][]byte) error
	Close(ctx context.Context) error
}

// mux is what the cluster uses of link.Mux.
type mux interface {
	Handle(method string, f func(ctx context.Context, from link.Peer, body []byte) ([]byte, error))
	HandleWatch(method string, f func(ctx context.Context, from link.Peer, body []byte, send func([]byte) error) error)
	EncodeError(encode func(error) []byte)
}

// mover moves rooms between nodes that stop and nodes that go on, by way of the store.
type mover interface {
	// claim brings a released room to the node that the ring names, or here. When it returns nil the room is somewhere.
	claim(ctx context.Context, id room.ID) error
	// drain gives all rooms of this node away.
	drain(ctx context.Context) error
	// answerClaim claims for another node.
	answerClaim(ctx context.Context, body []byte) ([]byte, error)
	// released hears of a room that this node has given to the store.
	released(id room.ID)
	start()   // looking for released rooms that the ring gives this node
	changed() // the ring is another
	stop()    // and wait
}

// Cluster is this node's part of the cluster. Its methods may be called from any goroutine.
type Cluster struct {
	o       Options
	self    string // this node's name
	members table
	links   peers
	calls   mux
	edges   *edges
	owners  *owners
	moves   mover
	counts  *counts
	local   map[string]any // what serves each method, for questions that a node asks itself
	log     *slog.Logger

	known    lru[room.ID, string] // rooms elsewhere, and where
	searches searches
	lookLog  rate.Sometimes // lines in the log about searches: each client whose room is not found searches again and again
	boots    bootList
	loads    loads
	matches  *match.Maker
	filled   lru[string, filledRoom]  // by match key: the room that was filled last
	tickets  lru[ticketKey, myTicket] // answered by way of this node
	quiet    quiet

	started  atomic.Bool
	turning  sync.Mutex // between the states of a member
	sweeping sync.Once  // for released rooms

	ringChanged chan struct{} // wakes keepTickets
	handing     sync.Mutex    // of tickets

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	reaching sync.Mutex // so that the newest table is the last that the links are told
	mu       sync.Mutex // guards what follows
	closed   bool
	wg       sync.WaitGroup // of all goroutines of the cluster's; nothing is added once closed
	alone    []string       // why this node is not on the ring yet
}

// Open begins to gossip in state joining and answers peers. Errors say what to change.
func Open(o Options) (*Cluster, error) {
	calls := link.NewMux()
	c, err := newCluster(o, calls)
	if err != nil {
		return nil, err
	}
	if err := c.connect(calls); err != nil {
		c.end()
		return nil, err
	}
	c.reach()
	c.spawn(c.tellLoad)
	c.spawn(c.keepTickets)
	return c, nil
}

// newCluster makes a cluster that has neither members nor links yet.
func newCluster(o Options, calls mux) (*Cluster, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	c := &Cluster{o: o, self: o.Members.Self.Name, calls: calls, counts: new(counts), local: map[string]any{}, log: o.Log}
	c.alone = []string{"the node has not joined the cluster yet"}
	c.known.max, c.filled.max, c.tickets.max = o.Known, o.Known, o.Known
	c.ringChanged = make(chan struct{}, 1)
	c.lookLog.Interval = time.Second
	c.matches = match.New(match.Options{Pool: o.Rooms.Pool, Clock: o.Clock}, seats{c})
	c.ctx, c.cancel = context.WithCancel(context.Background())
	o.Clock.Use(1)
	c.edges = newEdges(edgeOptions{Node: c.self, Rooms: o.Rooms, Locator: c, Reattach: o.Reattach, Clock: o.Clock, Counts: c.counts})
	c.owners = newOwners(ownerOptions{Rooms: o.Rooms})
	c.moves = newSurvivor(survivorOptions{
		rooms: o.Rooms, owner: o.Owner, store: o.Store, node: c.self, sweep: o.Sweep, clock: o.Clock, log: o.Log,
		order: func(id room.ID) []string {
			r := c.members.Ring()
			return r.First(id, len(r.Nodes()))
		},
		call: func(ctx context.Context, node, method string, body []byte) ([]byte, error) {
			return c.links.Call(ctx, node, method, body)
		},
	})
	o.Owner.OnRelease(c.moves.released)
	calls.EncodeError(c.encodeError)
	calls.Handle(methodClaim, func(ctx context.Context, _ link.Peer, body []byte) ([]byte, error) {
		return c.moves.answerClaim(ctx, body)
	})
	c.serveRooms()
	c.serveMatches()
	c.serveNodes()
	return c, nil
}

// connect opens links first, so that peers that hear of this node can dial it.
func (c *Cluster) connect(calls *link.Mux) error {
	lo := c.o.Link
	lo.Calls, lo.Clock, lo.Log = calls, c.o.Clock, cmp.Or(lo.Log, c.log)
	lo.Edge = func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return c.edges.open(to) }
	lo.Owner = func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return c.owners.open(to) }
	links, err := link.New(lo)
	if err != nil {
		return err
	}
	c.links = links
	opened := make(chan struct{}) // members may call before Open has answered
	mo := c.o.Members
	mo.Changed = func() {
		<-opened
		c.reach()
		c.moves.changed()
		select {
		case c.ringChanged <- struct{}{}:
		default:
		}
	}
	mo.Superseded, mo.Clock, mo.Log = c.superseded, c.o.Clock, cmp.Or(mo.Log, c.log)
	table, err := members.Open(mo)
	if err != nil {
		return errors.Join(err, links.Close(c.ctx))
	}
	c.members = table
	close(opened)
	links.Serve(c.o.Peer)
	return nil
}

// reach connects this node with all others that are there.
func (c *Cluster) reach() {
	c.reaching.Lock()
	defer c.reaching.Unlock()
	var to []link.Target
	for _, m := range c.members.All() {
		if m.Name != c.self && m.Link != "" {
			to = append(to, link.Target{Peer: link.Peer{Node: m.Name, Boot: m.Boot}, Addr: m.Link})
		}
	}
	c.links.Targets(to)
}

func (c *Cluster) superseded(by members.Member) {
	c.o.Superseded(fmt.Errorf("the process %s at %s has taken the name %s of this node, and is newer: this one stops; give each node a --node of its own", by.Boot, by.Link, by.Name))
}

// spawn runs f beside everything else; Close ends its context and waits for it. False: the cluster is closed.
func (c *Cluster) spawn(f func(ctx context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.wg.Go(func() { f(c.ctx) })
	return true
}

// Attach brings a client of this node into a room, wherever it is, and again when it has moved. See edges.Attach.
func (c *Cluster) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	return c.edges.Attach(ctx, id, h, out)
}

// Drain takes this node off the ring and gives its rooms away through the store; when it returns nil none is left.
func (c *Cluster) Drain(ctx context.Context) error {
	c.turning.Lock()
	c.members.SetState(members.Draining)
	c.turning.Unlock()
	handing, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Gather)
	c.handFilled(handing)
	c.handTickets(handing)
	cancel()
	return c.moves.drain(ctx)
}

// Rotate takes new secrets into use for gossip and for links made from now on, as their Options have them.
func (c *Cluster) Rotate(gossip, links [][]byte) error {
	return errors.Join(c.members.Rotate(gossip), c.links.Rotate(links))
}

// Close leaves the cluster: gossip goes on for a second so that all hear it.
func (c *Cluster) Close(ctx context.Context) error {
	err := c.members.Leave(ctx)
	c.end()
	err = errors.Join(err, c.links.Close(ctx))
	c.owners.close()
	return errors.Join(err, c.members.Close())
}

// Remote is how many sessions clients of this node have in rooms elsewhere.
func (c *Cluster) Remote() int { return c.edges.remote() }

// end ends all goroutines of the cluster's.
func (c *Cluster) end() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.o.Clock.Use(-1)
	}
	c.cancel()
	c.moves.stop()
	c.edges.close()
	c.wg.Wait()
}
