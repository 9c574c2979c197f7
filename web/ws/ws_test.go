package ws_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/metrics"
	"github.com/roomring/roomring/web/trust"
	"github.com/roomring/roomring/web/ws"
)

func TestSocketTalksInBothEncodings(t *testing.T) {
	for _, enc := range []wire.Encoding{wire.JSON, wire.CBOR} {
		e := newEndpoint(t, nil)
		c := e.dial(t, wsRoom, enc)
		if c.ws.Subprotocol() != wsSubprotocols[enc] {
			t.Errorf("speaks %q", c.ws.Subprotocol())
		}
		c.hello(wire.Hello{Client: "c1", Attempt: 3, Name: "Ann", Resume: &wire.Resume{Epoch: 1, Seq: 2}})
		w := until[wire.Welcome](c)
		if w.Token == "" || w.Heartbeat != 10_000 || w.Limits != (wire.Limits{Message: 16 << 10, Unanswered: 32, Rate: 60, Bytes: 64 << 10}) {
			t.Errorf("welcome %+v", w)
		}
		got := e.hall.hellos[0]
		if got.Name != "Ann" || got.Client != "c1" || got.Attempt != 3 || got.Spectate || *got.Resume != (record.Point{Epoch: 1, Seq: 2}) || got.Player == "" {
			t.Errorf("the room heard %+v", got)
		}
		c.act(1, `{"n":9007199254740991}`)
		if turn := until[wire.Turn](c); string(turn.Events[0].Data) != `{"n":9007199254740991}` {
			t.Errorf("turn %+v", turn)
		}
		if ack := until[wire.Ack](c); ack != (wire.Ack{CSeq: 1, Seq: 1}) {
			t.Errorf("ack %+v", ack)
		}
		c.send(wire.AppendPing(nil, enc, wire.Ping{Echo: []byte(`"x"`)}))
		if pong := until[wire.Pong](c); string(pong.Echo) != `"x"` || time.Since(time.UnixMilli(pong.Time)).Abs() > time.Hour {
			t.Errorf("pong %+v", pong)
		}
		c.send(wire.AppendResync(nil, enc))
		until[wire.State](c)
		c.send(wire.AppendLeave(nil, enc))
		c.closed(wire.CloseNormal)
	}
}

func TestGuestTokenMakesTheSamePlayer(t *testing.T) {
	e := newEndpoint(t, nil)
	first := e.dial(t, wsRoom, wire.JSON)
	first.hello(wire.Hello{Client: "c"})
	w := until[wire.Welcome](first)
	second := e.dial(t, wsRoom, wire.CBOR)
	second.hello(wire.Hello{Client: "c", Token: w.Token})
	if again := until[wire.Welcome](second); again.Player != w.Player || again.Token != "" {
		t.Errorf("%+v, want player %s and no other token", again, w.Player)
	}
}

func TestSpectatorsAreNobody(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.dial(t, wsRoom, wire.JSON)
	c.hello(wire.Hello{Client: "c", As: wire.AsSpectator})
	until[wire.Welcome](c)
	if h := e.hall.hellos[0]; !h.Spectate || h.Player != "" || h.Token != "" {
		t.Errorf("%+v", h)
	}
}

// TestBatches sends all kinds of messages, hello too, in one WebSocket message.
func TestBatches(t *testing.T) {
	for _, enc := range []wire.Encoding{wire.JSON, wire.CBOR} {
		c := newEndpoint(t, nil).dial(t, wsRoom, enc)
		batch := wire.AppendHello(nil, enc, wire.Hello{Client: "c"})
		for i := range uint64(30) {
			if enc == wire.JSON {
				batch = append(batch, '\n')
			}
			batch = wire.AppendAct(batch, enc, wire.Act{CSeq: i + 1, Data: []byte("1")})
		}
		c.send(batch)
		until[wire.Welcome](c)
		for i := range uint64(30) {
			if ack := until[wire.Ack](c); ack.CSeq != i+1 {
				t.Fatalf("ack %d, want %d", ack.CSeq, i+1)
			}
		}
	}
}

