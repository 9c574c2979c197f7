// Package members knows which nodes are there. Gossip (hashicorp/memberlist) tells; this package keeps a table of
// its own from copies of what it was told, and the ring that follows from it.
package members

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
)

// State is how far a node takes part.
type State uint8

// The states of a node.
const (
	Joining  State = iota + 1 // it is there, and takes nothing yet
	Active                    // it is on the ring
	Draining                  // it has left the ring and still answers
)

// Member is one node as it last described itself.
type Member struct {
	Name   string
	Boot   room.BootID
	State  State
	Zone   string
	Weight float64
	Link   string // address that other nodes dial
	Gossip string // address it gossips at
	Least  uint32 // versions of the link's schema it speaks
	Latest uint32
	Games  uint64  // hash of the versions of its games
	Load   float64 // rooms and sessions in one number: see Options of who sets it
}

// Options make a Members.
type Options struct {
	Self Member // Name and Boot are needed

	Bind      string       // address and port to gossip at, TCP and UDP
	Listener  net.Listener // nil: Bind is bound by itself
	Advertise string       // address others reach Bind at; "": found out, which needs one address that is not loopback, or a loopback Bind
	Join      []string     // HOST, HOST:PORT or dns+NAME:PORT, the node's own among them or not
	Label     string       // of the cluster
	// Secrets are the keys for gossip, 32 bytes each: the first encrypts, all are accepted. None: nothing is encrypted.
	Secrets [][]byte

	Rejoin time.Duration // how often all of Join is tried again, so that a partition heals; 0 means 10 s

	// Changed is called, outside all locks and by one goroutine, after the table has changed.
	Changed func()
	// Superseded is called once when another process with this node's name and a newer boot is heard of.
	Superseded func(by Member)

	Log *slog.Logger
}

// Members is the table of nodes. Its methods may be called from any goroutine; those that answer questions never block.
type Members struct{}

// Open begins to gossip, alone and in state Joining. Errors say what to change.
func Open(o Options) (*Members, error) { panic("contract") }

// Join reaches for the nodes of Options.Join once and reports how many others answered. It is tried again in the
// background for as long as Members lives.
func (m *Members) Join(ctx context.Context) (others int, err error) { panic("contract") }

// Self is this node.
func (m *Members) Self() Member { panic("contract") }

// All are the nodes that are there, this one included, by name. Of one name the highest boot counts.
func (m *Members) All() []Member { panic("contract") }

// Get is the node of that name.
func (m *Members) Get(name string) (Member, bool) { panic("contract") }

// Ring is the ring of the active nodes. It is made when the table changes, not when it is asked for.
func (m *Members) Ring() *ring.Ring { panic("contract") }

// SetState tells everybody this node's state. It returns when the change is on its way, at most after a second.
func (m *Members) SetState(s State) { panic("contract") }

// SetLoad tells everybody this node's load; changes are sent at most every 2 s.
func (m *Members) SetLoad(load float64) { panic("contract") }

// Rotate takes new secrets into use, as Options.Secrets has them.
func (m *Members) Rotate(secrets [][]byte) error { panic("contract") }

// Stats are for metrics and the admin page.
type Stats struct {
	Members   int
	Health    int       // memberlist's own score: 0 is well, more is worse
	Joined    time.Time // when another node last answered a join; zero: never
	JoinErr   string    // why the last try reached nobody; "" when it reached somebody
	Strangers uint64    // packets and streams refused: another label or secret
}

// Stats reads the counters.
func (m *Members) Stats() Stats { panic("contract") }

// Leave tells the others that this node goes, and goes on answering for a second so that all hear it.
func (m *Members) Leave(ctx context.Context) error { panic("contract") }

// Close ends gossip. Whoever did not hear of a Leave takes the node for dead.
func (m *Members) Close() error { panic("contract") }
