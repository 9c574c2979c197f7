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

// streams bounds the memory that strangers can make a node use. Memberlist reads up to 20 MiB of a stream into memory before it knows
// whether the sender has the secret.
type streams struct {
	most   int   // open at once, from all addresses
	each   int   // open at once from one address; an IPv6 /64 counts as one
	rate   int   // begun a second by one address; negative means no limit
	bytes  int64 // of one stream
	clock  clock.Clock
	log    *slog.Logger
	handed chan net.Conn

	mu     sync.Mutex
	open   int
	by     map[netip.Prefix]int
	begun  map[netip.Prefix]*rate.Limiter
	warned time.Time
}

// admit passes on the streams that are within bounds and closes the others, until ctx ends. A node whose stream is closed tries again.
// Meanwhile it learns by UDP who is there.
func (s *streams) admit(ctx context.Context, dialed <-chan net.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case conn := <-dialed:
			from, ok := s.count(conn)
			if !ok {
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0) // leaves no TIME_WAIT behind
				}
				_ = conn.Close()
				continue
			}
			conn = &stream{Conn: conn, left: s.bytes, head: head{most: s.bytes}, closed: func() { s.release(from) }}
			select {
			case s.handed <- conn:
			case <-ctx.Done():
				_ = conn.Close()
				return
			}
		}
	}
}

// count counts a new stream and returns true if it is within bounds.
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
		s.log.Warn("streams of gossip are turned away: more are open, or begun, than a cluster needs; let only nodes reach the gossip port",
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

func (s *streams) release(from netip.Prefix) {
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

// stream is a connection from which only a limited number of bytes is read.
type stream struct {
	net.Conn
	left   int64
	head   head
	once   sync.Once
	closed func()
}

func (s *stream) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errors.New("it sends more than any cluster's gossip")
	}
	n, err := s.Conn.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if !s.head.accept(p[:n]) {
		return 0, errors.New("it announces more than any cluster's gossip")
	}
	return n, err
}

// head parses the beginning of a stream: memberlist's label, if it has one, and, if the rest is encrypted, the length of the rest. A
// stream that announces too much is closed.
type head struct {
	most int64
	seen []byte
	done bool
}

const (
	labelled  = 244 // memberlist: hasLabelMsg
	encrypted = 10  // encryptMsg, with four bytes of length behind it
)

// accept parses the next bytes. It returns false if the stream announces more than head.most.
func (h *head) accept(p []byte) bool {
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
