// Package link connects every node with every other: one gRPC connection for each pair and direction, with
// questions and answers on it and one stream that carries all sessions which clients of the dialling node (the edge)
// have in rooms of the dialled one (the owner).
package link

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
)

// Versions of linkpb's schema that this program speaks.
const (
	Least  = 1
	Latest = 1
)

// Peer says who is at the other end.
type Peer struct {
	Node string
	Boot room.BootID
}

// Target is a node to be connected to.
type Target struct {
	Peer
	Addr string
}

// Security is how peers know each other. Exactly one of its ways is set.
type Security struct {
	// Secrets prove membership: from each an authority is derived, and every node makes itself a certificate under the
	// first; certificates under any of them are accepted (TLS 1.3, both sides). 32 bytes each.
	Secrets [][]byte
	// CertFile, KeyFile and CAFile are used as they are, and read again when they change.
	CertFile, KeyFile, CAFile string
	// Insecure takes everybody for a peer and encrypts nothing.
	Insecure bool
}

// Options make Links.
type Options struct {
	Self     *linkpb.Greeting
	Security Security
	Calls    *Mux // what peers may ask

	// Owner is called when an edge has opened its stream; the returned handler takes what the edge says.
	Owner func(to *OwnerEnd) Handler[*linkpb.EdgeFrame]
	// Edge is called when the stream to an owner stands; the returned handler takes what the owner says.
	Edge func(to *EdgeEnd) Handler[*linkpb.OwnerFrame]

	Beat    time.Duration // silence before a heartbeat; 0 means 150 ms
	Silence time.Duration // a peer that says nothing for so long is gone; 0 means 1.5 s
	Queue   int           // bytes that wait for one stream before it is ended; 0 means 32 MiB
	Retry   time.Duration // the longest wait before another try to connect; 0 means 2 s
	Timeout time.Duration // of a Call whose context has no deadline; 0 means 5 s

	Log *slog.Logger
}

// Handler takes the frames of one stream, one at a time and in order. Neither method may block: the stream is shared by
// all sessions between two nodes.
type Handler[F any] interface {
	Frame(F)
	Down(err error) // the stream is over; nothing follows
}

// EdgeEnd is the edge's end of a stream to an owner.
type EdgeEnd struct{ end[*linkpb.EdgeFrame] }

// OwnerEnd is the owner's end of a stream from an edge.
type OwnerEnd struct{ end[*linkpb.OwnerFrame] }

type end[F any] struct{}

// Peer is who is at the other end.
func (e *end[F]) Peer() Peer { panic("contract") }

// Send queues a frame and never blocks. When Options.Queue is exceeded the stream ends: its sessions start over on a new
// one. After the stream has ended it does nothing.
func (e *end[F]) Send(f F) { panic("contract") }

// Hush queues a frame that may wait for the next Send, or for a few milliseconds, so that both go in one write.
func (e *end[F]) Hush(f F) { panic("contract") }

// Queued is how many bytes wait.
func (e *end[F]) Queued() int { panic("contract") }

// Done is closed when the stream has ended.
func (e *end[F]) Done() <-chan struct{} { panic("contract") }

// Errors of links.
var (
	ErrNoPeer   = errors.New("no link to that node")           // not a target, or not connected at present
	ErrNoMethod = errors.New("that node knows no such method") // it is older
	ErrClosed   = errors.New("the links are closed")
)

// RemoteError is what a peer's handler returned, as a document of the handler's own making.
type RemoteError struct{ Body json.RawMessage }

func (e *RemoteError) Error() string { return "the peer answered with an error" }

// Links are a node's connections to all others. Its methods may be called from any goroutine.
type Links struct{}

// New makes Links without targets. Errors say which option is wrong.
func New(o Options) (*Links, error) { panic("contract") }

// Serve answers peers until Close. It returns at once.
func (l *Links) Serve(ln net.Listener) { panic("contract") }

// Targets says which nodes to be connected to from now on. Connections to others are ended, new ones are made in the
// background, with backoff and jitter. A target whose boot has changed is connected to anew.
func (l *Links) Targets(to []Target) { panic("contract") }

// Edge is the edge's end of the stream to a node, ErrNoPeer while there is none.
func (l *Links) Edge(node string) (*EdgeEnd, error) { panic("contract") }

// Call asks a node and waits for its answer. Errors: ErrNoPeer, ErrNoMethod, *RemoteError, ctx's, and those of the connection.
func (l *Links) Call(ctx context.Context, node, method string, body []byte) ([]byte, error) {
	panic("contract")
}

// Watch asks a node and hands over its answers one by one, until the node or each ends it, or ctx ends.
func (l *Links) Watch(ctx context.Context, node, method string, body []byte, each func([]byte) error) error {
	panic("contract")
}

// State is one link, for metrics and the admin page.
type State struct {
	Peer
	Addr       string        `json:"addr"`
	Up         bool          `json:"up"`
	Since      time.Time     `json:"since"`   // of Up
	Version    uint32        `json:"version"` // agreed on; 0: none yet
	RTT        time.Duration `json:"rtt"`     // of the last greeting or heartbeat that measured it; 0: unknown
	Queued     int           `json:"queued"`  // bytes, towards the peer
	Reconnects uint64        `json:"reconnects"`
	Err        string        `json:"err,omitempty"` // why it is not up
}

// States are all links, by node.
func (l *Links) States() []State { panic("contract") }

// Greeting is what a connected peer said of itself; nil when there is no link.
func (l *Links) Greeting(node string) *linkpb.Greeting { panic("contract") }

// Rotate takes new secrets into use for connections made from now on.
func (l *Links) Rotate(secrets [][]byte) error { panic("contract") }

// Close ends all connections, after what is queued has been sent or ctx has ended.
func (l *Links) Close(ctx context.Context) error { panic("contract") }

// Mux knows who answers which question.
type Mux struct{}

// NewMux makes an empty Mux. Everything is added before Links serve.
func NewMux() *Mux { panic("contract") }

// Handle answers a method's questions with f. An error that f returns goes to the caller as encode makes it.
func (m *Mux) Handle(method string, f func(ctx context.Context, from Peer, body []byte) ([]byte, error)) {
	panic("contract")
}

// HandleWatch answers a method's questions with any number of answers.
func (m *Mux) HandleWatch(method string, f func(ctx context.Context, from Peer, body []byte, send func([]byte) error) error) {
	panic("contract")
}

// EncodeError is set by who uses the Mux: it makes a document of an error, which the caller gets as a *RemoteError.
func (m *Mux) EncodeError(encode func(error) []byte) { panic("contract") }
