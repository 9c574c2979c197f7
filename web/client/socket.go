package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// stable is how long a socket must have lived for the client to connect again at once when it is lost. A server that welcomes and
// drops clients is not stormed.
const stable = time.Second

// run connects until the session ends: the client's one long goroutine.
func (c *Client) run(ctx context.Context) {
	defer close(c.done)
	defer func() {
		if ws := c.moved(); ws != nil {
			_ = ws.CloseNow()
		}
		c.leave()
	}()
	var lastGood time.Time
	backoff := clock.Backoff{Min: 500 * time.Millisecond, Max: c.o.MaxDelay}
	for first := true; ; first = false {
		before, began := c.Stats().Sockets, time.Now()
		err := c.connect(ctx)
		if c.o.Trace != nil && c.o.Trace.Lost != nil {
			c.o.Trace.Lost(err)
		}
		if c.Stats().Sockets > before {
			lastGood = time.Now()
			if lastGood.Sub(began) > stable {
				first = true
				backoff.Reset()
			}
		}
		switch final, ok := errors.AsType[*Closed](err); {
		case ctx.Err() != nil:
			c.end(ErrClosed)
			return
		case ok:
			c.end(final)
			return
		case c.o.GiveUp > 0 && !lastGood.IsZero() && time.Since(lastGood) > c.o.GiveUp:
			c.end(err)
			return
		}
		if !first { // the first time it connects again at once
			clock.Sleep(ctx, nil, backoff.Next())
		}
	}
}

func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	for _, a := range c.pending {
		a.done <- err
	}
	c.pending = nil
	c.notify()
}

// connect opens one socket and reads it until it ends. The error is *Closed when the client must not come back.
func (c *Client) connect(ctx context.Context) error {
	life := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ws, err := c.open(ctx)
	if err != nil {
		return err
	}
	hello := c.hello()
	if c.o.Trace != nil && c.o.Trace.Opening != nil {
		c.o.Trace.Opening(hello)
	}
	if err := c.write(ctx, ws, wire.AppendHello(nil, c.o.Encoding, hello)); err != nil {
		_ = ws.CloseNow()
		return err
	}
	var w writer
	err = c.read(ctx, life, ws, &w)
	cancel() // a write under way is for nobody any more
	w.end()
	c.leave()
	if c.old = ws; err != errMove {
		c.leave()
	}
	c.mu.Lock()
	c.socket = nil
	c.mu.Unlock()
	code := wire.CloseCode(websocket.CloseStatus(err))
	if closed, ok := errors.AsType[websocket.CloseError](err); ok && (code == wire.CloseNormal || code >= 4400 && code < 4500) {
		return &Closed{code, closed.Reason}
	}
	return err
}

// open returns the socket that a move has opened, or opens one.
func (c *Client) open(ctx context.Context) (*websocket.Conn, error) {
	if ws := c.moved(); ws != nil {
		return ws, nil
	}
	ws, resp, err := c.dial(ctx, c.at)
	if err != nil {
		c.at = c.o.URL // the server that a move led to may be gone
		if resp != nil && resp.StatusCode == 404 {
			return nil, &Closed{wire.CloseNoRoom, "no such room"}
		}
	}
	return ws, err
}

func (c *Client) dial(ctx context.Context, at string) (*websocket.Conn, *http.Response, error) {
	sub := []string{wire.SubprotocolJSON, wire.SubprotocolCBOR}[c.o.Encoding]
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPClient: c.o.HTTP, Subprotocols: []string{sub}})
	if err == nil {
		ws.SetReadLimit(64 << 20)
	}
	return ws, resp, err
}

// moving is a socket that is opened while another goes on.
type moving struct {
	ws     *websocket.Conn // nil: it could not be opened
	opened chan struct{}
	taken  chan struct{}
}

// moved is the socket that a move has opened; nil: there is none.
func (c *Client) moved() *websocket.Conn {
	m := c.moving
	if m == nil {
		return nil
	}
	c.moving = nil
	close(m.taken)
	if <-m.opened; m.ws == nil {
		c.at = c.o.URL
	}
	return m.ws
}

// leave closes the socket that the client has moved from.
func (c *Client) leave() {
	if c.old != nil {
		_ = c.old.CloseNow()
		c.old = nil
	}
}

