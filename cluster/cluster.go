// Package cluster makes many nodes one server: it knows who is there (package members), places and finds rooms
// by the ring (package ring), and brings clients of this node into rooms elsewhere over links (package link).
//
// The ring places and finds; it does not decide who owns a room. That is the room's row in the store, moved by
// compare-and-set alone.
package cluster

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// Options make a Cluster.
type Options struct {
	Members members.Options // Changed and Superseded are the cluster's own
	Link    link.Options    // Calls, Owner and Edge are the cluster's own
	Peer    net.Listener    // where other nodes dial
	Rooms   *actor.Directory
	Store   Store

	// Describe says what this node is and how it does, now.
	Describe func() NodeInfo
	// Superseded is called once when another process has taken this node's name: this one must stop.
	Superseded func(err error)

	Ask      time.Duration // how long one peer may take to answer where a room is; 0 means 500 ms
	Gather   time.Duration // how long peers may take to answer a list; 0 means 1 s
	Reattach time.Duration // how long an edge looks for a room that has moved before it closes 4103; 0 means 2 s
	Sweep    time.Duration // how often released rooms that the ring gives this node are looked for; 0 means 2 s

	Log *slog.Logger
}

// Store is what the cluster asks of the store. ErrNoRow says for certain that there is no such thing; any other
// error that the store is away.
type Store interface {
	Row(ctx context.Context, id room.ID) (room.Row, error)
	RowByCode(ctx context.Context, code string) (room.Row, error)
	// Past is a room that is over and gone from memory.
	Past(ctx context.Context, id room.ID) (actor.Info, error)
	// Boots are the processes that the store holds to be alive.
	Boots(ctx context.Context) ([]Boot, error)

	// Released lists released rows after an id, by id.
	Released(ctx context.Context, after room.ID, limit int) ([]room.Row, error)
	// Release makes a live row of this boot released at the epoch it has, with what is needed to go on.
	// ErrMovedOn: the row is somebody else's.
	Release(ctx context.Context, kept room.Kept) error
	// Checkpoint is what a released row holds.
	Checkpoint(ctx context.Context, id room.ID) (room.Kept, error)
	// Claim moves a released row to this boot at the epoch after from. ErrMovedOn: somebody else was first.
	Claim(ctx context.Context, id room.ID, from room.Epoch) (room.Epoch, error)
}

// Boot is a process that the store holds to be alive.
type Boot struct {
	ID     room.BootID
	Node   string
	Host   string
	Silent time.Duration // since its last heartbeat
}

// Errors of Store.
var (
	ErrNoRow   = errors.New("not in the store")
	ErrMovedOn = errors.New("the room's row is another process's")
)

// NodeInfo is one node as it describes itself. It travels as JSON.
type NodeInfo struct {
	Name     string        `json:"name"`
	Boot     string        `json:"boot"`
	State    string        `json:"state"` // joining, active, draining; or silent: the store holds it to be alive and nobody hears it
	Zone     string        `json:"zone,omitempty"`
	Weight   float64       `json:"weight"`
	Version  string        `json:"version"`
	Started  time.Time     `json:"started"`
	Rooms    int           `json:"rooms"`
	Sessions int           `json:"sessions"` // sockets open at this node
	Remote   int           `json:"remote"`   // of them, those in rooms elsewhere
	Unready  []string      `json:"unready"`
	Link     string        `json:"link,omitempty"`   // address other nodes dial
	Gossip   string        `json:"gossip,omitempty"` // address it gossips at
	Links    []link.State  `json:"links"`
	Gossips  members.Stats `json:"gossip_stats"`
}

// Cluster is this node's part of the cluster. Its methods may be called from any goroutine.
type Cluster struct {
	o       Options
	members *members.Members
	links   *link.Links
	calls   *link.Mux
	log     *slog.Logger
}

// Open begins to gossip in state joining and answers peers. Errors say what to change.
func Open(o Options) (*Cluster, error) { panic("contract") }

// Start reaches for the others and takes this node onto the ring. It returns when that is done, or when there is
// nobody to join; else it goes on trying in the background, and Unready says why.
func (c *Cluster) Start(ctx context.Context) error { panic("contract") }

// Unready says why this node should get no traffic yet: it was told to join, reaches nobody, and the store lists others.
func (c *Cluster) Unready() []string { panic("contract") }

// Place draws an id that the ring gives this node, for rooms made here. See actor.Options.Place.
func (c *Cluster) Place(game string) room.ID { panic("contract") }

// Create makes a room at the less loaded of two random active nodes. Errors are those of actor.Directory.
func (c *Cluster) Create(ctx context.Context, want actor.Create) (actor.Info, error) {
	panic("contract")
}

// Match finds or makes a room with a seat for a player. All requests for one game meet at one node.
func (c *Cluster) Match(ctx context.Context, want actor.Match) (actor.Info, error) { panic("contract") }

// Info knows rooms anywhere, those that are over too.
func (c *Cluster) Info(ctx context.Context, id room.ID) (actor.Info, error) { panic("contract") }

// Find is a private room by its join code.
func (c *Cluster) Find(ctx context.Context, code string) (actor.Info, error) { panic("contract") }

// List gathers rooms from all nodes. The listing is partial when a node did not answer in time.
func (c *Cluster) List(ctx context.Context, f actor.Filter) (actor.Listing, error) { panic("contract") }

// Attach brings a client of this node into a room, wherever it is, and again when it has moved.
func (c *Cluster) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	panic("contract")
}

// Inspect, CloseRoom, Kick, Signal and Watch are actor.Directory's, wherever the room is.
func (c *Cluster) Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error) {
	panic("contract")
}

// Nodes are all nodes that are there or that the store holds to be alive, by name.
func (c *Cluster) Nodes(ctx context.Context) ([]NodeInfo, error) { panic("contract") }

// Drain takes this node off the ring and gives its rooms away through the store; when it returns nil none is left.
func (c *Cluster) Drain(ctx context.Context) error { panic("contract") }

// Close leaves the cluster: gossip goes on for a second so that all hear it.
func (c *Cluster) Close(ctx context.Context) error { panic("contract") }