func TestWhatIsQueuedIsJoined(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.join(t, wire.JSON)
	before := e.meter.written()
	e.hall.mu.Lock()
	for range 100 {
		e.hall.say([]byte("1"))
	}
	e.hall.mu.Unlock()
	for i := range uint64(100) {
		if turn := until[wire.Turn](c); turn.Seq != i+1 {
			t.Fatalf("turn %d, want %d", turn.Seq, i+1)
		}
	}
	if n := e.meter.written() - before; n > 60 {
		t.Errorf("100 turns took %d writes", n)
	}
}

// TestCloseCodes checks the close codes for bad input, in both encodings where that makes sense.
func TestCloseCodes(t *testing.T) {
	e := newEndpoint(t, nil)
	_, token, err := e.auth.Guest("x")
	if err != nil {
		t.Fatal(err)
	}
	other, err := auth.New(auth.Options{GuestKey: []byte(strings.Repeat("o", 32))})
	if err != nil {
		t.Fatal(err)
	}
	_, forged, _ := other.Guest("x")
	hello := `{"t":"hello","client":"c","token":"` + token + `"}`
	for name, c := range map[string]struct {
		room   room.ID
		say    string
		code   wire.CloseCode
		reason string
	}{
		"malformed":        {wsRoom, `{"t":`, wire.CloseBadMessage, "malformed JSON"},
		"unknown type":     {wsRoom, `{"t":"fly"}`, wire.CloseBadMessage, "unknown type"},
		"wrong field":      {wsRoom, hello + "\n" + `{"t":"act","cseq":"1","data":1}`, wire.CloseBadMessage, "cseq"},
		"act before hello": {wsRoom, `{"t":"act","cseq":1,"data":1}`, wire.CloseBadMessage, "first message must be hello"},
		"hello twice":      {wsRoom, hello + "\n" + hello, wire.CloseBadMessage, "once"},
		"empty":            {wsRoom, ``, wire.CloseBadMessage, "empty"},
		"no token at all":  {wsRoom, `{"t":"hello","client":"c","token":"x"}`, wire.CloseUnauthorised, "token"},
		"forged token":     {wsRoom, `{"t":"hello","client":"c","token":"` + forged + `"}`, wire.CloseUnauthorised, "token"},
		"no such room":     {wsEmpty, hello, wire.CloseNoRoom, "no such room"},
		"no room id":       {"short", hello, wire.CloseNoRoom, "no such room"},
		"unreachable":      {wsAway, hello, wire.CloseUnreachable, "retry"},
		"refused":          {wsFull, hello, wire.CloseForbidden, "full"},
		"finished":         {wsOver, hello, wire.CloseOver, "over"},
		"nested too deep":  {wsRoom, hello + "\n" + `{"t":"ping","echo":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`, wire.CloseBadMessage, "nested"},
		"too large":        {wsRoom, strings.Repeat(" ", 20<<10), wire.CloseTooLarge, "16384 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := e.dial(t, c.room, wire.JSON)
			ws.send([]byte(c.say))
			if reason := ws.closed(c.code); !strings.Contains(reason, c.reason) || len(reason) > 123 || strings.Contains(reason, "10.0.0.5") {
				t.Errorf("reason %q, want one with %q", reason, c.reason)
			}
		})
	}
	testwait.Until(t, "every session detached", func() bool { return e.hall.size() == 0 })
}

func TestFinishedRoomTellsItsResultFirst(t *testing.T) {
	for _, enc := range []wire.Encoding{wire.JSON, wire.CBOR} {
		c := newEndpoint(t, nil).dial(t, wsOver, enc)
		c.hello(wire.Hello{Client: "c"})
		if over := until[wire.Over](c); over.End != "finished" || string(over.Result) != `{"reason":"checkmate"}` {
			t.Errorf("%+v", over)
		}
		c.closed(wire.CloseOver)
	}
}

