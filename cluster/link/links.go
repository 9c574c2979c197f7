package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
)

// Links are a node's connections to all others. Its methods may be called from any goroutine.
type Links struct {
	o       Options
	log     *slog.Logger
	server  *grpc.Server
	refused rate.Sometimes // limits log lines about refused connections
	tunnels atomic.Int64   // connections that are carried for others

	ctx     context.Context // of all connections to targets; ends when Close runs out of time
	cancel  context.CancelFunc
	closing context.Context // ends when Close begins
	close   context.CancelFunc
	wg      sync.WaitGroup

	mu        sync.RWMutex
	cred      credential
	peers     map[string]*peer
	owners    inbounds             // streams from edges
	followers inbounds             // streams from leaders
	counts    map[string]*traffics // by node, over all its connections so far
	closed    bool
}

// New makes Links without targets. The error says which option is wrong.
func New(o Options) (*Links, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	cred, err := newCredential(o.Security, o.Log)
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	l := &Links{
		o: o, log: o.Log, cred: cred,
		refused:   rate.Sometimes{Interval: time.Second},
		peers:     map[string]*peer{},
		owners:    inbounds{},
		followers: inbounds{},
		counts:    map[string]*traffics{},
	}
	l.closing, l.close = context.WithCancel(context.Background())
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.server = l.newServer()
	return l, nil
}

// complete fills in defaults and checks the options.
func (o *Options) complete() error {
	if o.Self.GetNode() == "" || o.Self.GetBoot() == "" {
		return errors.New("option Self needs a node and a boot")
	}
	if o.Owner == nil || o.Edge == nil {
		return errors.New("options Owner and Edge are needed")
	}
	o.Self = proto.CloneOf(o.Self)
	o.Self.Least = cmp.Or(o.Self.Least, Least)
	o.Self.Latest = cmp.Or(o.Self.Latest, Latest)
	o.Calls = cmp.Or(o.Calls, NewMux())
	o.Silence = cmp.Or(o.Silence, 1500*time.Millisecond)
	o.Beat = cmp.Or(o.Beat, min(o.Silence/10, 300*time.Millisecond))
	o.Queue = cmp.Or(o.Queue, 32<<20)
	o.ReplicaQueue = cmp.Or(o.ReplicaQueue, 32<<20)
	o.Retry = cmp.Or(o.Retry, 2*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.Message = cmp.Or(o.Message, 64<<20)
	o.Inflight = cmp.Or(o.Inflight, 1024)
	o.Tunnels = cmp.Or(o.Tunnels, 256)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	switch {
	case o.Beat < 0, o.Silence < 0, o.Queue < 0, o.ReplicaQueue < 0, o.Retry < 0, o.Timeout < 0, o.Inflight < 0, o.Tunnels < 0:
		return errors.New("no option may be negative")
	case o.Silence <= 2*o.Beat:
		return fmt.Errorf("option Silence of %v must be more than two of Beat, %v", o.Silence, o.Beat)
	case o.Message < 2*chunkSize:
		return fmt.Errorf("option Message of %d bytes must be at least %d", o.Message, 2*chunkSize)
	}
	return nil
}

// Serve answers peers until Close. It returns at once.
func (l *Links) Serve(ln net.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = ln.Close()
		return
	}
	l.wg.Go(func() {
		if err := l.server.Serve(ln); err != nil && !errors.Is(err, grpc.ErrServerStopped) { // Close came first
			l.log.Error("the peer port no longer serves", "err", err)
		}
	})
}

// Targets sets the nodes to connect to from now on. It skips this node itself. New connections are made in the
// background, with backoff and jitter. A target whose boot or address has changed gets a new connection at once. A
// connection to a node that is no longer a target is kept until it breaks: gossip may take a slow node for dead, and the
// link knows better.
func (l *Links) Targets(to []Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	wanted := make(map[string]bool, len(to))
	for _, t := range to {
		if t.Node == l.o.Self.GetNode() || wanted[t.Node] {
			continue
		}
		wanted[t.Node] = true
		l.target(t)
	}
	for node, p := range l.peers {
		if p.unwanted = !wanted[node]; p.unwanted && p.sessions.up.Load() == nil {
			p.cancel()
			delete(l.peers, node)
		}
	}
}

// stillWanted reports whether a peer that has lost its connection needs another. If not, it forgets the peer.
func (l *Links) stillWanted(p *peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.unwanted && l.peers[p.target.Node] == p {
		delete(l.peers, p.target.Node)
	}
	return !p.unwanted
}

// targets reports whether a process is a target, by whatever address.
func (l *Links) targets(whom Peer) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	p := l.peers[whom.Node]
	return p != nil && p.target.Peer == whom && !p.unwanted
}

// target adds one target. The caller holds the lock.
func (l *Links) target(t Target) {
	var before <-chan struct{}
	if old := l.peers[t.Node]; old != nil {
		if old.target == t {
			return
		}
		old.cancel()
		before = old.done
	}
	ctx, cancel := context.WithCancel(l.ctx)
	p := newPeer(l, t, cancel)
	l.peers[t.Node] = p
	l.wg.Go(func() { p.run(ctx, before) })
}

