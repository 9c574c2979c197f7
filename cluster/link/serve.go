package link

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/roomring/roomring/cluster/link/linkpb"
)

// Sizes of gRPC's windows and buffers in bytes. The windows are so large that flow control never delays a link whose
// other side reads. If the other side does not read, the queue grows.
const (
	window     = 1 << 20
	connWindow = 4 << 20
	bufferSize = 128 << 10
)

// serverCreds are gRPC's transport credentials of the server. They attach an inbound to every connection.
type serverCreds struct{ l *Links }

// inbound is one connection from a peer, and who the peer is once it has greeted.
type inbound struct {
	conn  *conn
	peer  atomic.Pointer[Peer]
	asked atomic.Int64 // questions being answered
}

// AuthType implements credentials.AuthInfo.
func (*inbound) AuthType() string { return "roomring" }

func (g serverCreds) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	setUserTimeout(raw, g.l.o.Silence)
	c := &conn{Conn: raw}
	if cred := g.l.credential(); cred != nil {
		secure := tls.Server(raw, cred.server())
		if err := secure.Handshake(); err != nil {
			if !errors.Is(err, io.EOF) { // a probe of the port
				g.l.logRefused(raw.RemoteAddr().String(), "", explain(err))
			}
			return nil, nil, err
		}
		c.Conn = secure
	}
	return c, &inbound{conn: c}, nil
}

func (g serverCreds) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("links dial by themselves")
}

func (g serverCreds) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "roomring"}
}
func (g serverCreds) Clone() credentials.TransportCredentials { return g }
func (g serverCreds) OverrideServerName(string) error         { return nil }

// logRefused logs that a connection was refused, at most once a second.
func (l *Links) logRefused(addr, node string, err error) {
	l.refused.Do(func() { l.log.Warn("somebody was refused at the peer port", "from", addr, "peer", node, "err", err) })
}

// server answers peers.
type server struct {
	linkpb.UnimplementedPeerServer
	l *Links
}

func (l *Links) newServer() *grpc.Server {
	s := grpc.NewServer(append(l.o.serveTraced(),
		grpc.Creds(serverCreds{l}), grpc.ForceServerCodecV2(batchCodec), grpc.ConnectionTimeout(l.o.Timeout),
		grpc.MaxRecvMsgSize(l.o.Message), grpc.MaxSendMsgSize(l.o.Message), grpc.MaxHeaderListSize(64<<10),
		grpc.MaxConcurrentStreams(uint32(2*l.o.Inflight+16)),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(connWindow),
		grpc.WriteBufferSize(bufferSize), grpc.ReadBufferSize(bufferSize),
		grpc.WaitForHandlers(true),
	)...)
	linkpb.RegisterPeerServer(s, &server{l: l})
	return s
}

var errStranger = status.Error(codes.Unauthenticated, "greet first")

func inboundOf(ctx context.Context) (*inbound, string) {
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return new(inbound), ""
	}
	g, ok := p.AuthInfo.(*inbound)
	if !ok {
		return new(inbound), ""
	}
	return g, p.Addr.String()
}

