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

// Sizes of gRPC's windows and buffers. The windows are so large that no link waits for the other side's permission
// while that side reads; a reader that does not shows in the queue.
const (
	window     = 1 << 20
	connWindow = 4 << 20
	bufferSize = 128 << 10
)

// gate lets peers in: it is gRPC's notion of the server's credentials, and gives every connection its guest.
type gate struct{ l *Links }

// guest is one connection from a peer, and who it is once it has greeted.
type guest struct {
	conn  net.Conn
	peer  atomic.Pointer[Peer]
	asked atomic.Int64 // questions being answered
}

// AuthType is for gRPC.
func (*guest) AuthType() string { return "roomring" }

func (g gate) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	setUserTimeout(conn, g.l.o.Silence)
	cred := g.l.credential()
	if cred == nil {
		return conn, &guest{conn: conn}, nil
	}
	secure := tls.Server(conn, cred.server())
	if err := secure.Handshake(); err != nil {
		if !errors.Is(err, io.EOF) { // somebody who only looks whether the port is open
			g.l.refuse(conn.RemoteAddr().String(), "", explain(err))
		}
		return nil, nil, err
	}
	return secure, &guest{conn: conn}, nil
}

func (g gate) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("links dial by themselves")
}

func (g gate) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "roomring"}
}
func (g gate) Clone() credentials.TransportCredentials { return g }
func (g gate) OverrideServerName(string) error         { return nil }

// refuse says that somebody was not let in.
func (l *Links) refuse(addr, node string, err error) {
	l.refused.Do(func() { l.log.Warn("somebody was refused at the peer port", "from", addr, "peer", node, "err", err) })
}

// server answers peers.
type server struct {
	linkpb.UnimplementedPeerServer
	l *Links
}

func (l *Links) newServer() *grpc.Server {
	s := grpc.NewServer(
		grpc.Creds(gate{l}), grpc.ForceServerCodecV2(batchCodec), grpc.ConnectionTimeout(l.o.Timeout),
		grpc.MaxRecvMsgSize(l.o.Message), grpc.MaxSendMsgSize(l.o.Message), grpc.MaxHeaderListSize(64<<10),
		grpc.MaxConcurrentStreams(uint32(2*l.o.Inflight+16)),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(connWindow),
		grpc.WriteBufferSize(bufferSize), grpc.ReadBufferSize(bufferSize),
		grpc.WaitForHandlers(true),
	)
	linkpb.RegisterPeerServer(s, &server{l: l})
	return s
}

var errStranger = status.Error(codes.Unauthenticated, "greet first")

func guestOf(ctx context.Context) (*guest, string) {
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return new(guest), ""
	}
	g, ok := p.AuthInfo.(*guest)
	if !ok {
		return new(guest), ""
	}
	return g, p.Addr.String()
}

// Greet answers the first call on a connection.
func (s *server) Greet(ctx context.Context, in *linkpb.Greeting) (*linkpb.Greeting, error) {
	g, addr := guestOf(ctx)
	if _, err := match(in, s.l.o.Self); err != nil {
		s.l.refuse(addr, in.GetNode(), err)
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	g.peer.Store(new(peerOf(in)))
	return s.l.o.Self, nil
}

// question lets a peer ask that has greeted and does not ask too much at one time.
func (s *server) question(ctx context.Context) (from Peer, done func(), err error) {
	g, _ := guestOf(ctx)
	who := g.peer.Load()
	if who == nil {
		return Peer{}, nil, errStranger
	}
	done = func() { g.asked.Add(-1) }
	if g.asked.Add(1) > int64(s.l.o.Inflight) {
		done()
		return Peer{}, nil, status.Errorf(codes.ResourceExhausted, "it is answering %d questions of this node already", s.l.o.Inflight)
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

// Watch answers one question as long as there is something to say.
func (s *server) Watch(q *linkpb.Question, to grpc.ServerStreamingServer[linkpb.Answer]) error {
	from, done, err := s.question(to.Context())
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithCancel(to.Context())
	defer cancel()
	defer context.AfterFunc(s.l.closing, cancel)() // who watches would keep Close waiting for ever
	err = s.l.o.Calls.watch(ctx, s.l.log, from, q, to.Send)
	if s.l.closing.Err() != nil {
		return status.Error(codes.Unavailable, ErrClosed.Error())
	}
	return err
}

// ownerStream is a stream from an edge.
type ownerStream struct {
	*stream
	gone chan struct{} // closed when its Handler has heard of the end
}

// Link serves an edge's stream.
func (s *server) Link(link grpc.BidiStreamingServer[linkpb.EdgeBatch, linkpb.OwnerBatch]) error {
	g, _ := guestOf(link.Context())
	who := g.peer.Load()
	if who == nil {
		return errStranger
	}
	o := ownerStream{newStream(*who, &s.l.o, s.l.traffic(who.Node)), make(chan struct{})}
	if !s.l.admit(o) {
		return status.Error(codes.Unavailable, ErrClosed.Error())
	}
	h := s.l.o.Owner(&OwnerEnd{end[*linkpb.OwnerFrame]{o.stream}})
	s.l.wg.Go(func() {
		read(o.stream, link.RecvMsg, ownerReads, h)
		s.l.dismiss(o)
		close(o.gone)
	})
	s.l.wg.Go(o.listen)
	if err := link.SendHeader(metadata.MD{}); err != nil {
		o.end(plain(err))
	}
	go o.write(link.SendMsg)
	select {
	case <-o.flushed: // to the end, or to an error
	case <-o.over:
	}
	select {
	case <-o.over: // the connection goes with it: the edge makes everything anew
		_ = g.conn.Close()
	default:
	}
	<-o.flushed
	return nil
}

// admit takes in an edge's stream. One that the same process had before is over by now, whatever its connection says.
func (l *Links) admit(o ownerStream) bool {
	for {
		l.mu.Lock()
		old, ok := l.owners[o.peer]
		if !ok && !l.closed {
			l.owners[o.peer] = o
		}
		closed := l.closed
		l.mu.Unlock()
		switch {
		case closed:
			return false
		case !ok:
			return true
		}
		old.end(errAgain)
		<-old.gone
	}
}

func (l *Links) dismiss(o ownerStream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.owners, o.peer)
}

// shut ends all streams from edges after what is queued, and the server with them.
func (l *Links) shut(ctx context.Context) {
	stop := context.AfterFunc(ctx, l.server.Stop)
	defer stop()
	l.mu.Lock()
	for _, o := range l.owners {
		o.finish()
	}
	l.mu.Unlock()
	l.server.GracefulStop()
}

// dial opens a connection that is mutually proven, where there is anything to prove it by.
func (l *Links) dial(ctx context.Context, addr string) (*dialled, error) {
	d := net.Dialer{Timeout: max(l.o.Silence, time.Second)} // a lost SYN is repeated after a second
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	setUserTimeout(conn, l.o.Silence)
	cred := l.credential()
	if cred == nil {
		return &dialled{Conn: conn}, nil
	}
	secure := tls.Client(conn, cred.client())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &dialled{Conn: secure}, nil
}
