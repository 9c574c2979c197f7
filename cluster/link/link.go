// Package link connects every node with every other: one gRPC connection for each pair and direction, with
// questions and answers on it and one stream that carries all sessions which clients of the dialling node (the edge)
// have in rooms of the dialled one (the owner).
package link

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Versions of linkpb's schema that this program speaks.
const (
	Least  = 1
	Latest = 1
)

// Peer says who is at the other end.
type Peer struct {
	Node string
	Boot record.BootID
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
	Self     *linkpb.Greeting // node and boot are needed; versions of 0 mean those of this program
	Security Security
	Calls    *Mux // what peers may ask; nil means nothing

	// Owner is called when an edge has opened its stream; the returned handler takes what the edge says. A stream that
	// the same process of the edge had before has ended by then, and its handler knows.
	Owner func(to *OwnerEnd) Handler[*linkpb.EdgeFrame]
	// Edge is called when the stream to an owner stands; the returned handler takes what the owner says.
	Edge func(to *EdgeEnd) Handler[*linkpb.OwnerFrame]

	Beat    time.Duration // silence before a heartbeat; 0 means 150 ms
	Silence time.Duration // a peer that says nothing for so long is gone; 0 means 1.5 s
	Queue   int           // bytes that wait for one stream before it is ended; 0 means 32 MiB
	Retry   time.Duration // the longest wait before another try to connect; 0 means 2 s
	Timeout time.Duration // of making a connection; 0 means 5 s

	Message  int // bytes of the largest question, answer or batch; 0 means 64 MiB
	Inflight int // questions of one peer that are answered at one time; more are refused; 0 means 1024

	// Clock measures beats, silence, Retry and Timeout; gRPC's timers and those of dials are their own. Nil: one of its own.
	Clock clock.Clock

	Log *slog.Logger // nil: discarded
}

// Handler takes the frames of one stream, one at a time and in order; a frame is the handler's to keep. Neither method
// may block: the stream is shared by all sessions between two nodes. Down is called once, after the last Frame.
type Handler[F any] interface {
	Frame(F)
	Down(err error) // the stream is over; nothing follows
}

// EdgeEnd is the edge's end of a stream to an owner.
type EdgeEnd struct{ end[*linkpb.EdgeFrame] }

// OwnerEnd is the owner's end of a stream from an edge.
type OwnerEnd struct{ end[*linkpb.OwnerFrame] }

type end[F proto.Message] struct{ *stream }

// Send queues a frame and never blocks. The frame is encoded at once and is the caller's again. When Options.Queue is
// exceeded the stream ends: its sessions start over on a new one. After the stream has ended it does nothing.
func (e *end[F]) Send(f F) { e.send(f, false) }

// Defer queues a frame that waits for the Send that follows, so that both go in one write. Should none follow, it goes
// within Options.Beat.
func (e *end[F]) Defer(f F) { e.send(f, true) }

func edgeReads(b []byte) (*linkpb.OwnerFrame, bool, error) {
	f := new(linkpb.OwnerFrame)
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, f)
	return f, f.GetWhat() != nil, err
}

func ownerReads(b []byte) (*linkpb.EdgeFrame, bool, error) {
	f := new(linkpb.EdgeFrame)
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, f)
	return f, f.GetWhat() != nil, err
}

// Errors of links.
var (
	ErrNoPeer   = errors.New("no link to that node")           // not a target, or not connected at present
	ErrNoMethod = errors.New("that node knows no such method") // it is older
	ErrClosed   = errors.New("the links are closed")
)

// RemoteError is what a peer's handler returned, as a document of the handler's own making.
type RemoteError struct{ Body json.RawMessage }

func (e *RemoteError) Error() string { return "the peer answered with an error" }

// State is one link, for metrics and the admin page.
type State struct {
	Peer
	Addr       string        `json:"addr"`
	Up         bool          `json:"up"`
	Since      time.Time     `json:"since"`   // of Up
	Version    uint32        `json:"version"` // agreed on; 0: none yet
	RTT        time.Duration `json:"rtt"`     // of the last greeting or heartbeat that measured it; 0: unknown
	Queued     int           `json:"queued"`  // bytes, towards the peer, in both nodes' streams
	Sent       uint64        `json:"sent"`    // bytes, in both nodes' streams over all connections; questions are not among them
	Received   uint64        `json:"received"`
	Overflows  uint64        `json:"overflows"` // streams ended because more than Options.Queue waited for the peer
	Reconnects uint64        `json:"reconnects"`
	Err        string        `json:"err,omitempty"`   // why it is not up
	Unfit      bool          `json:"unfit,omitempty"` // the two nodes cannot be in one cluster: Err says why
}
