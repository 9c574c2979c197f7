// Package link connects every node with every other. There are two connections for each pair of nodes and direction. One
// carries questions and answers, and one stream for all sessions that clients of the dialling node (the edge) have in rooms
// of the dialled node (the owner). The other carries one stream for the logs of all rooms that the dialling node (the
// leader) owns and the dialled node (the follower) copies. So neither stream delays the other.
package link

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// The versions of linkpb's schema that this program speaks.
const (
	Least  = 1
	Latest = 2 // 2 added Replicate
)

// Peer identifies the process at the other end.
type Peer struct {
	Node string
	Boot record.BootID
}

// Target is a node to connect to.
type Target struct {
	Peer
	Addr string
}

// Security is how peers authenticate each other. Set exactly one of Secrets, the three files, and Insecure.
type Security struct {
	// Secrets prove membership. They have 32 bytes each. A certificate authority is derived from each. Every node makes
	// itself a certificate under the first and accepts certificates under any of them (TLS 1.3, both sides).
	Secrets [][]byte
	// CertFile, KeyFile and CAFile are the operator's certificates. They are read again when they change.
	CertFile, KeyFile, CAFile string
	// Insecure accepts everybody as a peer and encrypts nothing.
	Insecure bool
}

// Options make Links.
type Options struct {
	Self     *linkpb.Greeting // node and boot are needed; versions of 0 mean those of this program
	Security Security
	Calls    *Mux // answers peers' questions; nil answers none
	// Tracing makes the spans of questions, at both ends. Nil: there are none.
	Tracing trace.TracerProvider

	// Owner is called when an edge has opened its stream. The returned handler gets the edge's frames. If the same edge
	// process had a stream before, that stream has ended and its handler's Down has returned.
	Owner func(to *OwnerEnd) Handler[*linkpb.EdgeFrame]
	// Edge is called when the stream to an owner is open. The returned handler gets the owner's frames.
	Edge func(to *EdgeEnd) Handler[*linkpb.OwnerFrame]

	// Leader is called when the stream of replication to a follower is open. The returned handler gets the follower's
	// frames. Nil replicates nothing. A peer whose State has not Replicates never gets such a stream. After the end of one
	// another is opened, with backoff.
	Leader func(to *LeaderEnd) Handler[*linkpb.FollowerFrame]
	// Follower is called when a leader has opened its stream of replication. The returned handler gets the leader's frames.
	// If the same leader process had a stream before, that stream has ended and its handler's Down has returned. Nil takes
	// no copies.
	Follower func(to *FollowerEnd) Handler[*linkpb.LeaderFrame]

	// Gone is called once at most for the process of a target, within milliseconds after its death: all streams between the
	// two nodes have ended, one at least because the peer's kernel closed or reset it, and a dial is refused, or answered by
	// another process of the same node. Other systems than Linux may not tell.
	Gone func(Peer)
	// Silent is called when nothing was heard of a target for Silence, whether its connections are open or not. Time in
	// which this process itself did not run does not count. A target that never was heard of is silent too, and so is one that
	// is no target any more when its connection breaks.
	Silent func(Peer)
	// Heard is called when a target that was called silent or gone speaks again. Gone, Silent and Heard are called one at a
	// time for each target, and may not block. Nil is allowed.
	Heard func(Peer)

	Beat    time.Duration // a heartbeat is sent after this time without a frame; 0 means a tenth of Silence, or 300 ms if that is less
	Silence time.Duration // a peer that sends nothing for this long is taken to be gone; 0 means 1.5 s
	Queue   int           // a stream with more bytes waiting than this is ended; 0 means 32 MiB
	// ReplicaQueue is Queue for streams of replication. A frame may not be larger, nor larger than Message; 0 means 32 MiB.
	ReplicaQueue int
	Retry        time.Duration // the longest wait before another try to connect; 0 means 2 s
	Timeout      time.Duration // for making a connection; 0 means 5 s

	Message  int // bytes of the largest question, answer or batch; 0 means 64 MiB
	Inflight int // questions of one peer that are answered at once; more are refused; 0 means 1024
	// Tunnels is how many connections this node carries between others that do not reach each other; more are refused; 0 means 256.
	Tunnels int

	// Clock measures heartbeats, silence, Retry and Timeout. gRPC and dialling use their own timers. Nil means a new one.
	Clock clock.Clock

	Log *slog.Logger // nil discards
}

