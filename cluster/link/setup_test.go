package link_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/record"
)

// ceiling is how long anything may take on a machine that is busy.
const ceiling = 60 * time.Second

// take receives the next value.
func take[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(ceiling):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// handler records what one stream delivers.
type handler[E, F any] struct {
	end    E
	frames chan F
	down   chan error
	slow   chan struct{}
}

func newHandler[E, F any](end E) *handler[E, F] {
	return &handler[E, F]{end: end, frames: make(chan F, 1<<16), down: make(chan error, 8)}
}

func (h *handler[E, F]) Frame(f F) {
	if h.slow != nil {
		<-h.slow
	}
	if len(h.down) > 0 {
		panic("a frame after Down")
	}
	h.frames <- f
}

func (h *handler[E, F]) Down(err error) { h.down <- err }

type (
	ownerSide    = handler[*link.OwnerEnd, *linkpb.EdgeFrame]
	edgeSide     = handler[*link.EdgeEnd, *linkpb.OwnerFrame]
	leaderSide   = handler[*link.LeaderEnd, *linkpb.FollowerFrame]
	followerSide = handler[*link.FollowerEnd, *linkpb.LeaderFrame]
)

// node is Links serving on loopback.
type node struct {
	*link.Links
	name      string
	boot      record.BootID
	addr      string
	owners    chan *ownerSide
	edges     chan *edgeSide
	leaders   chan *leaderSide
	followers chan *followerSide
	log       *testwait.Log
}

// options returns valid options with handlers whose output is ignored.
func options(name string) link.Options {
	return link.Options{
		Self:     &linkpb.Greeting{Node: name, Boot: name + "-1", Label: "test", Machine: "m", Store: "sqlite"},
		Security: link.Security{Insecure: true},
		Owner: func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] {
			return newHandler[*link.OwnerEnd, *linkpb.EdgeFrame](to)
		},
		Edge: func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] {
			return newHandler[*link.EdgeEnd, *linkpb.OwnerFrame](to)
		},
		Silence: 20 * time.Second, // a busy machine must not break links
		Timeout: 20 * time.Second,
	}
}

func start(t testing.TB, name string, change ...func(*link.Options)) *node {
	t.Helper()
	n := &node{
		name: name, owners: make(chan *ownerSide, 64), edges: make(chan *edgeSide, 64),
		leaders: make(chan *leaderSide, 64), followers: make(chan *followerSide, 64), log: &testwait.Log{},
	}
	o := options(name)
	o.Log = slog.New(slog.NewTextHandler(n.log, nil))
	o.Owner = func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] {
		h := newHandler[*link.OwnerEnd, *linkpb.EdgeFrame](to)
		n.owners <- h
		return h
	}
	o.Edge = func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] {
		h := newHandler[*link.EdgeEnd, *linkpb.OwnerFrame](to)
		n.edges <- h
		return h
	}
	n.replicating(&o)
	for _, f := range change {
		f(&o)
	}
	n.boot = record.BootID(o.Self.Boot)
	var err error
	if n.Links, err = link.New(o); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.addr = ln.Addr().String()
	n.Serve(ln)
	t.Cleanup(func() { n.stop(t) })
	return n
}

// stop closes a node at once.
func (n *node) stop(t testing.TB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = n.Close(ctx)
}

func (n *node) target() link.Target {
	return link.Target{Peer: link.Peer{Node: n.name, Boot: n.boot}, Addr: n.addr}
}

func (n *node) state(name string) link.State {
	for _, s := range n.States() {
		if s.Node == name {
			return s
		}
	}
	return link.State{}
}

// connect connects an edge to an owner and returns both ends.
func connect(t testing.TB, edge, owner *node) (*edgeSide, *ownerSide) {
	t.Helper()
	edge.Targets([]link.Target{owner.target()})
	e, o := take(t, "the edge's end", edge.edges), take(t, "the owner's end", owner.owners)
	testwait.Until(t, "the link stands", func() bool { return edge.state(owner.name).Up })
	return e, o
}

func act(session uint64, data string) *linkpb.EdgeFrame {
	return &linkpb.EdgeFrame{Session: session, What: &linkpb.EdgeFrame_Act{Act: &linkpb.Act{Data: []byte(data)}}}
}

func say(data string, sessions ...uint64) *linkpb.OwnerFrame {
	return &linkpb.OwnerFrame{Sessions: sessions, What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{Frame: []byte(data)}}}
}

var errTest = errors.New("test")