func TestTokensForOtherRoomsAndGames(t *testing.T) {
	keyed := &oneIdentity{}
	e := newEndpoint(t, func(o *ws.Options) { o.Auth = keyed })
	for name, c := range map[string]struct {
		who  auth.Identity
		code wire.CloseCode
	}{
		"other room": {auth.Identity{Player: "p", Room: wsFull}, wire.CloseForbidden},
		"other game": {auth.Identity{Player: "p", Game: "chess"}, wire.CloseForbidden},
		"no token":   {auth.Identity{}, wire.CloseUnauthorised},
	} {
		keyed.who = c.who
		ws := e.dial(t, wsRoom, wire.JSON)
		h := wire.Hello{Client: "c"}
		if c.who.Player != "" {
			h.Token = "any"
		}
		ws.hello(h)
		if reason := ws.closed(c.code); reason == "" {
			t.Errorf("%s: no reason", name)
		}
	}
	keyed.who = auth.Identity{Player: "p", Game: "hall", Room: wsRoom}
	ws := e.dial(t, wsRoom, wire.JSON)
	ws.hello(wire.Hello{Client: "c", Token: "any", Name: "  Zed\u202e "})
	until[wire.Welcome](ws)
	if h := e.hall.hellos[0]; h.Name != "Zed" || h.Player != "p" {
		t.Errorf("%+v", h)
	}
}

// oneIdentity lets in one identity and no guests.
type oneIdentity struct{ who auth.Identity }

func (d *oneIdentity) Check(context.Context, string) (auth.Identity, error) { return d.who, nil }

func (d *oneIdentity) Guest(string) (auth.Identity, string, error) {
	return auth.Identity{}, "", auth.ErrNoGuests
}

func (d *oneIdentity) Guests() bool { return false }

func TestSubprotocols(t *testing.T) {
	e := newEndpoint(t, nil)
	for _, c := range []struct {
		offer []string
		want  string
		known bool
	}{
		{[]string{"chat", wire.SubprotocolCBOR, wire.SubprotocolJSON}, wire.SubprotocolCBOR, true},
		{[]string{wire.SubprotocolJSON, wire.SubprotocolCBOR}, wire.SubprotocolJSON, true},
		{[]string{"chat", "soap"}, "chat", false},
		{nil, "", false},
	} {
		ws := e.dialWith(t, wsRoom, wire.JSON, &websocket.DialOptions{Subprotocols: c.offer})
		if ws.ws.Subprotocol() != c.want {
			t.Errorf("%v: chose %q, want %q", c.offer, ws.ws.Subprotocol(), c.want)
		}
		if !c.known {
			if reason := ws.closed(wire.CloseBadMessage); !strings.Contains(reason, wire.SubprotocolJSON) {
				t.Errorf("reason %q", reason)
			}
		}
	}
}