// Handler gets the frames of one stream, one at a time and in order. It may keep a frame. Neither method may block: all
// sessions, or all rooms, of two nodes share the stream. Down is called once, after the last Frame.
type Handler[F any] interface {
	Frame(F)
	Down(err error) // the stream has ended; nothing follows
}

// EdgeEnd is the edge's end of a stream to an owner.
type EdgeEnd struct{ end[*linkpb.EdgeFrame] }

// OwnerEnd is the owner's end of a stream from an edge.
type OwnerEnd struct{ end[*linkpb.OwnerFrame] }

type end[F proto.Message] struct{ *stream }

// Send queues a frame and never blocks. The frame is encoded before Send returns, so the caller may reuse it. When
// Options.Queue, or ReplicaQueue, is exceeded, the stream ends and all that it carries starts over on a new one. After the end of the stream, Send
// does nothing.
func (e *end[F]) Send(f F) { e.send(f, false) }

// Defer queues a frame that is written together with the next Send. Without a Send it is written within Options.Beat.
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
	ErrNoPeer   = errors.New("no link to that node")               // not a target, or not connected at present
	ErrNoMethod = errors.New("that node does not know the method") // it is older
	ErrClosed   = errors.New("the links are closed")
)

// RemoteError is the error that a peer's handler returned, as the document that the peer's Mux made of it.
type RemoteError struct{ Body json.RawMessage }

func (e *RemoteError) Error() string { return "the peer answered with an error" }

// State is one link, for metrics and the admin page. What is not in Replication is of the sessions' connection.
type State struct {
	Peer
	Addr       string        `json:"addr"`
	Up         bool          `json:"up"`
	Since      time.Time     `json:"since"`      // of Up
	Version    uint32        `json:"version"`    // agreed on; 0: none yet
	Replicates bool          `json:"replicates"` // this node has streams of replication to the peer: both know them; false until that is known
	RTT        time.Duration `json:"rtt"`        // of the last greeting or heartbeat that measured it; 0: unknown
	Queued     int           `json:"queued"`     // bytes to the peer, in both nodes' streams
	Sent       uint64        `json:"sent"`       // bytes, in both nodes' streams over all connections; questions are not counted
	Received   uint64        `json:"received"`
	Overflows  uint64        `json:"overflows"` // streams that ended because more than Options.Queue waited for the peer
	Reconnects uint64        `json:"reconnects"`
	Via        string        `json:"via,omitempty"`    // the node through which it goes; "": it is direct
	Err        string        `json:"err,omitempty"`    // why it is not up
	Unfit      bool          `json:"unfit,omitempty"`  // the two nodes cannot be in one cluster: Err says why
	Silent     bool          `json:"silent,omitempty"` // as Options.Silent says
	Gone       bool          `json:"gone,omitempty"`   // as Options.Gone says

	Replication Replication `json:"replication"`
}

// Replication is the state of the streams of replication between two nodes.
type Replication struct {
	Up         bool      `json:"up"`     // of the stream in which this node leads
	Since      time.Time `json:"since"`  // of Up
	Queued     int       `json:"queued"` // bytes to the peer, in both nodes' streams
	Sent       uint64    `json:"sent"`   // bytes, in both nodes' streams over all connections
	Received   uint64    `json:"received"`
	Writes     uint64    `json:"writes"`    // batches of frames sent, heartbeats among them
	Overflows  uint64    `json:"overflows"` // streams that ended because more than Options.ReplicaQueue waited for the peer
	Reconnects uint64    `json:"reconnects"`
	Err        string    `json:"err,omitempty"` // why it is not up
}
