// Package httpd bounds what an HTTP server grants to strangers: connections, time, and turns at the processors.
package httpd

import (
	"cmp"
	"container/list"
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
	Refusals   *limit.Refusals // addresses that it ignores are not let in; nil: all are let in
	Log        *slog.Logger    // nil: nothing is logged
}

// Connections are the plain connections of an HTTP server. One that is too many takes the place of the connection that has waited
// for a request the longest, of its address or of all. So connections that never send a request keep out none that do.
type Connections struct {
	opts    ConnectionOptions
	refused *limit.Log
	turns   turns

	mu      sync.Mutex
	all     map[*conn]struct{}
	from    map[netip.Addr]*address
	waiting list.List // of *conn, the longest first
}

// conn is one connection.
type conn struct {
	net.Conn
	peer     netip.Addr
	key      netip.Addr    // of its address
	turn     turn          // of its requests
	own, any *list.Element // its places in address.waiting and Connections.waiting; nil while a request is served
}

// address is one that has connections.
type address struct {
	open    int
	waiting list.List // of *conn, the longest first
}

// NewConnections makes one for one server.
func NewConnections(o ConnectionOptions) *Connections {
	o.PerAddress, o.Most = cmp.Or(o.PerAddress, 1000), cmp.Or(o.Most, 4096)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Connections{opts: o, refused: limit.NewLog(o.Log), turns: newTurns(), all: map[*conn]struct{}{}, from: map[netip.Addr]*address{}}
}

// Write ends the turn of the request that is answered.
func (c *conn) Write(b []byte) (int, error) {
	c.turn.release()
	return c.Conn.Write(b)
}

// Attend follows the connections of a server and gives their requests turns. Call it before the server serves.
func (c *Connections) Attend(s *http.Server) {
	s.ConnState = func(nc net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			c.update(nc, c.queue)
		case http.StateHijacked, http.StateClosed:
			c.update(nc, c.forget)
		}
	}
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context { return context.WithValue(ctx, connKey{}, nc) }
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(*conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		c.update(conn, c.unqueue)
		conn.turn.serve(next, w, r)
	})
}

type connKey struct{}

// Listen bounds what a listener accepts. It sets TCP's keep-alive, so the listener need not.
func (c *Connections) Listen(l net.Listener) net.Listener { return &listener{l, c} }

type listener struct {
	net.Listener
	c *Connections
}

// answerBuffer bounds what the kernel holds of an answer, so that a reader who takes it slowly is seen to take it.
const answerBuffer = 256 << 10

func (l *listener) Accept() (net.Conn, error) {
	for {
		runtime.Gosched() // let all that is ready run first, so that a crowd comes in one by one
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: nc, turn: turn{of: l.c.turns}}
		tcp, _ := nc.(*net.TCPConn)
		if tcp != nil {
			c.peer = tcp.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		}
		if l.c.admit(c) {
			if tcp != nil {
				_ = tcp.SetWriteBuffer(answerBuffer) // only a bound
				_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true})
			}
			return c, nil
		}
		if tcp != nil {
			_ = tcp.SetLinger(0) // closes without leaving a trace of it in the kernel
		}
		_ = nc.Close()
	}
}

// Unwrap is the connection that the kernel knows, of one that a handler has taken over.
func Unwrap(nc net.Conn) net.Conn {
	if c, ok := nc.(*conn); ok {
		return c.Conn
	}
	return nc
}

// admit takes a connection in, in place of another where there are too many. It reports false when the others are all being
// served, or when the address is ignored.
func (c *Connections) admit(conn *conn) bool {
	conn.key = limit.Key(conn.peer)
	now, proxy := time.Now(), c.opts.Proxies.Contains(conn.peer)
	if !proxy && c.opts.Refusals.Ignores(conn.key, now) {
		c.refused.Refused(c.opts.Refusals.Setting, conn.key, now)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.from[conn.key]
	if from != nil && !proxy && c.opts.PerAddress >= 0 && from.open >= c.opts.PerAddress && !c.evict("--max-connections-per-address", conn.key, &from.waiting) {
		return false
	}
	if c.opts.Most >= 0 && len(c.all) >= c.opts.Most && !c.evict("--max-connections", conn.key, &c.waiting) {
		return false
	}
	if from = c.from[conn.key]; from == nil { // or evict has forgotten it
		from = &address{}
		c.from[conn.key] = from
	}
	from.open++
	c.all[conn] = struct{}{}
	c.queue(conn)
	return true
}

// evict closes the connection that has waited the longest of a list, for another from the address by. It reports false when
// none waits.
func (c *Connections) evict(setting string, by netip.Addr, waiting *list.List) bool {
	c.refused.Refused(setting, by, time.Now())
	first := waiting.Front()
	if first == nil {
		return false
	}
	conn := first.Value.(*conn)
	c.forget(conn)
	_ = conn.Close()
	return true
}

// queue puts a connection behind those that wait for a request. The caller holds mu, as that of the next two.
func (c *Connections) queue(conn *conn) {
	if conn.any == nil {
		conn.own, conn.any = c.from[conn.key].waiting.PushBack(conn), c.waiting.PushBack(conn)
	}
}

func (c *Connections) unqueue(conn *conn) {
	if conn.any != nil {
		c.from[conn.key].waiting.Remove(conn.own)
		c.waiting.Remove(conn.any)
		conn.own, conn.any = nil, nil
	}
}

func (c *Connections) forget(conn *conn) {
	c.unqueue(conn)
	delete(c.all, conn)
	if from := c.from[conn.key]; from.open == 1 {
		delete(c.from, conn.key)
	} else {
		from.open--
	}
}

// update does something about a connection that has not been forgotten.
func (c *Connections) update(nc net.Conn, do func(*conn)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, _ := nc.(*conn)
	if _, known := c.all[conn]; known {
		do(conn)
	}
}
