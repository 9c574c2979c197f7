package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// conn is one socket.
type conn struct {
	s        *Sockets
	id       room.ID
	encoding wire.Encoding
	addr     netip.Addr
	net      net.Conn
	raw      syscall.RawConn // nil when the connection is not the kernel's alone, as with TLS
	ws       *websocket.Conn // reads; of what it writes, control frames alone, see transport
	kernel   syscall.RawConn // of the TCP connection, TLS or not; nil when there is none
	flusher  *flusher
	reader   reading // of Sockets.beat

	// Of the goroutine that reads.
	early                 []byte // what the HTTP server had read beyond the request
	messages              allowance
	bytes                 allowance
	floor, ofAddr, ofRoom allowance     // see Options.Floor; ofRoom is empty before hello
	session               actor.Session // nil before hello

	expires atomic.Int64 // when its token does, in seconds since 1970; 0: it came without
	queued  atomic.Bool  // waits for its flusher
	spoke   atomic.Int64 // when something was last written, as Sockets.now counts; the largest: nothing yet

	mu      sync.Mutex
	out     *actor.Outbox     // nil before hello
	leave   *actor.CloseError // why to stop reading; the first counts
	reading bool              // false once the reader has stopped for whatever reason
	until   time.Duration     // by the clock, when the client has said nothing for too long
	pending []byte            // frames of the edge's own; they go before those of the outbox
	sealed  bool              // the close frame has been queued: nothing goes after it
	slow    bool              // a goroutine of its own is writing
	dead    bool              // nothing can be written any more
	shut    bool              // close the connection when all is written
	linger  bool              // not before the client has had time to read why
	closed  bool              // it is

	finished bool           // the reader has ended, for which
	code     wire.CloseCode // is for the meter
	gone     bool           // and Sockets has forgotten the socket
}

// What may wait for a reader when a frame of the edge's own comes, in bytes of such frames. For what nobody has asked for
// there need be no room; for pongs there is room for those of a whole burst: see Options.pongs.
const (
	always  = math.MaxInt
	unasked = 4 << 10
)

// pongs bounds those that wait: 160 bytes hold any of them.
func (o *Options) pongs() int { return max(64<<10, 160*o.Rate.Burst) }

// greet waits for the hello. The rest of the socket's life runs on a new goroutine, whose stack is small.
func (c *conn) greet() {
	c.mu.Lock()
	c.reading = true
	err := error(nil)
	if c.leave != nil {
		err = c.leave
	}
	c.mu.Unlock()
	for err == nil && c.session == nil {
		err = c.receive()
	}
	if err != nil {
		c.finish(err)
		return
	}
	c.s.conns.Go(c.loop)
}

func (c *conn) loop() {
	var err error
	for err == nil {
		err = c.receive()
	}
	c.finish(err)
}

// buffers hold messages while they are read and handled, not while a socket waits for one.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1<<10)) }}

// receive reads one WebSocket message and does what it says.
func (c *conn) receive() error {
	kind, r, err := c.ws.Reader(context.Background()) // bounded by the read deadline alone
	if err != nil {
		return err
	}
	if kind != c.messageType() {
		return closeWith(wire.CloseBadMessage, "JSON goes in text messages, CBOR in binary ones")
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if *buf, err = c.readAll(r, (*buf)[:0]); err != nil {
		return err
	}
	c.alive()
	return c.handleAll(*buf)
}

func (c *conn) messageType() websocket.MessageType {
	if c.encoding == wire.CBOR {
		return websocket.MessageBinary
	}
	return websocket.MessageText
}

func (c *conn) readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) > c.s.opts.MaxMessage {
			return buf, closeWith(wire.CloseTooLarge, fmt.Sprintf("a message may have %d bytes", c.s.opts.MaxMessage))
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF && len(buf) <= c.s.opts.MaxMessage {
			return buf, nil
		}
		if err != nil && err != io.EOF {
			return buf, err
		}
	}
}

func (c *conn) handleAll(msg []byte) error {
	if !c.bytes.allow(len(msg)) {
		return c.tooMany("--bytes-per-second", "too many bytes: see welcome.limits.bytes")
	}
	if err := c.share(len(msg)); err != nil {
		return err
	}
	n := 0
	for m, err := range wire.DecodeClient(c.encoding, msg) {
		if err != nil {
			return closeWith(wire.CloseBadMessage, err.Error())
		}
		if !c.messages.allow(1) {
			return c.tooMany("--messages-per-second", "too many messages: see welcome.limits.rate")
		}
		if err := c.handle(m); err != nil {
			return err
		}
		n++
	}
	c.s.opts.Meter.SocketRead(n, len(msg))
	return nil
}

// share takes what a message has beyond the socket's own floor out of what its address and its room may send.
func (c *conn) share(bytes int) error {
	switch {
	case c.floor.allow(bytes):
		return nil
	case !c.ofAddr.allow(bytes):
		return c.tooMany(c.s.ofAddr.Setting, "too many bytes from your address")
	case c.ofRoom.limiter != nil && !c.ofRoom.allow(bytes):
		return c.tooMany(c.s.ofRoom.Setting, "too many bytes into this room")
	}
	return nil
}

