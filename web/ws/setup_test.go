package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/ws"
)

const (
	wsRoom  room.ID = "gamegamegamegame"
	wsOver  room.ID = "verververververv"
	wsAway  room.ID = "awayawayawayaway"
	wsFull  room.ID = "fffffffffffffffg"
	wsEmpty room.ID = "nnnnnnnnnnnnnnnn"
)

// hall is a room that answers every act with an ack, and sends its data to everybody. It has no rules, so that the tests depend on the
// sockets alone.
type hall struct {
	mu      sync.Mutex
	seq     uint64
	members map[*member]bool
	hellos  []actor.Hello
	left    int
	block   chan struct{} // not nil: Attach waits for it
}

type member struct {
	h      *hall
	out    *actor.Outbox
	feed   *actor.Feed
	player room.PlayerID
}

func (h *hall) Info(_ context.Context, id room.ID) (actor.Info, error) {
	if id == wsEmpty {
		return actor.Info{}, actor.ErrNotFound
	}
	return actor.Info{ID: id, Game: "hall"}, nil
}

func (h *hall) Attach(ctx context.Context, id room.ID, hello actor.Hello, out *actor.Outbox) (actor.Session, error) {
	if h.block != nil {
		select {
		case <-h.block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	switch id {
	case wsEmpty:
		return nil, actor.ErrNotFound
	case wsAway:
		return nil, fmt.Errorf("dial tcp 10.0.0.5:7779: %w", actor.ErrUnreachable)
	case wsFull:
		return nil, &room.Refusal{Code: "full", Reason: strings.Repeat("the room is full ü ", 20)}
	case wsOver:
		return nil, &actor.CloseError{Code: wire.CloseOver, Reason: "the room is over", Over: &wire.Over{Seq: 9, End: "finished", Result: json.RawMessage(`{"reason":"checkmate"}`)}}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := &member{h: h, out: out, player: hello.Player}
	m.feed = actor.NewFeed(out)
	m.feed.Deliver(&actor.Bindings{Refill: func() { go m.view() }, Stuck: func() {
		m.feed.Deliver(&actor.End{Why: &actor.CloseError{Code: wire.CloseTooSlow, Reason: "too slow"}, Discard: true})
	}})
	h.hellos = append(h.hellos, hello)
	h.members[m] = true
	m.feed.Deliver(&actor.Say{Frame: wire.AppendWelcome(nil, out.Encoding(), wire.Welcome{
		Room: string(id), Game: "hall", Player: string(hello.Player), Epoch: 1, Seq: h.seq,
		Heartbeat: uint64(hello.Heartbeat.Milliseconds()), Limits: hello.Limits, Token: hello.Token,
	})})
	return m, nil
}

func (m *member) view() {
	m.feed.Deliver(&actor.View{Seq: 1, Encode: func(lost uint64) []byte {
		return wire.AppendState(nil, m.out.Encoding(), wire.State{View: m.encode(`{}`), Lost: lost})
	}})
}

func (m *member) encode(js string) []byte {
	if m.out.Encoding() == wire.JSON {
		return []byte(js)
	}
	b, _ := wire.AppendCBORFromJSON(nil, []byte(js))
	return b
}

func (m *member) Act(_ context.Context, act wire.Act) error {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	if !m.h.members[m] {
		return actor.ErrEnded
	}
	m.h.say(act.Data)
	m.feed.Deliver(&actor.Say{Frame: wire.AppendAck(nil, m.out.Encoding(), wire.Ack{CSeq: act.CSeq, Seq: m.h.seq})})
	return nil
}

// say sends data to everybody. The caller holds the lock.
func (h *hall) say(data json.RawMessage) {
	h.seq++
	var frames [2][]byte
	for m := range h.members {
		e := m.out.Encoding()
		if frames[e] == nil {
			frames[e] = wire.AppendTurn(nil, e, &wire.Turn{Seq: h.seq, Events: []wire.Event{{Name: "said", Data: data}}})
		}
		m.feed.Deliver(&actor.Say{Frame: frames[e], Fate: actor.Drop, Events: 1})
	}
}

func (m *member) Resync(context.Context) error { m.view(); return nil }

func (m *member) Leave(context.Context) error {
	m.feed.Deliver(&actor.End{Why: &actor.CloseError{Code: wire.CloseNormal, Reason: "left"}})
	return nil
}

func (m *member) Detach() {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	if m.h.members[m] {
		delete(m.h.members, m)
		m.h.left++
	}
}

func (h *hall) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.members)
}

// endpoint is a server of sockets alone, on a real port.
type endpoint struct {
	hall    *hall
	sockets *ws.Sockets
	server  *httptest.Server
	auth    *auth.Authenticator
	meter   *wsMeter
}

func newEndpoint(t testing.TB, change func(*ws.Options)) *endpoint {
	t.Helper()
	tokens, err := auth.New(auth.Options{GuestKey: []byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{hall: &hall{members: map[*member]bool{}}, auth: tokens, meter: &wsMeter{closed: map[wire.CloseCode]int{}}}
	opts := ws.Options{Rooms: e.hall, Auth: tokens, Meter: e.meter}
	if change != nil {
		change(&opts)
	}
	if e.sockets, err = ws.New(opts); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /v1/rooms/{id}/ws", e.sockets)
	e.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = e.sockets.Shutdown(ctx)
		e.server.Close()
	})
	return e
}

type wsMeter struct {
	mu                         sync.Mutex
	opened                     int
	closed                     map[wire.CloseCode]int
	in, out, inBytes, outBytes int
	writes                     int
}

func (m *wsMeter) SocketOpened() { m.mu.Lock(); defer m.mu.Unlock(); m.opened++ }

func (m *wsMeter) SocketClosed(c wire.CloseCode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed[c]++
}

func (m *wsMeter) SocketRead(n, b int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.in, m.inBytes = m.in+n, m.inBytes+b
}

func (m *wsMeter) SocketWritten(n, b int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out, m.outBytes, m.writes = m.out+n, m.outBytes+b, m.writes+1
}

func (m *wsMeter) closedWith(c wire.CloseCode) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed[c]
}

