package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
)

// It happens that two nodes do not reach each other while a third one reaches both: a cable is cut, a rule of a firewall is wrong. Such partial partitions
// are common (Alquraan et al., "Toward a Generic Fault Tolerance Technique for Partial Network Partitioning", OSDI 2020). The third node then
// carries their connections. They are authenticated from end to end, so the third node only sees bytes.

const (
	directFirst = 300 * time.Millisecond // how long a direct dial is waited for before other nodes are asked
	directAgain = 5 * time.Second        // how often a carried connection's peer is dialled directly
	carriers    = 3                      // nodes that are asked at once to carry a connection
)

var errDirect = errors.New("the node can be reached directly again")

// attempt is the end of one try to reach a peer.
type attempt struct {
	c      *conn
	err    error
	direct bool
}

// reach opens a connection to a peer: directly, or through another node if it does not answer in time. A refused dial is final, for then
// the peer's machine answers.
func (l *Links) reach(ctx context.Context, p *peer, inTime time.Duration) (*conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	attempts := make(chan attempt)
	open := func(direct bool, dial func() (*conn, error)) {
		l.wg.Go(func() {
			c, err := dial()
			select {
			case attempts <- attempt{c, err, direct}:
			case <-ctx.Done():
				if err == nil {
					_ = c.Close()
				}
			}
		})
	}
	pending, asked := 1, false
	open(true, func() (*conn, error) { return l.dial(ctx, p.target.Addr) })
	ask := func() {
		asked = true
		for _, by := range l.carriers(p) {
			pending++
			open(false, func() (*conn, error) { return l.tunnel(ctx, by, p.target.Node) })
		}
	}
	late, stop := clock.After(l.o.Clock, inTime)
	defer stop()
	var failed, carried error
	for pending > 0 && ctx.Err() == nil {
		select {
		case a := <-attempts:
			pending--
			switch {
			case a.err == nil:
				return a.c, nil
			case isRefused(a.err) && a.direct:
				return nil, a.err
			case a.direct:
				failed = a.err
			default:
				carried = a.err
			}
		case <-late:
			late = nil
		case <-ctx.Done():
		}
		if !asked && (late == nil || failed != nil) && ctx.Err() == nil {
			ask()
		}
	}
	failed = cmp.Or(failed, context.Cause(ctx))
	if carried != nil {
		return nil, fmt.Errorf("%w; %w", explain(failed), carried)
	}
	return nil, failed
}

// carriers returns peers that may carry a connection to another one.
func (l *Links) carriers(to *peer) (some []*peer) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, p := range l.peers {
		if p != to && p.direct() && len(some) < carriers {
			some = append(some, p)
		}
	}
	return some
}

// direct reports whether this node has a connection of its own to the peer.
func (p *peer) direct() bool {
	up := p.sessions.up.Load()
	return up != nil && up.raw.via == ""
}

