package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// buffers hold messages while they are read and handled. A socket that waits for a message holds none.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1<<10)) }}

// receive reads one WebSocket message and handles what is in it.
func (c *conn) receive() error {
	kind, r, err := c.ws.Reader(context.Background()) // bounded by the read deadline alone
	if err != nil {
		return err
	}
	if (kind == websocket.MessageBinary) != (c.encoding == wire.CBOR) {
		return closeWith(wire.CloseBadMessage, "JSON goes in text messages, CBOR in binary ones")
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if *buf, err = c.readAll(r, (*buf)[:0]); err != nil {
		return err
	}
	c.heard()
	return c.handleAll(*buf)
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
		return c.exceeded("--bytes-per-second", "too many bytes: see welcome.limits.bytes")
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
			return c.exceeded("--messages-per-second", "too many messages: see welcome.limits.rate")
		}
		if err := c.handle(m); err != nil {
			return err
		}
		n++
	}
	c.s.opts.Meter.SocketRead(n, len(msg))
	return nil
}

// share counts a message beyond the socket's floor against what its address and its room may send.
func (c *conn) share(bytes int) error {
	switch {
	case c.floor.allow(bytes):
		return nil
	case !c.ofAddr.allow(bytes):
		return c.exceeded(c.s.ofAddr.Setting, "too many bytes from your address")
	case c.ofRoom.limiter != nil && !c.ofRoom.allow(bytes):
		return c.exceeded(c.s.ofRoom.Setting, "too many bytes into this room")
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
		err = c.act(wire.Act{CSeq: m.CSeq, Data: bytes.Clone(m.Data), Fault: m.Fault}) // the buffer is used again
	case wire.Ping:
		c.answer(c.pong(m))
	case wire.Resync:
		err = c.session.Resync(c.s.ctx)
	case wire.Leave:
		err = c.session.Leave(c.s.ctx)
	}
	if errors.Is(err, actor.ErrEnded) {
		return nil // the outbox holds the reason, in its place
	}
	return err
}

// act hands an act to the room, within a span if acts are traced.
func (c *conn) act(act wire.Act) error {
	if c.s.opts.Tracer == nil {
		return c.session.Act(c.s.ctx, act)
	}
	ctx, span := c.s.opts.Tracer.Start(c.s.ctx, "act", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(actor.TraceRoom.String(string(c.id))))
	defer span.End()
	act.Trace = actor.TraceOf(ctx)
	return c.session.Act(c.s.ctx, act)
}

// pong is the frame that answers a ping, or shows that a silent connection is alive.
func (c *conn) pong(p wire.Ping) []byte {
	var frame [frameHead]byte
	return framed(wire.AppendPong(frame[:], c.encoding, wire.Pong{Echo: p.Echo, Time: time.Now().UnixMilli()}), c.encoding)
}

// answer queues a pong. A client for which too many wait has sent more than a burst of pings, or does not read.
func (c *conn) answer(pong []byte) {
	if c.enqueue(pong, c.s.opts.pongs()) {
		return
	}
	c.mu.Lock()
	behind := c.writing
	c.mu.Unlock()
	if behind {
		c.disconnect(closeNotReading())
		return
	}
	c.disconnect(closeWith(wire.CloseTooMany, "too many pings at once: see welcome.limits.rate"))
}

func closeNotReading() *actor.CloseError {
	return closeWith(wire.CloseTooSlow, "this connection does not read what it is sent: reconnect")
}

// onPing has the library answer a WebSocket ping.
func (c *conn) onPing(context.Context, []byte) bool {
	c.heard()
	if !c.messages.allow(1) {
		c.disconnect(c.exceeded("--messages-per-second", "too many pings"))
		return false
	}
	return true
}

func (c *conn) onPong(context.Context, []byte) { c.heard() }

// exceeded counts a refusal for a limit, whose setting the log names, and returns the close for it.
func (c *conn) exceeded(setting, reason string) *actor.CloseError {
	now := time.Now()
	c.s.limitLog.Refused(setting, c.addr, now)
	c.s.opts.Refusals.Spend(c.addr, now)
	return closeWith(wire.CloseTooMany, reason)
}

// heard restarts the time that the client may be silent. Before hello it does nothing: the hello must come in time.
func (c *conn) heard() {
	if c.session != nil {
		c.allowSilence(c.s.opts.silence())
	}
}