func (c *conn) handle(m wire.ClientMessage) (err error) {
	if hello, ok := m.(wire.Hello); ok {
		return c.hello(hello)
	}
	if c.session == nil {
		return closeWith(wire.CloseBadMessage, "the first message must be hello")
	}
	switch m := m.(type) {
	case wire.Act:
		err = c.session.Act(c.s.ctx, wire.Act{CSeq: m.CSeq, Data: bytes.Clone(m.Data), Fault: m.Fault}) // the buffer is used again
	case wire.Ping:
		c.answer(c.pong(m))
	case wire.Resync:
		err = c.session.Resync(c.s.ctx)
	case wire.Leave:
		err = c.session.Leave(c.s.ctx)
	}
	if errors.Is(err, actor.ErrEnded) {
		return nil // the outbox says why, in its place
	}
	return err
}

// pong is the frame that answers a ping, or keeps a silent connection visibly alive.
func (c *conn) pong(p wire.Ping) []byte {
	var frame [frameHead]byte
	return framed(wire.AppendPong(frame[:], c.encoding, wire.Pong{Echo: p.Echo, Time: time.Now().UnixMilli()}), c.encoding)
}

// answer queues a pong. A client for which too many wait has asked for more than a burst at once, or does not read.
func (c *conn) answer(pong []byte) {
	if c.enqueue(pong, c.s.opts.pongs()) {
		return
	}
	c.mu.Lock()
	slow := c.slow
	c.mu.Unlock()
	if slow {
		c.kick(notReading())
		return
	}
	c.kick(closeWith(wire.CloseTooMany, "too many pings at once: see welcome.limits.rate"))
}

func notReading() *actor.CloseError {
	return closeWith(wire.CloseTooSlow, "this connection does not read what it is sent: reconnect")
}

// onPing has the library answer a WebSocket ping, which says that the client is alive like any message.
func (c *conn) onPing(context.Context, []byte) bool {
	c.alive()
	if !c.messages.allow(1) {
		c.kick(c.tooMany("--messages-per-second", "too many pings"))
		return false
	}
	return true
}

func (c *conn) onPong(context.Context, []byte) { c.alive() }

// tooMany turns the client away for a limit, whose setting the log names.
func (c *conn) tooMany(setting, reason string) *actor.CloseError {
	now := time.Now()
	c.s.turned.Refused(setting, c.addr, now)
	c.s.opts.Refusals.Refused(c.addr, now)
	return closeWith(wire.CloseTooMany, reason)
}

// alive puts off the end of a client that is silent. Before hello nothing does.
func (c *conn) alive() {
	if c.session != nil {
		c.expect(c.s.opts.silence())
	}
}

// kick has the reader stop and close the socket. The first reason counts.
func (c *conn) kick(why *actor.CloseError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leave != nil {
		return
	}
	c.leave = why
	if c.reading {
		_ = c.net.SetReadDeadline(time.Unix(1, 0))
	}
}

// finish ends the session and closes the socket, telling the client why if it can still be told.
func (c *conn) finish(err error) {
	why := c.stopped(err)
	if c.session != nil {
		c.session.Detach()
	}
	if why == nil {
		_ = c.ws.CloseNow()
		return
	}
	if why.Over != nil {
		msg := wire.AppendOver(make([]byte, frameHead, 256), c.encoding, *why.Over)
		c.enqueue(framed(msg, c.encoding), always)
	}
	if why.Code == wire.CloseTooSlow {
		c.mu.Lock()
		c.linger = true
		c.mu.Unlock()
		defer c.wait()
	}
	_ = c.ws.Close(websocket.StatusCode(why.Code), wire.CloseReason(why.Reason)) // waits for the client's own close frame, as long as opts.Close
}

// stopped says why the reader has stopped: nil when the client went by itself.
func (c *conn) stopped(err error) *actor.CloseError {
	defer c.schedule() // the connection may be closed already
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading, c.finished = false, true
	// The close handshake's. The library's own does not cover the rest of a frame that the client never finishes.
	_ = c.net.SetReadDeadline(time.Now().Add(c.s.opts.Close))
	if c.leave == nil && !c.dead {
		c.leave = c.reason(err)
	}
	c.code = wire.CloseCode(websocket.StatusAbnormalClosure)
	if c.leave != nil {
		c.code = c.leave.Code
	} else if code := websocket.CloseStatus(err); code >= 3000 {
		c.code = wire.CloseNormal // of the client's own: they must not make any number of metric labels
	} else if code > 0 {
		c.code = wire.CloseCode(code)
	}
	return c.leave
}

func (c *conn) reason(err error) *actor.CloseError {
	if why, ok := errors.AsType[*actor.CloseError](err); ok {
		return why
	}
	if errors.Is(err, syscall.ETIMEDOUT) && c.until > c.s.opts.Clock.Now() {
		return notReading() // the kernel could not get rid of what a client was sent that was heard all the time
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		if c.session == nil {
			return closeWith(wire.CloseNoHello, "no hello in time")
		}
		return closeWith(wire.CloseNoHeartbeat, "nothing heard for too long: see welcome.heartbeat")
	}
	if c.s.ctx.Err() != nil {
		return stopping()
	}
	return nil
}
