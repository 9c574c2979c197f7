package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
)

// firstRetry is the longest wait before the second try to connect. It doubles with each try.
const firstRetry = 50 * time.Millisecond

// errNoStream means that the peer has no stream of that role.
var errNoStream = errors.New("the node does not know this stream")

// line keeps one of the two connections to a peer, each of which has one stream.
type line struct {
	p *peer
	role

	up atomic.Pointer[uplink] // nil while there is no connection

	mu    sync.Mutex
	lost  uint64 // connections that were up and broke
	err   error  // why there is no connection
	wasUp bool
}

// uplink is one open connection to a peer.
type uplink struct {
	conn    *grpc.ClientConn
	raw     *conn
	client  linkpb.PeerClient
	link    grpc.ClientStream
	stream  *stream
	version uint32
	since   time.Time
}

// run keeps the peer connected until ctx ends, Links close, or a connection is over and more says that there is to be no
// other.
func (n *line) run(ctx context.Context, more func(error) bool) {
	l := n.p.l
	backoff := clock.Backoff{Min: firstRetry, Max: l.o.Retry}
	for ctx.Err() == nil {
		up, err := n.connect(ctx)
		if err == nil {
			backoff.Reset()
			err = n.serve(ctx, up)
		}
		n.failed(err)
		if !more(err) {
			return
		}
		again, stop := clock.After(l.o.Clock, backoff.Next())
		select {
		case <-ctx.Done():
		case <-l.closing.Done():
		case <-again:
		}
		stop()
		if l.closing.Err() != nil {
			return
		}
	}
}

func (n *line) failed(err error) {
	if isRefused(err) { // a process that dies may close its streams before its listener: only a later dial is refused
		n.p.signs.look()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.p.l.closing.Err() != nil {
		return
	}
	switch {
	case errors.Is(err, errDirect):
		n.p.l.log.Info("a node can be reached directly again", "peer", n.p.target.Node, "addr", n.p.target.Addr, "for", n.name)
	case n.err == nil || n.err.Error() != err.Error():
		n.p.l.log.Warn("no link to a node", "peer", n.p.target.Node, "addr", n.p.target.Addr, "for", n.name, "err", err)
	}
	n.err = err
}

// connect dials, greets and opens the stream.
func (n *line) connect(ctx context.Context) (up *uplink, err error) {
	l := n.p.l
	setup, cancel := clock.WithTimeout(ctx, l.o.Clock, l.o.Timeout)
	defer cancel()
	raw, err := l.reach(setup, n.p, n.patience())
	if err != nil {
		return nil, explain(err)
	}
	cc, err := client(raw, l.o.Message, l.o.dialTraced()...)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = cc.Close()
			_ = raw.Close()
			err = raw.explain(err)
		}
	}()
	stop := context.AfterFunc(setup, func() { _ = cc.Close() })
	defer stop()
	up = &uplink{conn: cc, raw: raw, client: linkpb.NewPeerClient(cc)}
	return up, n.greet(ctx, setup, up)
}

// patience is how long the peer has for answering directly. Of one that has fallen silent nothing is expected.
func (n *line) patience() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if errors.Is(n.err, errSilence) {
		return 0
	}
	return directFirst
}

func (n *line) greet(ctx, setup context.Context, up *uplink) error {
	l, target := n.p.l, n.p.target
	sent := l.o.Clock.Now()
	greeting, err := up.client.Greet(setup, l.o.Self)
	if err != nil {
		return refusal(err)
	}
	rtt := l.o.Clock.Now() - sent
	if up.version, err = matchTarget(l.o.Self, greeting, target.Peer); err != nil {
		if other, ok := errors.AsType[*anotherError](err); ok && other.got.Node == target.Node {
			n.p.signs.another()
		}
		return err
	}
	if up.link, err = n.open(ctx, up.client); err != nil {
		return fmt.Errorf("open the stream: %w", unwrapStatus(err))
	}
	ready, err := up.link.Header()  // the peer sends it when it is ready
	if err == nil && ready == nil { // it has ended the stream instead
		err = up.link.RecvMsg(new(received))
	}
	switch {
	case status.Code(err) == codes.Unimplemented:
		return errNoStream
	case err != nil:
		return fmt.Errorf("open the stream: %w", unwrapStatus(err))
	}
	up.stream = newStream(target.Peer, &l.o, n.limit, n.count)
	up.stream.pings = true
	up.stream.rtt.Store(int64(rtt))
	up.since = l.o.Clock.Wall()
	return nil
}

// refusal returns the reason that a peer gave for refusing the greeting.
func refusal(err error) error {
	if s, ok := status.FromError(err); ok && s.Code() == codes.FailedPrecondition {
		return &unfitError{s.Message()}
	}
	return fmt.Errorf("greet: %w", unwrapStatus(err))
}

// serve runs a connection's stream until it ends, and returns why it ended.
func (n *line) serve(ctx context.Context, up *uplink) error {
	s := up.stream
	read := n.begin(s)
	n.markUp(up)
	var wg sync.WaitGroup
	wg.Go(func() { read(up.link.RecvMsg) })
	wg.Go(func() { s.write(up.link.SendMsg) })
	wg.Go(s.detectSilence)
	carried, stop := context.WithCancel(ctx)
	defer stop()
	if up.raw.via != "" {
		wg.Go(func() { n.p.awaitDirect(carried, s) })
	}
	select {
	case <-s.over:
	case <-ctx.Done():
		s.end(errGone)
	case <-n.p.l.closing.Done():
		n.drain(ctx, up)
	}
	stop()
	n.up.Store(nil)
	_ = up.conn.Close()
	wg.Wait()
	n.p.signs.ended(s, up.raw)
	return s.err
}

// drain sends what is queued and waits until the peer has received it.
func (n *line) drain(ctx context.Context, up *uplink) {
	s := up.stream
	s.finish()
	select {
	case <-s.flushed:
		_ = up.link.CloseSend()
	case <-ctx.Done():
	}
	select {
	case <-s.over:
	case <-ctx.Done():
		s.end(ErrClosed)
	}
}

func (n *line) markUp(up *uplink) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.wasUp {
		n.lost++
	}
	n.wasUp, n.err = true, nil
	n.up.Store(up)
	n.p.spoke(up.version)
	log := n.p.l.log.With("peer", n.p.target.Node, "addr", n.p.target.Addr, "for", n.name, "version", up.version)
	if up.raw.via != "" {
		log.Warn("linked to a node through another, for it does not answer directly", "via", up.raw.via)
	} else {
		log.Info("linked to a node")
	}
}

// state returns the connection, if there is one, how many were lost, and why there is none.
func (n *line) state() (up *uplink, lost uint64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up.Load(), n.lost, n.err
}
