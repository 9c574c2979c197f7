package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// settled is how long a socket must have lived for its loss to be a first one, which is made up for at once: a
// server that welcomes and drops is not hammered.
const settled = time.Second

// run connects until the session ends: the client's one long goroutine.
func (c *Client) run(ctx context.Context) {
	defer close(c.done)
	var lastGood time.Time
	for n := 0; ; n++ {
		before, began := c.Stats().Sockets, time.Now()
		err := c.connect(ctx)
		if c.Stats().Sockets > before {
			lastGood = time.Now()
			if lastGood.Sub(began) > settled {
				n = 0
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
		if n == 0 {
			continue // at once after the first loss
		}
		limit := min(c.o.MaxDelay, 250*time.Millisecond<<min(n, 10))
		select {
		case <-time.After(rand.N(limit)):
		case <-ctx.Done():
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
	c.told()
}

// connect opens one socket and reads it until it ends. The error is *Closed when there is no coming back.
func (c *Client) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sub := []string{wire.SubprotocolJSON, wire.SubprotocolCBOR}[c.o.Encoding]
	dial, stop := context.WithTimeout(ctx, 10*time.Second)
	ws, resp, err := websocket.Dial(dial, c.at, &websocket.DialOptions{HTTPClient: c.o.HTTP, Subprotocols: []string{sub}})
	stop()
	if err != nil {
		c.at = c.o.URL // where a move led may be gone again
		if resp != nil && resp.StatusCode == 404 {
			return &Closed{wire.CloseNoRoom, "no such room"}
		}
		return err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(64 << 20)
	if err := c.write(ctx, ws, wire.AppendHello(nil, c.o.Encoding, c.hello())); err != nil {
		return err
	}
	var w writer
	err = c.read(ctx, ws, &w)
	cancel() // a write under way is for nobody now
	w.end()
	c.mu.Lock()
	c.socket = nil
	c.mu.Unlock()
	code := wire.CloseCode(websocket.CloseStatus(err))
	if closed, ok := errors.AsType[websocket.CloseError](err); ok && (code == wire.CloseNormal || code >= 4400 && code < 4500) {
		return &Closed{code, closed.Reason}
	}
	return err
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
		h.Resume = &wire.Resume{Epoch: c.welcome.Epoch, Seq: c.seq}
	}
	return h
}

// writer is the writing goroutine of one welcome. It is stopped between two writes: one that is cut short costs the socket.
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

func (c *Client) read(ctx context.Context, ws *websocket.Conn, writer *writer) error {
	patience := 30 * time.Second
	for {
		readCtx, cancel := context.WithTimeout(ctx, patience)
		_, msg, err := ws.Read(readCtx)
		cancel()
		if err != nil {
			return err
		}
		for m, err := range wire.DecodeServer(c.o.Encoding, msg) {
			if err != nil {
				return err
			}
			if w, ok := m.(wire.Welcome); ok {
				heartbeat := time.Duration(w.Heartbeat) * time.Millisecond
				patience = heartbeat * 5 / 2
				writer.end() // a second welcome on one socket: everything without an answer is sent again
				c.welcomed(w, ws)
				writer.begin(func(stop <-chan struct{}) { c.writeAll(ctx, ws, heartbeat/2, stop) })
				continue
			}
			if to, ok := m.(wire.Move); ok {
				return c.move(to)
			}
			if err := c.take(m); err != nil {
				return err
			}
		}
	}
}

// errMove ends a socket whose server has asked the client to connect elsewhere.
var errMove = errors.New("client: the server asks to connect elsewhere")

// move gives the socket up at once, and what has no answer is sent again on the next. A client that is for people keeps
// the old one until the new one is welcomed; bots and tools need not.
func (c *Client) move(m wire.Move) error {
	if m.URL == "" {
		return errMove
	}
	base, err := url.Parse(c.o.URL)
	if err != nil {
		return err
	}
	to, err := base.Parse(m.URL)
	if err != nil {
		return fmt.Errorf("client: the server names %q to move to: %w", m.URL, err)
	}
	c.at = to.String()
	return errMove
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
	c.welcome, c.joined, c.socket = w, true, ws
	c.count(w.CSeq)
	c.told()
}

// count numbers the acts by what the room has applied. It is binding also when it is less than what was
// answered: the room has lost that, and said so, and the acts without an answer count on from it.
func (c *Client) count(applied uint64) {
	if len(c.pending) > 0 && c.pending[0].cseq <= applied+1 {
		return // what is applied is answered again
	}
	c.next = applied + 1
	for _, a := range c.pending {
		a.cseq = c.next
		c.next++
	}
}

// writeAll sends what has no answer, in order, and pings while there is nothing to say.
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

// take applies one message of the server's.
func (c *Client) take(m wire.ServerMessage) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.told()
	switch m := m.(type) {
	case wire.State:
		c.stats.States++
		c.stats.Lost += m.Lost
		c.view, err = c.decode(m.View)
		c.viewed(m.Seq, m.Check)
	case wire.Turn:
		c.stats.Turns++
		if len(m.Patch) > 0 {
			var patch any
			patch, err = c.decode(m.Patch)
			c.view = view.Patch(c.view, patch)
		}
		c.viewed(m.Seq, m.Check)
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

// viewed notes what the view shows. Only this may be resumed from: an answer may be ahead of turns that a slow
// reader was spared.
func (c *Client) viewed(seq uint64, check *uint32) {
	c.seq = seq
	if check != nil {
		b, err := view.AppendCanonical(nil, c.view)
		if err == nil && crc32.ChecksumIEEE(b) == *check {
			c.stats.Checks++
		} else {
			c.stats.Mismatches++
			c.resync = true
			c.poke()
		}
	}
	if c.o.OnView != nil {
		c.o.OnView(c.view, seq)
	}
}

func (c *Client) answered(cseq, seq uint64, err error) {
	i := slices.IndexFunc(c.pending, func(a *act) bool { return a.cseq == cseq })
	if i < 0 {
		return // answered before the last reconnection
	}
	a := c.pending[i]
	c.pending = slices.Delete(c.pending, i, i+1)
	a.seq = seq
	a.done <- err
}
