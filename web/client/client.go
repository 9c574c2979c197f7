// Package client is a Roomring client in Go, for bots, tools and tests. It keeps the view, resumes after every loss of its socket, sends
// acts again that have no answer, and checks its copy of the view by the server's checksums, as docs/PROTOCOL.md asks.
//
// A Client has one goroutine that reads its socket and one that writes to it. Close ends both. Any goroutine may call its methods.
package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/room/wire"
)

// Options say which room to join, and as whom.
type Options struct {
	URL      string        // the room's ws_url
	Encoding wire.Encoding // JSON or CBOR
	Token    string        // empty: a guest, whose token from the server is used for later sockets
	Name     string        // of a guest
	Spectate bool
	Code     string // of a private room
	Client   string // id of this run; empty: drawn

	HTTP     *http.Client  // nil: http.DefaultClient
	MaxDelay time.Duration // between attempts to connect, with full jitter; 0 means 10 s
	GiveUp   time.Duration // how long to retry without success; 0 means for ever

	OnEvent func(wire.Event)           // called in order by the goroutine that reads; must not block
	OnView  func(view any, seq uint64) // likewise, after each change; the view must not be changed

	Trace *Trace // nil: nobody watches the sockets
}

// Trace watches what goes over a client's sockets, for those who check servers. A nil function is not called. None may block or call
// the client.
type Trace struct {
	Opening  func(wire.Hello)         // before a socket is opened with this hello
	Sending  func(wire.Act)           // before an act is written, each time that it is
	Received func(wire.ServerMessage) // before a message is applied
	Lost     func(error)              // a socket that was opened, or could not be, has ended
}

// Rejected is the room's refusal of an act.
type Rejected struct {
	Code   string
	Reason string
}

func (r *Rejected) Error() string { return r.Code + ": " + r.Reason }

// Closed says that the server has ended the session for good.
type Closed struct {
	Code   wire.CloseCode
	Reason string
}

func (c *Closed) Error() string { return fmt.Sprintf("closed %d: %s", c.Code, c.Reason) }

// ErrClosed is returned after Close.
var ErrClosed = errors.New("client: closed")

// Stats count what a session went through.
type Stats struct {
	Sockets    int // that were welcomed
	Recovered  int // of these, those that needed no whole view
	States     int // whole views
	Turns      int
	Checks     int // checksums that agreed
	Mismatches int // and that did not
	Lost       uint64
	Resent     int // acts sent more than once
}

// Client is one session in one room.
type Client struct {
	o      Options
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{} // to the writer: there is something to send

	// Of the run goroutine.
	at     string          // the address of the next socket
	moving *moving         // the server asks to connect elsewhere; nil: it does not
	old    *websocket.Conn // from which it moves, until the next one is welcomed; nil: it does not

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change that Wait may wait for
	socket  *websocket.Conn
	token   string
	attempt uint64
	welcome wire.Welcome
	joined  bool
	view    any
	epoch   uint64 // the last one told
	seq     uint64 // of the view
	next    uint64 // cseq of the next act
	pending []*act // without an answer, in order
	over    *wire.Over
	stats   Stats
	resync  bool
	err     error // set once, when the session has ended
}

type act struct {
	cseq uint64
	data json.RawMessage
	done chan error
	seq  uint64
	sent int
}

// Dial joins a room and waits for the first welcome and view. The error is *Closed when the server refuses.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Client == "" {
		o.Client = rand.Text()
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = 10 * time.Second
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Client{o: o, cancel: cancel, done: make(chan struct{}), wake: make(chan struct{}, 1), at: o.URL, changed: make(chan struct{}), token: o.Token, next: 1}
	go c.run(run)
	if err := c.Wait(ctx, func(*Client) bool { return c.joined && (c.view != nil || c.over != nil) }); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the session without giving up the seat, and waits for its goroutines.
func (c *Client) Close() {
	c.cancel()
	<-c.done
}

// Drop breaks the socket, as a bad network would. The client connects again.
func (c *Client) Drop() {
	c.mu.Lock()
	socket := c.socket
	c.mu.Unlock()
	if socket != nil {
		_ = socket.CloseNow()
	}
}

// Act sends an action and waits for its answer, across reconnections. It returns the index at which the action took effect, or a
// *Rejected. It waits before it sends while 32 acts are unanswered.
func (c *Client) Act(ctx context.Context, data any) (uint64, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return 0, err
	}
	a, err := c.enqueue(ctx, raw)
	if err != nil {
		return 0, err
	}
	select {
	case err := <-a.done:
		return a.seq, err
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-c.done:
		return 0, c.Err()
	}
}

const maxUnanswered = 32

func (c *Client) enqueue(ctx context.Context, raw json.RawMessage) (*act, error) {
	for {
		c.mu.Lock()
		if c.err != nil {
			defer c.mu.Unlock()
			return nil, c.err
		}
		if len(c.pending) < maxUnanswered {
			a := &act{cseq: c.next, data: raw, done: make(chan error, 1)}
			c.next++
			c.pending = append(c.pending, a)
			c.mu.Unlock()
			c.wakeWriter()
			return a, nil
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Wait returns nil when ok reports true. It calls ok after every change, under the client's lock: ok must call none of the client's
// methods. It returns an error when the session or ctx ends before.
func (c *Client) Wait(ctx context.Context, ok func(*Client) bool) error {
	for {
		c.mu.Lock()
		good, err, changed := ok(c), c.err, c.changed
		c.mu.Unlock()
		if good {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the room: %w", ctx.Err())
		}
	}
}

// WaitView waits until the view satisfies ok, which must not keep or change it.
func (c *Client) WaitView(ctx context.Context, ok func(view any) bool) error {
	return c.Wait(ctx, func(c *Client) bool { return ok(c.view) })
}

// WaitOver waits for the end of the room and returns it.
func (c *Client) WaitOver(ctx context.Context) (wire.Over, error) {
	if err := c.Wait(ctx, func(c *Client) bool { return c.over != nil }); err != nil {
		return wire.Over{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.over, nil
}

// Over reports whether the room has said that it is over. WaitOver says how.
func (c *Client) Over() bool { return locked(c, func() bool { return c.over != nil }) }

// View decodes the view into v, as encoding/json would.
func (c *Client) View(v any) error {
	c.mu.Lock()
	raw, err := json.Marshal(c.view)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// Welcome is the last welcome.
func (c *Client) Welcome() wire.Welcome { return locked(c, func() wire.Welcome { return c.welcome }) }

// Token makes a later client the same player: it is that of the Options, or the guest's.
func (c *Client) Token() string { return locked(c, func() string { return c.token }) }

// Stats count what the session has gone through.
func (c *Client) Stats() Stats { return locked(c, func() Stats { return c.stats }) }

// Err is why the session has ended, or nil while it goes on.
func (c *Client) Err() error { return locked(c, func() error { return c.err }) }

func locked[T any](c *Client, f func() T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f()
}

// Leave gives up the seat and waits for the server to say so.
func (c *Client) Leave(ctx context.Context) error {
	c.mu.Lock()
	socket := c.socket
	c.mu.Unlock()
	if socket == nil {
		return errors.New("client: not connected")
	}
	if err := c.write(ctx, socket, wire.AppendLeave(nil, c.o.Encoding)); err != nil {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// notify tells those that wait of a change. The caller holds the lock.
func (c *Client) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// wakeWriter tells the writer that there is something to send.
func (c *Client) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