func (c *Client) hello() wire.Hello {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempt++
	h := wire.Hello{Token: c.token, Name: c.o.Name, Client: c.o.Client, Attempt: c.attempt, Code: c.o.Code}
	if c.o.Spectate {
		h.As = wire.AsSpectator
	}
	if c.joined && c.view != nil {
		h.Resume = &wire.Resume{Epoch: c.epoch, Seq: c.seq}
	}
	return h
}

// writer is the goroutine that writes after one welcome. It is stopped between two writes: a write that is cut short costs the socket.
type writer struct {
	stop chan struct{}
	wg   sync.WaitGroup
}

func (w *writer) begin(write func(stop <-chan struct{})) {
	stop := make(chan struct{})
	w.stop = stop
	w.wg.Go(func() { write(stop) })
}

func (w *writer) end() {
	if w.stop != nil {
		close(w.stop)
		w.stop = nil
	}
	w.wg.Wait()
}

// read reads a socket until it ends, or another is to take its place. Life is the client's.
func (c *Client) read(ctx, life context.Context, ws *websocket.Conn, writer *writer) error {
	silence := 30 * time.Second // how long the server may send nothing
	for {
		readCtx, cancel := context.WithTimeout(ctx, silence)
		_, msg, err := ws.Read(readCtx)
		cancel()
		if err != nil {
			return err
		}
		moves := c.moving.isOpen()
		for m, err := range wire.DecodeServer(c.o.Encoding, msg) {
			if err != nil {
				return err
			}
			if c.o.Trace != nil && c.o.Trace.Received != nil {
				c.o.Trace.Received(m)
			}
			if w, ok := m.(wire.Welcome); ok {
				heartbeat := time.Duration(w.Heartbeat) * time.Millisecond
				silence = heartbeat * 5 / 2
				writer.end() // after another welcome all that has no answer is sent again
				c.welcomed(w, ws)
				c.leave()
				writer.begin(func(stop <-chan struct{}) { c.writeAll(ctx, ws, heartbeat/2, stop) })
				continue
			}
			if to, ok := m.(wire.Move); ok {
				if err := c.move(life, ws, to); err != nil {
					return err
				}
				continue
			}
			if err := c.apply(m); err != nil {
				return err
			}
		}
		if moves {
			return errMove
		}
	}
}

// errMove ends a socket whose server has asked the client to connect elsewhere.
var errMove = errors.New("client: the server asks to connect elsewhere")

// move opens the next socket while this one goes on. Then read returns, what has no answer is sent again on the next, and this one is closed
// when that is welcomed.
func (c *Client) move(life context.Context, ws *websocket.Conn, m wire.Move) error {
	if c.moving != nil {
		return nil
	}
	if m.URL != "" {
		base, err := url.Parse(c.o.URL)
		if err != nil {
			return err
		}
		to, err := base.Parse(m.URL)
		if err != nil {
			return fmt.Errorf("client: the server names %q to move to: %w", m.URL, err)
		}
		c.at = to.String()
	}
	next := &moving{opened: make(chan struct{}), taken: make(chan struct{})}
	c.moving = next
	go next.open(life, c, ws, c.at) // moved waits for it
	return nil
}

// pongWait is how long the old socket may take to read something when the next one is open. Then it is closed.
const pongWait = 250 * time.Millisecond

// open opens the socket, and has the old one read something, so that its reader finds the new one.
func (m *moving) open(ctx context.Context, c *Client, old *websocket.Conn, at string) {
	m.ws, _, _ = c.dial(ctx, at)
	close(m.opened)
	_ = c.write(ctx, old, wire.AppendPing(nil, c.o.Encoding, wire.Ping{}))
	select {
	case <-m.taken:
	case <-time.After(pongWait):
		_ = old.CloseNow()
	}
}

// isOpen reports whether the socket is open, or could not be opened. M may be nil.
func (m *moving) isOpen() bool {
	if m == nil {
		return false
	}
	select {
	case <-m.opened:
		return true
	default:
		return false
	}
}

func (c *Client) welcomed(w wire.Welcome, ws *websocket.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !w.Recovered {
		c.view = nil
	} else {
		c.stats.Recovered++
	}
	if w.Token != "" {
		c.token = w.Token
	}
	c.stats.Sockets++
	c.welcome, c.joined, c.socket, c.epoch = w, true, ws, w.Epoch
	c.count(w.CSeq)
	c.notify()
}