func (l *Links) uplink(node string) (*uplink, error) {
	l.mu.RLock()
	p, closed := l.peers[node], l.closed
	l.mu.RUnlock()
	switch {
	case closed:
		return nil, ErrClosed
	case p == nil:
		return nil, fmt.Errorf("node %s: %w", node, ErrNoPeer)
	}
	up := p.sessions.up.Load()
	if up == nil {
		return nil, fmt.Errorf("node %s: %w", node, ErrNoPeer)
	}
	return up, nil
}

// Call asks a node a question. It blocks until the answer is there, ctx ends or the connection breaks. Errors: ErrNoPeer,
// ErrNoMethod, *RemoteError, ErrClosed, ctx's, and those of the connection. After ctx's error or one of the connection,
// the question may or may not have been answered.
func (l *Links) Call(ctx context.Context, node, method string, body []byte) ([]byte, error) {
	up, err := l.uplink(node)
	if err != nil {
		return nil, err
	}
	a, err := up.client.Call(ctx, &linkpb.Question{Method: method, Body: body})
	if err == nil {
		err = remoteError(a)
	}
	if err != nil {
		return nil, callError(ctx, node, method, err)
	}
	return a.GetBody(), nil
}

// Watch asks a node a question and calls each with its answers one by one. It blocks until the node ends the watch, each
// returns an error or ctx ends. It returns nil when the node has ended the watch, otherwise the error of each or one of
// Call's.
func (l *Links) Watch(ctx context.Context, node, method string, body []byte, each func([]byte) error) error {
	up, err := l.uplink(node)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers, err := up.client.Watch(ctx, &linkpb.Question{Method: method, Body: body})
	if err != nil {
		return callError(ctx, node, method, err)
	}
	for {
		a, err := answers.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = remoteError(a)
		}
		if err != nil {
			return callError(ctx, node, method, err)
		}
		if err := each(a.GetBody()); err != nil {
			return err
		}
	}
}

// remoteError returns the error in an answer.
func remoteError(a *linkpb.Answer) error {
	if len(a.GetError()) > 0 {
		return &RemoteError{Body: a.GetError()}
	}
	return nil
}

// unwrapStatus removes gRPC's wrapping from an error.
func unwrapStatus(err error) error {
	if s, ok := status.FromError(err); ok && err != nil {
		return errors.New(s.Message())
	}
	return err
}

// traffic counts the bytes of one kind of stream between this node and another, over all their connections.
type traffic struct {
	sent, received, overflows atomic.Uint64
	writes                    atomic.Uint64 // batches sent
}

func (t *traffic) read() (sent, received, overflows uint64) {
	return t.sent.Load(), t.received.Load(), t.overflows.Load()
}

type traffics struct{ sessions, replication traffic }

// traffic returns a node's counters. There is one for each node name that has ever been let in. The caller holds the lock.
func (l *Links) traffic(node string) *traffics {
	if l.counts[node] == nil {
		l.counts[node] = new(traffics)
	}
	return l.counts[node]
}

// States returns all links, sorted by node.
func (l *Links) States() []State {
	l.mu.RLock()
	defer l.mu.RUnlock()
	states := make([]State, 0, len(l.peers))
	for _, p := range l.peers {
		st := p.state()
		n, r := l.counts[p.target.Node], &st.Replication // whoever is a target has counters
		st.Sent, st.Received, st.Overflows = n.sessions.read()
		r.Sent, r.Received, r.Overflows = n.replication.read()
		r.Writes = n.replication.writes.Load()
		if o, ok := l.owners[p.target.Peer]; ok {
			st.Queued += o.Queued()
		}
		if f, ok := l.followers[p.target.Peer]; ok {
			r.Queued += f.Queued()
		}
		states = append(states, st)
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Node, b.Node) })
	return states
}

// Rotate uses new secrets for connections made from now on. Links that are secured by certificate files ignore the
// secrets and read the files again. Insecure links return an error.
func (l *Links) Rotate(all [][]byte) error {
	if f, ok := l.credential().(files); ok {
		if err := f.Again(); err != nil {
			return fmt.Errorf("links: %w", err)
		}
		return nil
	}
	next, err := newSecrets(all)
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.cred.(*secrets); !ok {
		return errors.New("links: there are no secrets to rotate")
	}
	l.cred = next
	return nil
}

func (l *Links) credential() credential {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.cred
}

// Close ends all connections once queued frames have been sent or ctx has ended. It waits for all goroutines, including
// the handlers of questions, whose contexts end with ctx. It returns ctx's error if ctx ended first.
func (l *Links) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.close()
	defer context.AfterFunc(ctx, l.cancel)()
	l.stopServer(ctx)
	l.wg.Wait()
	l.cancel()
	return ctx.Err()
}
