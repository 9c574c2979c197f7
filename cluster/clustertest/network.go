package clustertest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/roomring/roomring/room/clock"
)

const (
	port    = 7946
	waiting = 1024 // unread packets of a node; further ones are dropped
	backlog = 64   // streams that a node has not accepted; further ones are refused
)

// Network joins transports. Its methods may be called from any goroutine.
type Network struct {
	clock clock.Clock

	mu    sync.Mutex
	nodes map[string]*Transport // by address
	cuts  map[[2]string]bool    // from, to: addresses
	next  byte
}

// NewNetwork makes a network without nodes and without cuts. Dials at a cut wait by the clock.
func NewNetwork(c clock.Clock) *Network {
	return &Network{clock: c, nodes: map[string]*Transport{}, cuts: map[[2]string]bool{}}
}

// Transport makes a node's transport. A network has addresses for 250 of them.
func (n *Network) Transport() *Transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next++
	t := &Transport{
		network: n,
		ip:      net.IPv4(10, 0, 0, n.next).To4(),
		packets: make(chan *memberlist.Packet, waiting),
		streams: make(chan net.Conn, backlog),
		done:    make(chan struct{}),
	}
	n.nodes[t.Addr()] = t
	return t
}

// Cut drops everything sent from one address to another, until Heal. Streams between the two break.
func (n *Network) Cut(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut(from, to)
}

// Split cuts each of the given addresses off from all other addresses, in both directions.
func (n *Network) Split(some ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range some {
		for b := range n.nodes {
			if !slices.Contains(some, b) {
				n.cut(a, b)
				n.cut(b, a)
			}
		}
	}
}

func (n *Network) cut(from, to string) {
	n.cuts[[2]string{from, to}] = true
	for _, pair := range [][2]string{{from, to}, {to, from}} {
		if t := n.nodes[pair[0]]; t != nil {
			t.breakStreams(pair[1])
		}
	}
}

// Heal ends all cuts.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cuts)
}

// reach returns the node at an address. cut reports whether the way there is cut, or, if back is set, the way back.
func (n *Network) reach(from, to string, back bool) (t *Transport, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[to], n.cuts[[2]string{from, to}] || back && n.cuts[[2]string{to, from}]
}

// Transport is a memberlist.Transport on a Network.
type Transport struct {
	network *Network
	ip      net.IP
	packets chan *memberlist.Packet
	streams chan net.Conn

	once sync.Once
	done chan struct{}

	mu   sync.Mutex
	open map[*stream]bool
}

// Addr returns the node's address.
func (t *Transport) Addr() string { return fmt.Sprintf("%s:%d", t.ip, port) }

// FinalAdvertiseAddr returns the address of Addr.
func (t *Transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) { return t.ip, port, nil }

// WriteTo sends a packet. The packet is lost, without an error, at a cut and when the receiver does not exist or does not read.
func (t *Transport) WriteTo(b []byte, to string) (time.Time, error) {
	now := t.network.clock.Wall()
	other, cut := t.network.reach(t.Addr(), to, false)
	if other == nil || cut {
		return now, nil
	}
	p := &memberlist.Packet{Buf: slices.Clone(b), From: &net.UDPAddr{IP: t.ip, Port: port}, Timestamp: now}
	select {
	case other.packets <- p:
	default:
	}
	return now, nil
}

// PacketCh returns the channel of arriving packets.
func (t *Transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh returns the channel of arriving streams.
func (t *Transport) StreamCh() <-chan net.Conn { return t.streams }

// DialTimeout opens a stream. It times out at a cut in either direction. A node that does not exist refuses.
func (t *Transport) DialTimeout(to string, timeout time.Duration) (net.Conn, error) {
	other, cut := t.network.reach(t.Addr(), to, true)
	if cut {
		late, stop := clock.After(t.network.clock, timeout)
		defer stop()
		select {
		case <-late:
			return nil, fmt.Errorf("dial %s: %w", to, os.ErrDeadlineExceeded)
		case <-t.done:
			return nil, net.ErrClosed
		}
	}
	if other == nil {
		return nil, fmt.Errorf("dial %s: connection refused", to)
	}
	a, b := net.Pipe()
	here, there := t.track(a, other), other.track(b, t)
	select {
	case other.streams <- there:
		return here, nil
	case <-other.done:
	default:
	}
	return nil, errors.Join(fmt.Errorf("dial %s: connection refused", to), here.Close(), there.Close())
}

// Shutdown takes the node off the network and breaks its streams.
func (t *Transport) Shutdown() error {
	t.once.Do(func() {
		t.network.mu.Lock()
		delete(t.network.nodes, t.Addr())
		t.network.mu.Unlock()
		close(t.done)
		t.breakStreams("")
	})
	return nil
}

func (t *Transport) track(c net.Conn, peer *Transport) *stream {
	s := &stream{Conn: c, at: t, peer: peer}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[*stream]bool{}
	}
	t.open[s] = true
	return s
}

// breakStreams closes the streams to an address; "" means all.
func (t *Transport) breakStreams(to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		if to == "" || s.peer.Addr() == to {
			_ = s.Conn.Close()
		}
	}
}

// stream is a connection that knows its addresses.
type stream struct {
	net.Conn
	at, peer *Transport
}

func (s *stream) LocalAddr() net.Addr  { return &net.TCPAddr{IP: s.at.ip, Port: port} }
func (s *stream) RemoteAddr() net.Addr { return &net.TCPAddr{IP: s.peer.ip, Port: port} }

func (s *stream) Close() error {
	s.at.mu.Lock()
	delete(s.at.open, s)
	s.at.mu.Unlock()
	return s.Conn.Close()
}
