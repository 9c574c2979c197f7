// Package httpd bounds what an HTTP server grants to strangers: their connections, their time, and their turns at the processors.
package httpd

import (
	"cmp"
	lists "container/list"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/trust"
)

// ConnectionOptions bound the plain connections of an HTTP server: all but those that have become sockets.
type ConnectionOptions struct {
	PerAddress int             // of one address, an IPv6 /64 being one; 0 means 1,000, negative no limit. Proxies have none.
	Most       int             // in all; 0 means 4,096, negative no limit
	Proxies    trust.Proxies   // whose connections are many people's
	Refusals   *limit.Refusals // who has had all of its own is not let in; nil: everybody is
	Log        *slog.Logger
}

// Connections knows the plain connections of an HTTP server. When one comes that is too many, the one that has waited for a
// request the longest has to go, of the same address or of all: connections that never become a request cannot keep out those that do.
type Connections struct {
	opts   ConnectionOptions
	turned *limit.Log
	turns  turns

	mu      sync.Mutex
	all     map[*plain]struct{}
	from    map[netip.Addr]*caller
	waiting lists.List // of *plain, the longest first
}

// plain is one connection.
type plain struct {
	net.Conn
	peer     netip.Addr
	from     netip.Addr     // what it counts for
	turn     turn           // of its requests
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
	return &Connections{opts: o, turned: limit.NewLog(o.Log), turns: newTurns(), all: map[*plain]struct{}{}, from: map[netip.Addr]*caller{}}
}

// Write ends the turn of the request that is answered.
func (p *plain) Write(b []byte) (int, error) {
	p.turn.pass()
	return p.Conn.Write(b)
}

// Attend has the server tell what its connections do, and their requests take turns. It is called before the server serves.
func (c *Connections) Attend(s *http.Server) {
	s.ConnState = func(nc net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			c.known(nc, c.queue)
		case http.StateHijacked, http.StateClosed:
			c.known(nc, c.drop)
		}
	}
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context { return context.WithValue(ctx, connKey{}, nc) }
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := r.Context().Value(connKey{}).(*plain)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		c.known(p, c.unqueue) // it has a request
		inTurn(&p.turn, next, w, r)
	})
}

type connKey struct{}

// Listen has what a listener accepts counted. The listener leaves TCP's keep-alive to it.
func (c *Connections) Listen(l net.Listener) net.Listener { return &countingListener{l, c} }

type countingListener struct {
	net.Listener
	c *Connections
}

// answerBuffer bounds what the kernel holds of an answer, so that a reader who takes it slowly is seen to take it.
const answerBuffer = 256 << 10

func (l *countingListener) Accept() (net.Conn, error) {
	for {
		runtime.Gosched() // behind all that is ready to run, so that a crowd comes in one after another
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, _ := nc.(*net.TCPConn)
		p := &plain{Conn: nc, peer: addressOf(nc), turn: turn{of: l.c.turns}}
		if l.c.admit(p) {
			if tcp != nil {
				_ = tcp.SetWriteBuffer(answerBuffer) // only a bound
				_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true})
			}
			return p, nil
		}
		if tcp != nil {
			_ = tcp.SetLinger(0) // nothing is left of it, here either
		}
		_ = nc.Close()
	}
}

// Unwrap is the connection that the kernel knows, of one that was taken over.
func Unwrap(nc net.Conn) net.Conn {
	if p, ok := nc.(*plain); ok {
		return p.Conn
	}
	return nc
}

// admit takes a connection in, at the cost of another where there are too many. False means that all the others are served, or
// that its address has been refused too often to be heard.
func (c *Connections) admit(p *plain) bool {
	p.from = limit.Key(p.peer)
	if now := time.Now(); c.opts.Refusals.Deaf(p.from, now) && !c.opts.Proxies.Trusts(p.peer) {
		c.turned.Refused(c.opts.Refusals.Setting, p.from, now)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	who := c.from[p.from]
	if who != nil && c.opts.PerAddress >= 0 && who.open >= c.opts.PerAddress && !c.opts.Proxies.Trusts(p.peer) {
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
	c.all[p] = struct{}{}
	c.queue(p)
	return true
}

// makeRoom closes the connection that has waited the longest of those in a list, if there is any.
func (c *Connections) makeRoom(setting string, comer netip.Addr, waiting *lists.List) bool {
	c.turned.Refused(setting, comer, time.Now())
	first := waiting.Front()
	if first == nil {
		return false
	}
	p := first.Value.(*plain)
	c.drop(p)
	_ = p.Close()
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
	delete(c.all, p)
	if who := c.from[p.from]; who.open == 1 {
		delete(c.from, p.from)
	} else {
		who.open--
	}
}

// known does something about a connection that has not been dropped.
func (c *Connections) known(nc net.Conn, do func(*plain)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, _ := nc.(*plain)
	if _, ok := c.all[p]; ok {
		do(p)
	}
}

func addressOf(nc net.Conn) netip.Addr {
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