// wsClient is a client over a real socket.
type wsClient struct {
	t    testing.TB
	ws   *websocket.Conn
	e    wire.Encoding
	have []wire.ServerMessage
}

var wsSubprotocols = map[wire.Encoding]string{wire.JSON: wire.SubprotocolJSON, wire.CBOR: wire.SubprotocolCBOR}

func (e *endpoint) address(id room.ID) string {
	return e.server.URL + "/v1/rooms/" + string(id) + "/ws"
}

func (e *endpoint) dial(t testing.TB, id room.ID, enc wire.Encoding) *wsClient {
	t.Helper()
	return e.dialWith(t, id, enc, &websocket.DialOptions{Subprotocols: []string{wsSubprotocols[enc]}})
}

func (e *endpoint) dialWith(t testing.TB, id room.ID, enc wire.Encoding, opts *websocket.DialOptions) *wsClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Ceiling)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, e.address(id), opts)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &wsClient{t: t, ws: ws, e: enc}
}

// join dials and says hello.
func (e *endpoint) join(t testing.TB, enc wire.Encoding) *wsClient {
	t.Helper()
	c := e.dial(t, wsRoom, enc)
	c.hello(wire.Hello{Client: "c"})
	if _, ok := c.next().(wire.Welcome); !ok {
		t.Fatal("no welcome first")
	}
	return c
}

func (c *wsClient) send(b []byte) {
	c.t.Helper()
	kind := websocket.MessageText
	if c.e == wire.CBOR {
		kind = websocket.MessageBinary
	}
	if err := c.ws.Write(c.t.Context(), kind, b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *wsClient) hello(h wire.Hello) { c.t.Helper(); c.send(wire.AppendHello(nil, c.e, h)) }

func (c *wsClient) act(cseq uint64, data string) {
	c.t.Helper()
	c.send(wire.AppendAct(nil, c.e, wire.Act{CSeq: cseq, Data: json.RawMessage(data)}))
}

func (c *wsClient) read() error {
	ctx, cancel := context.WithTimeout(c.t.Context(), testwait.Ceiling)
	defer cancel()
	_, b, err := c.ws.Read(ctx)
	if err != nil {
		return err
	}
	for m, err := range wire.DecodeServer(c.e, b) {
		if err != nil {
			return err
		}
		c.have = append(c.have, m)
	}
	return nil
}

// next is the next protocol message.
func (c *wsClient) next() wire.ServerMessage {
	c.t.Helper()
	for len(c.have) == 0 {
		if err := c.read(); err != nil {
			c.t.Fatal(err)
		}
	}
	m := c.have[0]
	c.have = c.have[1:]
	return m
}

// until skips what comes before a message of type M.
func until[M wire.ServerMessage](c *wsClient) M {
	c.t.Helper()
	for {
		if m, ok := c.next().(M); ok {
			return m
		}
	}
}

// closed waits for the server's close frame and checks its code.
func (c *wsClient) closed(want wire.CloseCode) (reason string) {
	c.t.Helper()
	var err error
	for err == nil {
		err = c.read()
	}
	ce, ok := errors.AsType[websocket.CloseError](err)
	if !ok || ce.Code != websocket.StatusCode(want) {
		c.t.Fatalf("ended with %v, want code %d", err, want)
	}
	return ce.Reason
}

func (m *wsMeter) written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}