// othersHear reports whether another node hears a peer.
func (l *Links) othersHear(ctx context.Context, p *peer) bool {
	ctx, cancel := clock.WithTimeout(ctx, l.o.Clock, l.o.Silence/silenceTicks)
	defer cancel()
	others := l.carriers(p)
	answers := make(chan bool, len(others))
	for _, by := range others {
		up := by.sessions.up.Load()
		if up == nil {
			answers <- false
			continue
		}
		l.wg.Go(func() {
			h, err := up.client.Hears(ctx, &linkpb.Whom{Node: p.target.Node, Boot: string(p.target.Boot)})
			answers <- err == nil && h.GetHears()
		})
	}
	for range others {
		select {
		case hears := <-answers:
			if hears {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// Hears says whether this node has a connection of its own to a peer, and has heard of it so lately that it is not about to call it silent.
func (s *server) Hears(ctx context.Context, whom *linkpb.Whom) (*linkpb.Hearing, error) {
	_, done, err := s.question(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	s.l.mu.RLock()
	p := s.l.peers[whom.GetNode()]
	s.l.mu.RUnlock()
	hears := p != nil && string(p.target.Boot) == whom.GetBoot() && p.direct() && s.l.o.Clock.Now()-lastHeard(p.streams()) < s.l.o.Silence/2
	return &linkpb.Hearing{Hears: hears}, nil
}

// tunnel opens a connection to a node through another one. It has a connection of its own to that one, so that it delays nothing else.
func (l *Links) tunnel(ctx context.Context, by *peer, to string) (*conn, error) {
	raw, err := l.dial(ctx, by.target.Addr)
	if err != nil {
		return nil, err
	}
	cc, err := client(raw, l.o.Message)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	life, end := context.WithCancel(l.ctx)
	endAll := func() {
		end()
		_ = cc.Close()
		_ = raw.Close() // gRPC may not have taken it
	}
	stop := context.AfterFunc(ctx, endAll)
	pieces, err := l.openTunnel(life, linkpb.NewPeerClient(cc), by.target.Peer, to)
	if err != nil || !stop() {
		endAll()
		return nil, cmp.Or(err, ctx.Err())
	}
	near, far := net.Pipe()
	l.wg.Go(func() {
		defer endAll()
		join(far, pieces, l.wg.Go)
	})
	c, err := l.secure(ctx, &tunnelled{near, endAll})
	if err != nil {
		return nil, err
	}
	c.via = by.target.Node
	return c, nil
}

// tunnelled is a connection that is a tunnel. Its end ends the tunnel, also while that is full.
type tunnelled struct {
	net.Conn
	end func()
}

// Close implements net.Conn.
func (t *tunnelled) Close() error {
	t.end()
	return t.Conn.Close()
}

func (l *Links) openTunnel(ctx context.Context, c linkpb.PeerClient, by Peer, to string) (pieces, error) {
	greeting, err := c.Greet(ctx, l.o.Self)
	if err != nil {
		return nil, refusal(err)
	}
	if _, err := matchTarget(l.o.Self, greeting, by); err != nil {
		return nil, err
	}
	s, err := c.Tunnel(ctx)
	if err == nil {
		err = s.Send(&linkpb.Piece{Node: to})
	}
	if err == nil {
		_, err = s.Recv()
	}
	if err != nil {
		return nil, fmt.Errorf("through %s: %w", by.Node, unwrapStatus(err))
	}
	return s, nil
}

// Tunnel carries a connection to a node that this one reaches directly. Only such a node is dialled, at the address that this node has.
func (s *server) Tunnel(caller grpc.BidiStreamingServer[linkpb.Piece, linkpb.Piece]) error {
	_, done, err := s.question(caller.Context())
	if err != nil {
		return err
	}
	defer done()
	defer s.l.tunnels.Add(-1)
	if s.l.tunnels.Add(1) > int64(s.l.o.Tunnels) {
		return status.Errorf(codes.ResourceExhausted, "that node carries %d connections already", s.l.o.Tunnels)
	}
	first, err := caller.Recv()
	if err != nil {
		return err
	}
	s.l.mu.RLock()
	p := s.l.peers[first.GetNode()]
	s.l.mu.RUnlock()
	if p == nil || !p.direct() {
		return status.Errorf(codes.Unavailable, "that node does not reach %q either", first.GetNode())
	}
	ctx, cancel := clock.WithTimeout(caller.Context(), s.l.o.Clock, s.l.o.Timeout)
	defer cancel()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", p.target.Addr)
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	setUserTimeout(to, s.l.o.Silence)
	defer context.AfterFunc(s.l.closing, func() { _ = to.Close() })()
	if err := caller.Send(&linkpb.Piece{}); err != nil {
		_ = to.Close()
		return err
	}
	join(to, caller, s.l.wg.Go)
	return nil
}

// pieces is either end of a tunnel.
type pieces interface {
	Send(*linkpb.Piece) error
	Recv() (*linkpb.Piece, error)
}

// join carries bytes between a connection and a tunnel. It returns when either has ended, and has closed the connection then. Spawn runs what
// ends once the tunnel has ended too.
func join(c net.Conn, t pieces, spawn func(func())) {
	defer c.Close()
	spawn(func() {
		defer c.Close()
		for {
			piece, err := t.Recv()
			if err != nil {
				return
			}
			if _, err := c.Write(piece.GetData()); err != nil {
				return
			}
		}
	})
	buf := make([]byte, chunkSize)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			if err := t.Send(&linkpb.Piece{Data: buf[:n]}); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// awaitDirect ends a carried stream once its peer can be reached directly, or returns when ctx ends.
func (p *peer) awaitDirect(ctx context.Context, s *stream) {
	for clock.Sleep(ctx, p.l.o.Clock, directAgain) {
		if c, err := p.l.dial(ctx, p.target.Addr); err == nil {
			_ = c.Close()
			s.end(errDirect)
			return
		}
	}
}
