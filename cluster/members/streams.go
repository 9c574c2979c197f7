package members

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// streams bounds what strangers can have a node hold: memberlist reads up to 20 MiB of a stream into memory before it knows
// whether who sent it has the secret.
type streams struct {
	most   int // open at once, of all addresses
	each   int // … of one address; an IPv6 /64 counts as one
	bytes  int64
	log    *slog.Logger
	handed chan net.Conn

	mu     sync.Mutex
	open   int
	by     map[netip.Prefix]int
	warned time.Time
}

// admit hands on the streams that are within bounds until ctx ends, and closes the others: whoever is turned away tries again,
// and meanwhile hears by UDP who is there.
func (s *streams) admit(ctx context.Context, dialed <-chan net.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case conn := <-dialed:
			from, ok := s.enter(conn)
			if !ok {
				_ = conn.Close()
				continue
			}
			conn = &stream{Conn: conn, left: s.bytes, closed: func() { s.exit(from) }}
			select {
			case s.handed <- conn:
			case <-ctx.Done():
				_ = conn.Close()
				return
			}
		}
	}
}

// enter counts a stream in, if there is room for it.
func (s *streams) enter(conn net.Conn) (from netip.Prefix, ok bool) {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		from = source(tcp.AddrPort().Addr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open < s.most && s.by[from] < s.each {
		s.open++
		s.by[from]++
		return from, true
	}
	if now := time.Now(); now.Sub(s.warned) > time.Minute {
		s.warned = now
		s.log.Warn("streams of gossip are turned away: more are open than a cluster needs; let nodes alone reach the gossip port",
			"from", from, "open", s.open, "most", s.most, "of_one_address", s.each)
	}
	return from, false
}

func (s *streams) exit(from netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.by[from]--; s.by[from] == 0 {
		delete(s.by, from)
	}
}

func source(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // the zero prefix for no address
	return p
}

// stream is a connection that may say only so much.
type stream struct {
	net.Conn
	left   int64
	once   sync.Once
	closed func()
}

func (s *stream) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errors.New("it says more than any cluster's gossip")
	}
	n, err := s.Conn.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, err
}

func (s *stream) Close() error {
	s.once.Do(s.closed)
	return s.Conn.Close()
}