// Greet answers the first call on a connection.
func (s *server) Greet(ctx context.Context, in *linkpb.Greeting) (*linkpb.Greeting, error) {
	g, addr := inboundOf(ctx)
	if _, err := match(in, s.l.o.Self); err != nil {
		s.l.logRefused(addr, in.GetNode(), err)
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	g.peer.Store(new(peerOf(in)))
	return s.l.o.Self, nil
}

// question checks that the caller has greeted and has no more than Options.Inflight questions under way. Done must be
// called when the question is answered.
func (s *server) question(ctx context.Context) (from Peer, done func(), err error) {
	g, _ := inboundOf(ctx)
	who := g.peer.Load()
	if who == nil {
		return Peer{}, nil, errStranger
	}
	done = func() { g.asked.Add(-1) }
	if g.asked.Add(1) > int64(s.l.o.Inflight) {
		done()
		return Peer{}, nil, status.Errorf(codes.ResourceExhausted, "that node is already answering %d questions of this node", s.l.o.Inflight)
	}
	return *who, done, nil
}

// Call answers one question.
func (s *server) Call(ctx context.Context, q *linkpb.Question) (*linkpb.Answer, error) {
	from, done, err := s.question(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.l.o.Calls.call(ctx, s.l.log, from, q)
}

// Watch answers one question with any number of answers.
func (s *server) Watch(q *linkpb.Question, to grpc.ServerStreamingServer[linkpb.Answer]) error {
	from, done, err := s.question(to.Context())
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithCancel(to.Context())
	defer cancel()
	defer context.AfterFunc(s.l.closing, cancel)() // a watch would keep Close waiting for ever
	err = s.l.o.Calls.watch(ctx, s.l.log, from, q, to.Send)
	if s.l.closing.Err() != nil {
		return status.Error(codes.Unavailable, ErrClosed.Error())
	}
	return err
}

// inStream is a stream that a peer has dialled.
type inStream struct {
	*stream
	gone chan struct{} // closed when its Handler's Down has returned
}

// inbounds are the streams of one kind that peers have dialled. Each peer has one at most.
type inbounds map[Peer]inStream

// Link serves an edge's stream.
func (s *server) Link(link grpc.BidiStreamingServer[linkpb.EdgeBatch, linkpb.OwnerBatch]) error {
	return s.serve(link, s.l.owners, s.l.o.Queue, func(t *traffics) *traffic { return &t.sessions }, func(st *stream) reader {
		h := s.l.o.Owner(&OwnerEnd{end[*linkpb.OwnerFrame]{st}})
		return func(recv func(any) error) { read(st, recv, ownerReads, h) }
	})
}

// Replicate serves a leader's stream.
func (s *server) Replicate(link grpc.BidiStreamingServer[linkpb.LeaderBatch, linkpb.FollowerBatch]) error {
	if s.l.o.Follower == nil {
		return s.UnimplementedPeerServer.Replicate(link)
	}
	return s.serve(link, s.l.followers, s.l.o.ReplicaQueue, func(t *traffics) *traffic { return &t.replication }, func(st *stream) reader {
		h := s.l.o.Follower(&FollowerEnd{end[*linkpb.FollowerFrame]{st}})
		return func(recv func(any) error) { read(st, recv, followerReads, h) }
	})
}

// serve serves a stream that a peer has dialled. Begin calls the option that makes its handler.
func (s *server) serve(link grpc.ServerStream, among inbounds, limit int, of func(*traffics) *traffic, begin func(*stream) reader) error {
	g, _ := inboundOf(link.Context())
	who := g.peer.Load()
	if who == nil {
		return errStranger
	}
	s.l.mu.Lock()
	count := of(s.l.traffic(who.Node))
	s.l.mu.Unlock()
	in := inStream{newStream(*who, &s.l.o, limit, count), make(chan struct{})}
	if !s.l.addInbound(among, in) {
		return status.Error(codes.Unavailable, ErrClosed.Error())
	}
	read := begin(in.stream)
	s.l.wg.Go(func() {
		read(link.RecvMsg)
		s.l.removeInbound(among, in, g.conn)
		close(in.gone)
	})
	s.l.wg.Go(in.detectSilence)
	if err := link.SendHeader(metadata.MD{}); err != nil {
		in.end(unwrapStatus(err))
	}
	go in.write(link.SendMsg)
	select {
	case <-in.flushed: // everything is written, or writing failed
	case <-in.over:
	}
	select {
	case <-in.over: // close the connection too: the peer connects again
		_ = g.conn.Close()
	default:
	}
	<-in.flushed
	return nil
}

// addInbound registers a peer's stream; false means that Links are closed. It first ends an earlier stream of the same
// process, even if its connection still looks open, and waits for that stream's handler.
func (l *Links) addInbound(among inbounds, in inStream) bool {
	for {
		l.mu.Lock()
		old, ok := among[in.peer]
		if !ok && !l.closed {
			among[in.peer] = in
		}
		p, closed := l.peers[in.peer.Node], l.closed
		l.mu.Unlock()
		switch {
		case closed:
			return false
		case !ok:
			if p != nil && p.target.Peer == in.peer {
				p.signs.begun()
			}
			return true
		}
		old.end(errReplaced)
		<-old.gone
	}
}

func (l *Links) removeInbound(among inbounds, in inStream, by *conn) {
	l.mu.Lock()
	delete(among, in.peer)
	p := l.peers[in.peer.Node]
	l.mu.Unlock()
	if p != nil && p.target.Peer == in.peer {
		p.signs.ended(in.stream, by)
	}
}

// stopServer ends all streams that peers have dialled once their queues are sent, and then the server. When ctx ends it stops at once.
func (l *Links) stopServer(ctx context.Context) {
	stop := context.AfterFunc(ctx, l.server.Stop)
	defer stop()
	l.mu.Lock()
	for _, from := range []inbounds{l.owners, l.followers} {
		for _, in := range from {
			in.finish()
		}
	}
	l.mu.Unlock()
	l.server.GracefulStop()
}

// dial opens a connection, mutually authenticated unless Links are insecure.
func (l *Links) dial(ctx context.Context, addr string) (*conn, error) {
	d := net.Dialer{Timeout: max(l.o.Silence, time.Second)} // a lost SYN is repeated after a second
	raw, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	setUserTimeout(raw, l.o.Silence)
	return l.secure(ctx, raw)
}

// secure authenticates a connection that this node has made.
func (l *Links) secure(ctx context.Context, raw net.Conn) (*conn, error) {
	cred := l.credential()
	if cred == nil {
		return &conn{Conn: raw}, nil
	}
	secure := tls.Client(raw, cred.client())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return &conn{Conn: secure}, nil
}
