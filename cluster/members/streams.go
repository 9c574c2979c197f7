package members

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/roomring/roomring/room/clock"
)

// streams bounds what strangers can make a node hold: memberlist reads up to 20 MiB of a stream into memory before it knows whether the
// sender has the secret.
type streams struct {
	most   int // open at once, of all addresses
	each   int // … of one address; an IPv6 /64 counts as one
	rate   int // that one address may begin a second; below 0: any number
	bytes  int64
	clock  clock.Clock
	log    *slog.Logger
	handed chan net.Conn

	mu     sync.Mutex
	open   int
	by     map[netip.Prefix]int
	begun  map[netip.Prefix]*rate.Limiter
	warned time.Time
}

// admit hands on the streams that are within bounds, and closes the others, until ctx ends. A node that is turned away tries again, and
// meanwhile hears by UDP who is there.
func (s *streams) admit(ctx context.Context, dialed <-chan net.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case conn := <-dialed:
			from, ok := s.count(conn)
			if !ok {
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0) // nothing is left of it, here either
				}
				_ = conn.Close()
				continue
			}
			conn = &stream{Conn: conn, left: s.bytes, head: head{most: s.bytes}, closed: func() { s.exit(from) }}
			select {
			case s.handed <- conn:
			case <-ctx.Done():
				_ = conn.Close()
				return
			}
		}
	}
}

// count counts one more stream, if there is room for it.
func (s *streams) count(conn net.Conn) (from netip.Prefix, ok bool) {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		from = source(tcp.AddrPort().Addr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Wall()
	if s.open < s.most && s.by[from] < s.each && s.due(from, now) {
		s.open++
		s.by[from]++
		return from, true
	}
	if now.Sub(s.warned) > time.Minute {
		s.warned = now
		s.log.Warn("streams of gossip are turned away: more are open, or begun, than a cluster needs; let nodes alone reach the gossip port",
			"from", from, "open", s.open, "most", s.most, "of_one_address", s.each, "begun_a_second", s.rate)
	}
	return from, false
}

// maxBegun bounds the addresses that are remembered. When there are more, all are forgotten.
const maxBegun = 4096

// due reports whether an address may begin another stream.
func (s *streams) due(from netip.Prefix, now time.Time) bool {
	if s.rate < 0 {
		return true
	}
	l := s.begun[from]
	if l == nil {
		if len(s.begun) >= maxBegun {
			clear(s.begun)
		}
		l = rate.NewLimiter(rate.Limit(s.rate), 8*s.rate)
		s.begun[from] = l
	}
	return l.AllowN(now, 1)
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
	head   head
	once   sync.Once
	closed func()
}

func (s *stream) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errors.New("it says more than any cluster's gossip")
	}
	n, err := s.Conn.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if !s.head.hear(p[:n]) {
		return 0, errors.New("it announces more than any cluster's gossip")
	}
	return n, err
}

// head follows how a stream begins: with memberlist's label, if it has one, and, where what follows is encrypted, with how long that is.
// A stream that announces too much is closed.
type head struct {
	most int64
	seen []byte
	done bool
}

const (
	labelled  = 244 // memberlist: hasLabelMsg
	encrypted = 10  // encryptMsg, with four bytes of length behind it
)

// hear takes what comes next. False: more is announced than there may be.
func (h *head) hear(p []byte) bool {
	if h.done {
		return true
	}
	h.seen = append(h.seen, p[:min(len(p), 2+255+5-len(h.seen))]...)
	message := h.seen
	if len(message) > 1 && message[0] == labelled {
		message = message[min(2+int(message[1]), len(message)):]
	} else if len(message) > 0 && message[0] == labelled {
		return true // the label's length is to come
	}
	switch {
	case len(message) == 0, message[0] == encrypted && len(message) < 5:
		return true
	case message[0] == encrypted && int64(binary.BigEndian.Uint32(message[1:])) > h.most:
		return false
	}
	h.done, h.seen = true, nil
	return true
}

func (s *stream) Close() error {
	s.once.Do(s.closed)
	return s.Conn.Close()
}
