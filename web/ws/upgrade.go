package ws

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/limit"
)

// ServeHTTP upgrades the connection and returns, so that the stack and the buffers of the HTTP request are freed. A browser
// tells a page nothing of a refused upgrade, so most refusals are a close code after the upgrade.
func (s *Sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.opts.Draining(), s.shuttingDown():
		rest.RetryLater("draining", "This node is draining: retry elsewhere.", time.Second).Write(w)
		return
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		rest.NewProblem(http.StatusUpgradeRequired, "upgrade", "This path speaks WebSocket: see docs/PROTOCOL.md.").Write(w)
		return
	case !s.opts.Origins.Allow(r):
		rest.NewProblem(http.StatusForbidden, "cross-origin", "Pages of this origin may not connect here: see --allowed-origins.").Write(w)
		return
	}
	id, idErr := record.ParseID(r.PathValue("id"))
	chosen, encoding, known := subprotocol(r)
	c := &conn{
		s: s, id: id, encoding: encoding, addr: limit.Key(s.opts.Proxies.Client(r)),
		flusher:  s.flushers[int(s.next.Add(1))%len(s.flushers)],
		messages: s.allowance(s.opts.Rate), bytes: s.allowance(s.opts.Bytes), floor: s.allowance(s.opts.Floor),
	}
	c.ofAddr = s.allowanceOf(s.ofAddr.Of(c.addr))
	c.lastWrite.Store(math.MaxInt64) // nothing yet
	admission := s.reserve(c.addr)
	if admission == refused {
		_ = c.exceeded("--max-sockets-per-address", "")
		w.Header().Set("Connection", "close")
		rest.NewProblem(http.StatusTooManyRequests, "too-many", "Too many connections from your address: close some, then retry.").After(s.opts.Close).Write(w)
		return
	}
	if err := c.accept(w, r, chosen); err != nil {
		s.unreserve(c.addr)
		return // it is answered already
	}
	if !s.admit(c) {
		_ = c.net.Close()
		s.unreserve(c.addr)
		return
	}
	switch {
	case !known:
		c.stop = closeWith(wire.CloseBadMessage, "offer the subprotocol "+wire.SubprotocolJSON+" or "+wire.SubprotocolCBOR)
	case admission == toClose:
		c.stop = c.exceeded("--max-sockets-per-address", "too many connections from your address")
	case idErr != nil:
		c.stop = closeWith(wire.CloseNoRoom, "no such room: "+idErr.Error())
	}
	s.conns.Go(c.awaitHello)
}

// subprotocol chooses the first known one of those offered. When none is known it echoes the first: some browsers drop a
// connection without a subprotocol before they read the close code.
func subprotocol(r *http.Request) (chosen string, e wire.Encoding, known bool) {
	offered := strings.FieldsFunc(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), func(c rune) bool { return c == ',' || c == ' ' })
	for _, p := range offered {
		switch p {
		case wire.SubprotocolJSON:
			return p, wire.JSON, true
		case wire.SubprotocolCBOR:
			return p, wire.CBOR, true
		}
	}
	if len(offered) > 0 {
		chosen = offered[0]
	}
	return chosen, wire.JSON, false
}

// accept answers the handshake and makes the connection c's own.
func (c *conn) accept(w http.ResponseWriter, r *http.Request, chosen string) error {
	opts := &websocket.AcceptOptions{
		// The caller has checked the origin, since it can answer with a problem document.
		InsecureSkipVerify: true,
		// Messages are small and patches short. Compression would gain little, and cost each socket a window of up to 32 KiB.
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  c.onPing,
		OnPongReceived:  c.onPong,
	}
	if chosen != "" {
		opts.Subprotocols = []string{chosen}
	}
	ws, err := websocket.Accept(&smallHijacker{w, c}, r, opts)
	if err != nil {
		return err
	}
	c.ws = ws
	c.ws.SetReadLimit(-1) // readAll has one with our close code
	c.tune()
	if sc, ok := c.net.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn() // nil: every write needs a goroutine
	}
	c.allowSilence(c.s.opts.Hello)
	return nil
}

// smallHijacker gives the connection to c, and the WebSocket library small buffers in place of the HTTP server's of 4 KiB each: 512
// bytes hold most of what a client sends, and the library writes control frames alone.
type smallHijacker struct {
	http.ResponseWriter
	c *conn
}

func (h *smallHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	h.c.net, h.c.early = httpd.Unwrap(nc), slices.Clone(early)
	t := (*transport)(h.c)
	return t, bufio.NewReadWriter(bufio.NewReaderSize(t, 512), bufio.NewWriterSize(t, 128)), nil
}

// tune bounds what the kernel holds for a socket, and how long it retransmits to one that takes nothing: longer than the server
// waits itself, which can tell the client why.
func (c *conn) tune() {
	s, nc := c.s, c.net
	if under, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = under.NetConn() // of a TLS connection
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	if s.opts.SendBuffer > 0 {
		_ = tcp.SetWriteBuffer(s.opts.SendBuffer) // only a bound
	}
	setUserTimeout(tcp, s.opts.silence()+2*s.opts.WriteTimeout)
	c.kernel, _ = tcp.SyscallConn() // nil: its progress is not watched
}
