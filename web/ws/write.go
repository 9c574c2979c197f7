package ws

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// transport is the connection that the WebSocket library gets. Reads go through. The control frames that it writes are queued like
// everything else, so that one flusher alone writes to a socket and nobody waits for a slow one.
type transport conn

func (t *transport) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		if t.early = t.early[n:]; len(t.early) == 0 {
			t.early = nil
		}
		return n, nil
	}
	for {
		n, err := t.net.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !(*conn)(t).extendSilence() {
			return n, err
		}
	}
}

const opClose = 8 // RFC 6455, section 5.2

// Write takes one whole frame: the library's buffer holds any control frame and is flushed after each. A close whose reason is not
// UTF-8 is answered with 1007 (RFC 6455, section 8.1).
func (t *transport) Write(p []byte) (int, error) {
	c, size := (*conn)(t), len(p)
	if p[0]&0xf == opClose {
		if len(p) > 4 && !utf8.Valid(p[4:]) { // the client's own reason, which the library repeats
			p = []byte{p[0], 2, byte(websocket.StatusInvalidFramePayloadData >> 8), byte(websocket.StatusInvalidFramePayloadData & 0xff)}
		}
		c.enqueue(p, always)
	} else {
		c.answer(p)
	}
	return size, nil
}

// Close closes the connection when all that is queued is written.
func (t *transport) Close() error {
	c := (*conn)(t)
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.schedule()
	return nil
}

func (t *transport) LocalAddr() net.Addr                 { return t.net.LocalAddr() }
func (t *transport) RemoteAddr() net.Addr                { return t.net.RemoteAddr() }
func (t *transport) SetDeadline(at time.Time) error      { return t.net.SetDeadline(at) }
func (t *transport) SetReadDeadline(at time.Time) error  { return t.net.SetReadDeadline(at) }
func (t *transport) SetWriteDeadline(at time.Time) error { return t.net.SetWriteDeadline(at) }

// frameHead is room for the largest head of a server's frame.
const frameHead = 10

// framed turns frameHead bytes and a message behind them into a WebSocket frame (RFC 6455, section 5.2: final, unmasked). The frame
// ends where b ends, and begins where its head needs.
func framed(b []byte, e wire.Encoding) []byte {
	first, n := byte(0x81), len(b)-frameHead // text
	if e == wire.CBOR {
		first = 0x82
	}
	switch {
	case n < 126:
		b = b[frameHead-2:]
		b[1] = byte(n)
	case n <= 0xffff:
		b = b[frameHead-4:]
		b[1] = 126
		binary.BigEndian.PutUint16(b[2:], uint16(n))
	default:
		b[1] = 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
	}
	b[0] = first
	return b
}

// enqueue queues a frame that is not from the outbox. It reports false when more than most bytes of such frames would wait. What cannot
// be sent any more counts as queued.
func (c *conn) enqueue(frame []byte, most int) bool {
	c.mu.Lock()
	over := c.sealed || c.broken
	room := len(c.pending)+len(frame) <= most
	if !over && room {
		c.pending = append(c.pending, frame...)
		c.sealed = frame[0]&0xf == opClose
	}
	c.mu.Unlock()
	if !over && room {
		c.schedule()
	}
	return over || room
}

// schedule queues the socket at its flusher, unless it is queued already.
func (c *conn) schedule() {
	if !c.queued.Swap(true) {
		c.flusher.push(c)
	}
}

// collect appends what is to be written to dst: pending frames, then messages of the outbox, joined into one WebSocket message. It
// returns how many messages of the outbox that is. The flusher alone calls it.
func (c *conn) collect(dst []byte) ([]byte, int) {
	c.mu.Lock()
	out := c.out
	if c.sealed || c.closing || c.broken {
		out = nil
	}
	if c.writing || c.broken || c.closed {
		c.mu.Unlock()
		c.checkEnd(out)
		return dst, 0
	}
	dst = append(dst, c.pending...)
	c.pending = nil
	c.mu.Unlock()
	if out == nil {
		return dst, 0
	}
	own := len(dst)
	dst = append(dst, make([]byte, frameHead)...)
	dst, n := out.Take(dst, c.s.opts.JoinBytes)
	if n == 0 {
		c.checkEnd(out)
		return dst[:own], 0
	}
	frame := framed(dst[own:], c.encoding)
	return append(dst[:own], frame...), n // moves the frame up where its head is short
}

// checkEnd has the reader stop when the room has ended the session and all that it sent is written.
func (c *conn) checkEnd(out *actor.Outbox) {
	if out == nil {
		return
	}
	if why, ended := out.End(); ended && why != nil {
		c.disconnect(why)
	}
}

// writeBlocking writes to a socket whose kernel buffer is full, on a goroutine of its own. After one timeout the client is disconnected;
// after two it gives up.
func (c *conn) writeBlocking(rest []byte) {
	err := error(nil)
	for try := 0; try < 2 && len(rest) > 0; try++ {
		if rest, err = c.writeUntil(rest, c.s.opts.Clock.Now()+c.s.opts.WriteTimeout); !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		c.disconnect(closeNotReading())
	}
	_ = c.net.SetWriteDeadline(time.Time{})
	c.mu.Lock()
	c.writing = false
	c.mu.Unlock()
	if err != nil {
		c.fail()
	}
	c.schedule()
}

// writeBehind gives the rest of a write to a goroutine of its own.
func (c *conn) writeBehind(rest []byte) {
	c.mu.Lock()
	c.writing = true
	c.mu.Unlock()
	rest = bytes.Clone(rest)
	c.s.conns.Go(func() { c.writeBlocking(rest) })
}

// fail notes that nothing can be written any more, and has the reader stop.
func (c *conn) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = true
	c.pending = nil
	_ = c.net.SetReadDeadline(time.Unix(1, 0))
}

// closeIfDone closes the connection when it is to be closed and all is written, and lets go of it when the reader has ended too.
func (c *conn) closeIfDone() {
	c.mu.Lock()
	shut := c.closing && !c.lingers && !c.closed && !c.writing && len(c.pending) == 0
	c.closed = c.closed || shut
	gone := c.closed && c.readerDone && !c.forgotten
	c.forgotten = c.forgotten || gone
	c.mu.Unlock()
	if shut {
		_ = c.net.Close()
	}
	if gone {
		c.s.forget(c)
	}
}