func TestWrongKindOfMessage(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.dial(t, wsRoom, wire.JSON)
	if err := c.ws.Write(t.Context(), websocket.MessageBinary, []byte(`{"t":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	c.closed(wire.CloseBadMessage)
}

func TestRefusedBeforeTheUpgrade(t *testing.T) {
	draining := false
	e := newEndpoint(t, func(o *ws.Options) {
		o.Draining = func() bool { return draining }
		o.Origins = webtest.Origins(t, "https://*.example.org", "https://exact.test", "capacitor://localhost", "file://")
	})
	own := e.server.URL
	for _, c := range []struct {
		origin string
		status int
	}{
		{"", 101}, {own, 101}, {"https://a.example.org", 101}, {"https://EXACT.test", 101},
		{"http://a.example.org", 403}, {"https://example.org", 403}, {"https://evil.test", 403}, {"null", 403},
		{"https://evil.test/.example.org", 403}, {"capacitor://localhost", 101}, {"file://", 101}, {"ionic://localhost", 403},
		{strings.Replace(own, "http", "capacitor", 1), 403},
	} {
		if status, _ := upgrade(t, e, c.origin, true); status != c.status {
			t.Errorf("origin %q: %d, want %d", c.origin, status, c.status)
		}
	}
	if status, h := upgrade(t, e, "", false); status != 426 || h.Get("Upgrade") != "websocket" || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("plain GET: %d %v", status, h)
	}
	draining = true
	if status, h := upgrade(t, e, "", true); status != 503 || h.Get("Retry-After") == "" || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("draining: %d %v", status, h)
	}
}

// upgrade asks for a socket as a browser does, and returns the answer.
func upgrade(t *testing.T, e *endpoint, origin string, ws bool) (int, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", e.address(wsRoom), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ws {
		req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {wire.SubprotocolJSON}}
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := e.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 101 {
		_, _ = io.Copy(io.Discard, res.Body)
	}
	return res.StatusCode, res.Header
}

func TestSocketsNeedRoomsAndAuth(t *testing.T) {
	if _, err := ws.New(ws.Options{}); err == nil {
		t.Error("no rooms and no auth were taken")
	}
}

func TestSocketsAnAddressAreCapped(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) {
		o.PerAddress = 2
		o.Proxies = trust.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(addr string) *wsClient {
		return e.dialWith(t, wsRoom, wire.JSON, &websocket.DialOptions{
			Subprotocols: []string{wire.SubprotocolJSON}, HTTPHeader: http.Header{"X-Forwarded-For": {addr}},
		})
	}
	first, second := from("2001:db8::1"), from("2001:db8::2")
	for _, c := range []*wsClient{first, second} { // the server counts a socket a moment after the client has it
		c.hello(wire.Hello{Client: rand.Text()})
		until[wire.Welcome](c)
	}
	from("2001:db8::3").closed(wire.CloseTooMany) // one /64
	other := from("2001:db8:1::1")
	other.hello(wire.Hello{Client: "c"})
	until[wire.Welcome](other)
	_ = first.ws.Close(websocket.StatusNormalClosure, "")
	testwait.Until(t, "the place is free again", func() bool { return e.sockets.Open() == 2 })
	again := from("2001:db8::4")
	again.hello(wire.Hello{Client: "c"})
	until[wire.Welcome](again)
}

func TestShutdownSendsEverybodyElsewhere(t *testing.T) {
	e := newEndpoint(t, nil)
	e.hall.block = make(chan struct{})
	waiting := e.dial(t, wsRoom, wire.JSON)
	waiting.hello(wire.Hello{Client: "w"}) // is in Attach
	silent := e.dial(t, wsRoom, wire.JSON) // says no hello
	go func() { e.hall.block <- struct{}{} }()
	time.Sleep(50 * time.Millisecond)
	clients := []*wsClient{waiting, silent}
	for range 20 {
		go func() { e.hall.block <- struct{}{} }()
		clients = append(clients, e.join(t, wire.CBOR))
	}
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), testwait.Ceiling)
		defer cancel()
		done <- e.sockets.Shutdown(ctx)
	}()
	for _, c := range clients {
		c.closed(wire.CloseMoved)
	}
	if err := <-done; err != nil || e.sockets.Open() != 0 || e.hall.size() != 0 {
		t.Errorf("%v, %d sockets, %d sessions left", err, e.sockets.Open(), e.hall.size())
	}
	if status, _ := upgrade(t, e, "", true); status != 503 {
		t.Errorf("afterwards an upgrade gets %d", status)
	}
	if err := e.sockets.Shutdown(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestShutdownCutsOffWhoDoesNotAnswer(t *testing.T) {
	e := newEndpoint(t, nil)
	rawSocket(t, e) // never answers the close frame
	testwait.Until(t, "the socket is open", func() bool { return e.sockets.Open() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.sockets.Shutdown(ctx); err == nil || e.sockets.Open() != 0 {
		t.Errorf("%v, %d left", err, e.sockets.Open())
	}
}

func TestTheRoomEndsASession(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.join(t, wire.JSON)
	e.hall.mu.Lock()
	for m := range e.hall.members {
		for range 1000 {
			m.feed.Deliver(&actor.Say{Frame: wire.AppendAck(nil, wire.JSON, wire.Ack{CSeq: 1, Seq: 1})})
		}
		m.feed.Deliver(&actor.End{Why: &actor.CloseError{Code: wire.CloseReplaced, Reason: "a newer client has the seat"}})
	}
	e.hall.mu.Unlock()
	for range 1000 {
		until[wire.Ack](c) // all that was queued comes first
	}
	c.closed(wire.CloseReplaced)
	testwait.Until(t, "it is counted", func() bool { return e.meter.closedWith(wire.CloseReplaced) == 1 })
}

func TestAClientThatGoesIsDetached(t *testing.T) {
	e := newEndpoint(t, nil)
	a, b := e.join(t, wire.JSON), e.join(t, wire.CBOR)
	_ = a.ws.Close(websocket.StatusNormalClosure, "bye")
	_ = b.ws.CloseNow()
	testwait.Until(t, "both are gone", func() bool { return e.hall.size() == 0 && e.sockets.Open() == 0 })
	if e.meter.closedWith(1000) != 1 || e.meter.closedWith(1006) != 1 {
		t.Errorf("%v", e.meter.closed)
	}
	if e.hall.left != 2 {
		t.Errorf("%d detached", e.hall.left)
	}
}

func TestTheMeterCounts(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.join(t, wire.JSON)
	c.act(1, "1")
	until[wire.Ack](c)
	c.send(wire.AppendLeave(nil, wire.JSON))
	c.closed(wire.CloseNormal)
	testwait.Until(t, "the socket is closed", func() bool { return e.sockets.Open() == 0 })
	e.meter.mu.Lock()
	defer e.meter.mu.Unlock()
	got := []int{e.meter.opened, e.meter.in, e.meter.out, e.meter.closed[wire.CloseNormal]}
	if want := []int{1, 3, 3, 1}; !slices.Equal(got, want) { // hello, act, leave; welcome, turn, ack
		t.Errorf("opened, in, out, closed: %v, want %v", got, want)
	}
	if e.meter.inBytes < 50 || e.meter.outBytes < 100 {
		t.Errorf("%d bytes in, %d out", e.meter.inBytes, e.meter.outBytes)
	}
}

// TestBytesSentWithTheHandshakeAreNotLost has a client that does not wait for the handshake's answer.
func TestBytesSentWithTheHandshakeAreNotLost(t *testing.T) {
	e := newEndpoint(t, nil)
	nc := rawDial(t, e)
	req := rawRequest(e)
	req = append(req, maskedFrame(0x81, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "c"}))...)
	req = append(req, maskedFrame(0x81, wire.AppendAct(nil, wire.JSON, wire.Act{CSeq: 1, Data: bytes.Repeat([]byte("1"), 9000)}))...)
	if _, err := nc.Write(req); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "the act arrives", func() bool { e.hall.mu.Lock(); defer e.hall.mu.Unlock(); return e.hall.seq == 1 })
}

func TestSocketMetrics(t *testing.T) {
	metrics := metrics.New()
	e := newEndpoint(t, func(o *ws.Options) { o.Meter = metrics })
	c := e.join(t, wire.JSON)
	c.act(1, "1")
	until[wire.Ack](c)
	_ = c.ws.Close(4321, "a code of the client's own")
	testwait.Until(t, "the socket is closed", func() bool { return e.sockets.Open() == 0 })
	rec := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"roomring_sockets 0", "roomring_sockets_opened_total 1", `roomring_sockets_closed_total{code="1000"} 1`,
		`roomring_socket_messages_total{direction="in"} 2`, `roomring_socket_messages_total{direction="out"} 3`,
	} {
		if !strings.Contains(rec.Body.String(), line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
}

// TestOverTLS has connections that cannot be written to without blocking.
func TestOverTLS(t *testing.T) {
	e := newEndpoint(t, nil)
	plain := e.server
	e.server = httptest.NewTLSServer(plain.Config.Handler)
	t.Cleanup(e.server.Close)
	t.Cleanup(plain.Close)
	c := e.dialWith(t, wsRoom, wire.CBOR, &websocket.DialOptions{
		Subprotocols: []string{wire.SubprotocolCBOR}, HTTPClient: e.server.Client(),
	})
	c.hello(wire.Hello{Client: "c"})
	until[wire.Welcome](c)
	for i := range uint64(50) {
		chat(t, c, i+1)
	}
	c.send(wire.AppendLeave(nil, wire.CBOR))
	c.closed(wire.CloseNormal)
	testwait.Until(t, "the socket is closed", func() bool { return e.sockets.Open() == 0 })
}
