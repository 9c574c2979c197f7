package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
)

// firstRetry is the longest wait before the second try to connect. It doubles with each try.
const firstRetry = 50 * time.Millisecond

// peer is one target and the goroutine that keeps it connected.
type peer struct {
	l      *Links
	target Target
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended

	unwanted bool // no longer a target; under the Links' lock

	up atomic.Pointer[uplink] // nil while there is no connection

	mu    sync.Mutex
	lost  uint64 // connections that were up and broke
	err   error  // why there is no connection
	wasUp bool
}

// uplink is one open connection to a peer.
type uplink struct {
	conn    *grpc.ClientConn
	client  linkpb.PeerClient
	link    grpc.BidiStreamingClient[linkpb.EdgeBatch, linkpb.OwnerBatch]
	end     *EdgeEnd
	version uint32
	since   time.Time
}

// run keeps the peer connected until ctx ends, Links close, or the connection breaks and is no longer wanted. It first
// waits for before, the goroutine of the same node's earlier process or address, so that a node's streams never overlap.
func (p *peer) run(ctx context.Context, before <-chan struct{}) {
	defer close(p.done)
	if before != nil {
		<-before
	}
	backoff := clock.Backoff{Min: firstRetry, Max: p.l.o.Retry}
	for ctx.Err() == nil {
		up, err := p.connect(ctx)
		if err == nil {
			backoff.Reset()
			err = p.serve(ctx, up)
		}
		p.failed(err)
		if !p.l.stillWanted(p) {
			return
		}
		again, stop := clock.After(p.l.o.Clock, backoff.Next())
		select {
		case <-ctx.Done():
		case <-p.l.closing.Done():
		case <-again:
		}
		stop()
		if p.l.closing.Err() != nil {
			return
		}
	}
}

func (p *peer) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.l.closing.Err() != nil {
		return
	}
	if p.err == nil || p.err.Error() != err.Error() {
		p.l.log.Warn("no link to a node", "peer", p.target.Node, "addr", p.target.Addr, "err", err)
	}
	p.err = err
}

// connect dials, greets and opens the stream.
func (p *peer) connect(ctx context.Context) (up *uplink, err error) {
	setup, cancel := clock.WithTimeout(ctx, p.l.o.Clock, p.l.o.Timeout)
	defer cancel()
	conn, err := p.l.dial(setup, p.target.Addr)
	if err != nil {
		return nil, explain(err)
	}
	cc, err := client(conn, p.l.o.Message)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = cc.Close()
			_ = conn.Close()
			err = conn.explain(err)
		}
	}()
	stop := context.AfterFunc(setup, func() { _ = cc.Close() })
	defer stop()
	return p.greet(ctx, setup, cc)
}

func (p *peer) greet(ctx, setup context.Context, cc *grpc.ClientConn) (*uplink, error) {
	up := &uplink{conn: cc, client: linkpb.NewPeerClient(cc)}
	sent := p.l.o.Clock.Now()
	greeting, err := up.client.Greet(setup, p.l.o.Self)
	if err != nil {
		return nil, refusal(err)
	}
	rtt := p.l.o.Clock.Now() - sent
	if up.version, err = matchTarget(p.l.o.Self, greeting, p.target.Peer); err != nil {
		return nil, err
	}
	if up.link, err = up.client.Link(ctx); err != nil {
		return nil, fmt.Errorf("open the stream: %w", unwrapStatus(err))
	}
	if _, err = up.link.Header(); err != nil { // the owner sends it when it is ready
		return nil, fmt.Errorf("open the stream: %w", unwrapStatus(err))
	}
	s := newStream(p.target.Peer, &p.l.o, p.l.traffic(p.target.Node))
	s.pings = true
	s.rtt.Store(int64(rtt))
	up.end = &EdgeEnd{end[*linkpb.EdgeFrame]{s}}
	up.since = p.l.o.Clock.Wall()
	return up, nil
}

// refusal returns the reason that a peer gave for refusing the greeting.
func refusal(err error) error {
	if s, ok := status.FromError(err); ok && s.Code() == codes.FailedPrecondition {
		return &unfitError{s.Message()}
	}
	return fmt.Errorf("greet: %w", unwrapStatus(err))
}

// serve runs a connection's stream until it ends, and returns why it ended.
func (p *peer) serve(ctx context.Context, up *uplink) error {
	s := up.end.stream
	h := p.l.o.Edge(up.end)
	p.markUp(up)
	var wg sync.WaitGroup
	wg.Go(func() { read(s, up.link.RecvMsg, edgeReads, h) })
	wg.Go(func() { s.write(up.link.SendMsg) })
	wg.Go(s.detectSilence)
	select {
	case <-s.over:
	case <-ctx.Done():
		s.end(errGone)
	case <-p.l.closing.Done():
		p.drain(ctx, up)
	}
	p.up.Store(nil)
	_ = up.conn.Close()
	wg.Wait()
	return s.err
}

// drain sends what is queued and waits until the owner has received it.
func (p *peer) drain(ctx context.Context, up *uplink) {
	s := up.end.stream
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

func (p *peer) markUp(up *uplink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wasUp {
		p.lost++
	}
	p.wasUp, p.err = true, nil
	p.up.Store(up)
	p.l.log.Info("linked to a node", "peer", p.target.Node, "addr", p.target.Addr, "version", up.version)
}

func (p *peer) state() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := State{Peer: p.target.Peer, Addr: p.target.Addr, Reconnects: p.lost}
	if up := p.up.Load(); up != nil {
		st.Up, st.Since, st.Version = true, up.since, up.version
		st.RTT, st.Queued = time.Duration(up.end.rtt.Load()), up.end.Queued()
	} else if p.err != nil {
		st.Err = p.err.Error()
		_, st.Unfit = errors.AsType[*unfitError](p.err)
	}
	return st
}

// dialled is a connection that remembers why the peer closed it. With TLS 1.3 a client learns that only when it reads.
type dialled struct {
	net.Conn
	mu  sync.Mutex
	err error
}

func (d *dialled) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.err == nil {
			d.err = err
		}
	}
	return n, err
}

func (d *dialled) explain(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if better := explain(d.err); better != d.err { //nolint:errorlint // explain returns err itself when it knows nothing better
		return better
	}
	return err
}

var errLost = errors.New("the connection is lost")

// client makes a gRPC client on one connection. It never dials another, because every connection needs a new greeting.
func client(conn *dialled, largest int) (*grpc.ClientConn, error) {
	only := make(chan net.Conn, 1)
	only <- conn
	return grpc.NewClient("passthrough:///peer",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case c := <-only:
				return c, nil
			default:
				return nil, errLost
			}
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // the connection has its own
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(batchCodec), grpc.MaxCallRecvMsgSize(largest), grpc.MaxCallSendMsgSize(largest)),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithIdleTimeout(0),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithWriteBufferSize(bufferSize), grpc.WithReadBufferSize(bufferSize),
	)
}