// count numbers the acts on from what the room has applied. That may be less than what was answered: then the room has lost acts, and
// said so.
func (c *Client) count(applied uint64) {
	if len(c.pending) > 0 && c.pending[0].cseq <= applied+1 {
		return // the room answers again what it has applied
	}
	c.next = applied + 1
	for _, a := range c.pending {
		a.cseq = c.next
		c.next++
	}
}

// writeAll sends what has no answer, in order, and pings while there is nothing to send.
func (c *Client) writeAll(ctx context.Context, ws *websocket.Conn, every time.Duration, stop <-chan struct{}) {
	beat := time.NewTicker(every)
	defer beat.Stop()
	var sent uint64
	for {
		msg := c.unsent(&sent)
		if len(msg) > 0 && c.write(ctx, ws, msg) != nil {
			return
		}
		select {
		case <-c.wake:
		case <-beat.C:
			if c.write(ctx, ws, wire.AppendPing(nil, c.o.Encoding, wire.Ping{})) != nil {
				return
			}
		case <-stop:
			return
		}
	}
}

func (c *Client) unsent(sent *uint64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var msg []byte
	add := func() {
		if len(msg) > 0 && c.o.Encoding == wire.JSON {
			msg = append(msg, '\n')
		}
	}
	for _, a := range c.pending {
		if a.cseq <= *sent {
			continue
		}
		add()
		if c.o.Trace != nil && c.o.Trace.Sending != nil {
			c.o.Trace.Sending(wire.Act{CSeq: a.cseq, Data: a.data})
		}
		msg = wire.AppendAct(msg, c.o.Encoding, wire.Act{CSeq: a.cseq, Data: a.data})
		*sent = a.cseq
		if a.sent++; a.sent > 1 {
			c.stats.Resent++
		}
	}
	if c.resync {
		add()
		msg = wire.AppendResync(msg, c.o.Encoding)
		c.resync = false
	}
	return msg
}

func (c *Client) write(ctx context.Context, ws *websocket.Conn, msg []byte) error {
	kind := websocket.MessageText
	if c.o.Encoding == wire.CBOR {
		kind = websocket.MessageBinary
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return ws.Write(ctx, kind, msg)
}

// apply applies one message of the server.
func (c *Client) apply(m wire.ServerMessage) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.notify()
	switch m := m.(type) {
	case wire.State:
		c.stats.States++
		c.stats.Lost += m.Lost
		c.view, err = c.decode(m.View)
		c.viewed(m.Epoch, m.Seq, m.Check)
	case wire.Turn:
		c.stats.Turns++
		if len(m.Patch) > 0 {
			var patch any
			patch, err = c.decode(m.Patch)
			c.view = view.Patch(c.view, patch)
		}
		c.viewed(m.Epoch, m.Seq, m.Check)
		for _, e := range m.Events {
			if c.o.OnEvent != nil {
				c.o.OnEvent(e)
			}
		}
	case wire.Ack:
		c.answered(m.CSeq, m.Seq, nil)
	case wire.Reject:
		c.answered(m.CSeq, m.Seq, &Rejected{m.Code, m.Reason})
	case wire.Over:
		c.over = &m
	}
	return err
}

func (c *Client) decode(raw []byte) (v any, err error) {
	if raw, err = wire.ToJSON(c.o.Encoding, raw); err == nil {
		err = json.Unmarshal(raw, &v)
	}
	return v, err
}

// viewed notes the index of the view, and the epoch if the message tells one. The client resumes from it alone: an answer may be ahead of turns that a slow reader did not get.
func (c *Client) viewed(epoch, seq uint64, check *uint32) {
	c.epoch, c.seq = cmp.Or(epoch, c.epoch), seq
	if check != nil {
		b, err := view.AppendCanonical(nil, c.view)
		if err == nil && crc32.ChecksumIEEE(b) == *check {
			c.stats.Checks++
		} else {
			c.stats.Mismatches++
			c.resync = true
			c.wakeWriter()
		}
	}
	if c.o.OnView != nil {
		c.o.OnView(c.view, seq)
	}
}

func (c *Client) answered(cseq, seq uint64, err error) {
	i := slices.IndexFunc(c.pending, func(a *act) bool { return a.cseq == cseq })
	if i < 0 {
		return // answered before the client reconnected
	}
	a := c.pending[i]
	c.pending = slices.Delete(c.pending, i, i+1)
	a.seq = seq
	a.done <- err
}
