package torture

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/roomring/roomring/internal/netns"
)

// wires are networks of the nodes' own, one host a node. Players and the operator are inside of each node's host, so a cut between nodes does
// not cut them off.
type wires struct{ *netns.Net }

func newWires() (*wires, error) {
	n, err := netns.New(0)
	if err != nil {
		return nil, err
	}
	return &wires{n}, nil
}

// place gives a node a host and its addresses.
func (w *wires) place(s *server) (err error) {
	if s.host, err = w.Add(); err != nil {
		return err
	}
	at := netns.Addr(s.host)
	s.listen, s.admin, s.peer, s.gossip = at+":7777", at+":7778", at+":7779", at+":7946"
	return nil
}

func (w *wires) enter(host int) error { return w.Enter(host) }

func (w *wires) close() { w.Close() }

// dial connects to a port of a host's own loopback.
func (w *wires) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	host, err := hostOf(addr)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr) // hostOf has parsed it
	err = w.Inside(host, func() error {
		conn, err = new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		return err
	})
	return conn, err
}

// hostOf is the host that has an address.
func hostOf(addr string) (int, error) {
	ip, _, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(ip[strings.LastIndexByte(ip, '.')+1:])
}

func (w *wires) addr(host int) string { return netns.Addr(host) }

// reach connects to a host from that host itself, by its address.
func (w *wires) reach(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	host, err := hostOf(addr)
	if err != nil {
		return nil, err
	}
	err = w.Inside(host, func() error {
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}
