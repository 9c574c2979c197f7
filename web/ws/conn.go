package ws

import (
	"errors"
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
	ws       *websocket.Conn // reads, and writes control frames alone: see transport
	kernel   syscall.RawConn // of the TCP connection, beneath TLS if there is any; nil when it is no TCP connection
	flusher  *flusher
	progress readProgress // of Sockets.heartbeat

	// Of the goroutine that reads.
	early                 []byte // what the HTTP server has read beyond the request
	messages              allowance
	bytes                 allowance
	floor, ofAddr, ofRoom allowance     // see Options.Floor; ofRoom is empty before hello
	session               actor.Session // nil before hello

	expires   atomic.Int64 // when its token does, in seconds since 1970; 0: it has none
	queued    atomic.Bool  // waits for its flusher
	lastWrite atomic.Int64 // when something was last written, as Sockets.now counts; the largest: nothing yet

	mu       sync.Mutex
	out      *actor.Outbox     // nil before hello
	stop     *actor.CloseError // why to stop reading; the first counts
	reading  bool              // false once the reader has stopped for whatever reason
	silentAt time.Duration     // by the clock, when the client has said nothing for too long
	pending  []byte            // frames that are not from the outbox: they go first
	sealed   bool              // the close frame is queued: nothing goes after it
	writing  bool              // a goroutine of its own is writing
	broken   bool              // nothing can be written any more
	closing  bool              // the connection is to be closed when all is written
	lingers  bool              // but not before the client has had time to read why
	closed   bool              // the connection is closed

	readerDone bool           // the reader has ended
	code       wire.CloseCode // why, for the meter
	forgotten  bool           // Sockets has forgotten the socket
}

// How many bytes of pending frames may wait when one more is to be queued. See also Options.pongs.
const (
	always  = math.MaxInt
	unasked = 4 << 10 // for a frame that the client has not asked for
)

// pongs is that for a pong: there is room for the pongs of a whole burst, of at most 160 bytes each.
func (o *Options) pongs() int { return max(64<<10, 160*o.Rate.Burst) }

// awaitHello waits for the hello. The rest of the socket's life runs on a new goroutine, whose stack is small.
func (c *conn) awaitHello() {
	c.mu.Lock()
	c.reading = true
	var err error
	if c.stop != nil {
		err = c.stop
	}
	c.mu.Unlock()
	for err == nil && c.session == nil {
		err = c.receive()
	}
	if err != nil {
		c.finish(err)
		return
	}
	c.s.conns.Go(c.readLoop)
}

func (c *conn) readLoop() {
	var err error
	for err == nil {
		err = c.receive()
	}
	c.finish(err)
}

// disconnect has the reader stop and close the socket. Only the first reason counts.
func (c *conn) disconnect(why *actor.CloseError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		return
	}
	c.stop = why
	if c.reading {
		_ = c.net.SetReadDeadline(time.Unix(1, 0))
	}
}

// finish ends the session and closes the socket. It tells the client why if the client can still be told.
func (c *conn) finish(err error) {
	why := c.stopReason(err)
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
		c.lingers = true
		c.mu.Unlock()
		defer c.linger()
	}
	_ = c.ws.Close(websocket.StatusCode(why.Code), wire.CloseReason(why.Reason)) // waits for the client's close frame, for opts.Close at most
}

// stopReason is why the reader has stopped; nil when the client went by itself.
func (c *conn) stopReason(err error) *actor.CloseError {
	defer c.schedule() // the connection may be closed already
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading, c.readerDone = false, true
	// This bounds the close handshake. The library's own deadline does not cover the rest of a frame that the client never finishes.
	_ = c.net.SetReadDeadline(time.Now().Add(c.s.opts.Close))
	if c.stop == nil && !c.broken {
		c.stop = c.reason(err)
	}
	c.code = wire.CloseCode(websocket.StatusAbnormalClosure)
	if c.stop != nil {
		c.code = c.stop.Code
	} else if code := websocket.CloseStatus(err); code >= 3000 {
		c.code = wire.CloseNormal // codes of the client's own would make any number of metric labels
	} else if code > 0 {
		c.code = wire.CloseCode(code)
	}
	return c.stop
}

func (c *conn) reason(err error) *actor.CloseError {
	if why, ok := errors.AsType[*actor.CloseError](err); ok {
		return why
	}
	if errors.Is(err, syscall.ETIMEDOUT) && c.silentAt > c.s.opts.Clock.Now() {
		return closeNotReading() // the kernel could not deliver to a client that was heard all the time
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		if c.session == nil {
			return closeWith(wire.CloseNoHello, "no hello in time")
		}
		return closeWith(wire.CloseNoHeartbeat, "nothing heard for too long: see welcome.heartbeat")
	}
	if c.s.ctx.Err() != nil {
		return closeStopping()
	}
	return nil
}
