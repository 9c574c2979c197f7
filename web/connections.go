package web

import (
	"cmp"
	lists "container/list"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// ConnectionOptions bound the plain connections of an HTTP server: all but those that have become sockets.
type ConnectionOptions struct {
	PerAddress int     // of one address, an IPv6 /64 being one; 0 means 1,000, negative no limit. Proxies have none.
	Most       int     // in all; 0 means 4,096, negative no limit
	Proxies    Proxies // whose connections are many people's
	Log        *slog.Logger
}

// Connections knows the plain connections of an HTTP server. When one comes that is too many, the one that has waited for a
// request the longest has to go, of the same address or of all: connections that never become a request cannot keep out those that do.
type Connections struct {
	opts   ConnectionOptions
	turned *limitLog

	mu      sync.Mutex
	all     map[net.Conn]*plain
	from    map[netip.Addr]*caller
	waiting lists.List // of *plain, the longest first
}

// plain is one connection.
type plain struct {
	nc       net.Conn
	peer     netip.Addr
	from     netip.Addr     // what it counts for
	own, any *lists.Element // its places in caller.waiting and Connections.waiting; nil while a request is served
}

// caller is an address with connections.
type caller struct {
	open    int
	waiting lists.List // of *plain
}

// NewConnections makes one for one server.
func NewConnections(o ConnectionOptions) *Connections {
	o.PerAddress, o.Most = cmp.Or(o.PerAddress, 1000), cmp.Or(o.Most, 4096)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Connections{opts: o, turned: newLimitLog(o.Log), all: map[net.Conn]*plain{}, from: map[netip.Addr]*caller{}}
}

// Attend has the server tell what its connections do. It is called before the server serves.
func (c *Connections) Attend(s *http.Server) {
	s.ConnState = func(nc net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			c.wait(nc)
		case http.StateHijacked, http.StateClosed:
			c.forget(nc)
		}
	}
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context { return context.WithValue(ctx, connKey{}, nc) }
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if nc, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			c.serve(nc)
		}
		next.ServeHTTP(w, r)
	})
}

type connKey struct{}

// Listen has what a listener accepts counted.
func (c *Connections) Listen(l net.Listener) net.Listener { return &countingListener{l, c} }

type countingListener struct {
	net.Listener
	c *Connections
}

// answerBuffer bounds what the kernel holds of an answer, so that a reader who takes it slowly is seen to take it.
const answerBuffer = 256 << 10

func (l *countingListener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil || l.c.admit(nc) {
			if tcp, ok := nc.(*net.TCPConn); ok {
				_ = tcp.SetWriteBuffer(answerBuffer) // only a bound
			}
			return nc, err
		}
		_ = nc.Close()
	}
}

// admit takes a connection in, at the cost of another where there are too many. False means that all the others are served.
func (c *Connections) admit(nc net.Conn) bool {
	p := &plain{nc: nc, peer: addressOf(nc)}
	p.from = limitKey(p.peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	who := c.from[p.from]
	if who != nil && c.opts.PerAddress >= 0 && who.open >= c.opts.PerAddress && !c.opts.Proxies.trusts(p.peer) {
		if !c.makeRoom("--max-connections-per-address", p.from, &who.waiting) {
			return false
		}
	}
	if c.opts.Most >= 0 && len(c.all) >= c.opts.Most && !c.makeRoom("--max-connections", p.from, &c.waiting) {
		return false
	}
	if who = c.from[p.from]; who == nil { // it may have been forgotten with its last
		who = &caller{}
		c.from[p.from] = who
	}
	who.open++
	c.all[nc] = p
	c.queue(p)
	return true
}

// makeRoom closes the connection that has waited the longest of those in a list, if there is any.
func (c *Connections) makeRoom(setting string, comer netip.Addr, waiting *lists.List) bool {
	c.turned.refused(setting, comer, time.Now())
	first := waiting.Front()
	if first == nil {
		return false
	}
	p := first.Value.(*plain)
	c.drop(p)
	_ = p.nc.Close()
	return true
}

func (c *Connections) queue(p *plain) {
	if p.any == nil {
		p.own, p.any = c.from[p.from].waiting.PushBack(p), c.waiting.PushBack(p)
	}
}

func (c *Connections) unqueue(p *plain) {
	if p.any != nil {
		c.from[p.from].waiting.Remove(p.own)
		c.waiting.Remove(p.any)
		p.own, p.any = nil, nil
	}
}

func (c *Connections) drop(p *plain) {
	c.unqueue(p)
	delete(c.all, p.nc)
	if who := c.from[p.from]; who.open == 1 {
		delete(c.from, p.from)
	} else {
		who.open--
	}
}

// wait notes that a connection has no request any more.
func (c *Connections) wait(nc net.Conn) { c.known(nc, c.queue) }

// serve notes that one has a request.
func (c *Connections) serve(nc net.Conn) { c.known(nc, c.unqueue) }

// forget notes that one is closed, or a socket.
func (c *Connections) forget(nc net.Conn) { c.known(nc, c.drop) }

func (c *Connections) known(nc net.Conn, do func(*plain)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.all[nc]; p != nil {
		do(p)
	}
}

func addressOf(nc net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(nc.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
