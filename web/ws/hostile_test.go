package ws_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/ws"
)

// The tests here have peers that do what no WebSocket library does.

func rawDial(t testing.TB, e *endpoint) *net.TCPConn {
	t.Helper()
	nc, err := net.Dial("tcp", e.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(testwait.Ceiling))
	return nc.(*net.TCPConn)
}

func rawRequest(e *endpoint) []byte {
	return []byte("GET /v1/rooms/" + string(wsRoom) + "/ws HTTP/1.1\r\nHost: " + e.server.Listener.Addr().String() +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Protocol: " + wire.SubprotocolJSON + "\r\n\r\n")
}

// rawSocket is an upgraded connection and what reads from it.
func rawSocket(t testing.TB, e *endpoint) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	nc := rawDial(t, e)
	if _, err := nc.Write(rawRequest(e)); err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(nc)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatalf("%v %v", res, err)
	}
	return nc, br
}

// maskedFrame is a client's frame (RFC 6455, section 5.2); the mask is zero, which leaves the payload as it is.
func maskedFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// rawFrame reads one frame.
func rawFrame(t testing.TB, br *bufio.Reader) (first byte, payload []byte) {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		t.Fatalf("no frame: %v", err)
	}
	n := int64(head[1])
	var wide [8]byte
	switch n {
	case 126:
		_, _ = io.ReadFull(br, wide[6:])
		n = int64(binary.BigEndian.Uint64(wide[:]))
	case 127:
		_, _ = io.ReadFull(br, wide[:])
		n = int64(binary.BigEndian.Uint64(wide[:]))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(br, payload); err != nil {
		t.Fatal(err)
	}
	return head[0], payload
}

// rawClose reads frames up to the close frame and returns its code.
func rawClose(t testing.TB, br *bufio.Reader) wire.CloseCode {
	t.Helper()
	for {
		if first, payload := rawFrame(t, br); first == 0x88 {
			return wire.CloseCode(binary.BigEndian.Uint16(payload))
		}
	}
}

func rawHello(t testing.TB, nc net.Conn) {
	t.Helper()
	if _, err := nc.Write(maskedFrame(0x81, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "raw"}))); err != nil {
		t.Fatal(err)
	}
}

// chat checks that an act of a player is answered.
func chat(t testing.TB, c *wsClient, cseq uint64) {
	t.Helper()
	c.act(cseq, `"hi"`)
	if ack := until[wire.Ack](c); ack.CSeq != cseq {
		t.Fatalf("ack %d, want %d", ack.CSeq, cseq)
	}
}

// TestACloseReasonThatIsNotText checks that a reason that is not UTF-8 (RFC 6455, section 5.5.1) is never repeated.
func TestACloseReasonThatIsNotText(t *testing.T) {
	e := newEndpoint(t, nil)
	for reason, want := range map[string][]byte{"bye": []byte("\x03\xe8bye"), "\xff\xfe": []byte("\x03\xef"), "": []byte("\x03\xe8")} {
		nc, br := rawSocket(t, e)
		rawHello(t, nc)
		if _, err := nc.Write(maskedFrame(0x88, append([]byte{0x03, 0xe8}, reason...))); err != nil {
			t.Fatal(err)
		}
		for {
			first, payload := rawFrame(t, br)
			if first != 0x88 {
				continue
			}
			if !bytes.Equal(payload, want) {
				t.Errorf("a close for %q was answered with %q", reason, payload)
			}
			break
		}
	}
}

func TestAMessageOfOneMebibyte(t *testing.T) {
	e := newEndpoint(t, nil)
	player, bad := e.join(t, wire.CBOR), e.join(t, wire.JSON)
	go func() { // the server may close before all is written
		_ = bad.ws.Write(t.Context(), 1, wire.AppendAct(nil, wire.JSON, wire.Act{CSeq: 1, Data: json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)}))
	}()
	bad.closed(wire.CloseTooLarge)
	chat(t, player, 1)
}

func TestTenThousandMessages(t *testing.T) {
	e := newEndpoint(t, nil)
	player := e.join(t, wire.JSON)
	for _, frame := range [][]byte{
		maskedFrame(0x81, wire.AppendPing(nil, wire.JSON, wire.Ping{})),
		maskedFrame(0x89, nil), // WebSocket pings
	} {
		nc, br := rawSocket(t, e)
		rawHello(t, nc)
		go func() {
			for range 10_000 {
				if _, err := nc.Write(frame); err != nil {
					return
				}
			}
		}()
		if code := rawClose(t, br); code != wire.CloseTooMany {
			t.Errorf("code %d", code)
		}
	}
	chat(t, player, 1)
	// One WebSocket message may not hold what many may not.
	bad := e.join(t, wire.JSON)
	bad.send([]byte(strings.Repeat("{\"t\":\"ping\"}\n", 500)))
	bad.closed(wire.CloseTooMany)
}

// TestBytesASecond checks that a few large messages are too many as well, and that a client within the limits of welcome is never closed.
func TestBytesASecond(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) {
		o.MaxMessage, o.Rate, o.Bytes = 1<<10, limit.Rate{PerSecond: -1}, limit.Rate{PerSecond: 1 << 10, Burst: 8 << 10}
	})
	large := `"` + strings.Repeat("n", 900) + `"`
	c := e.join(t, wire.JSON)
	for cseq := range uint64(4) {
		c.act(cseq+1, large)
		until[wire.Ack](c)
	}
	greedy := e.join(t, wire.JSON)
	for cseq := range uint64(12) {
		greedy.act(cseq+1, large)
		if cseq < 4 {
			until[wire.Ack](greedy)
		}
	}
	greedy.closed(wire.CloseTooMany)
	chat(t, c, 5)
	if _, err := ws.New(ws.Options{
		Rooms: e.hall, Auth: webtest.GuestAuth(t), MaxMessage: 4 << 10, Bytes: limit.Rate{PerSecond: 1 << 10},
	}); err == nil || !strings.Contains(err.Error(), "4096") {
		t.Errorf("a largest message that could never be sent: %v", err)
	}
}

func TestAReaderThatNeverReads(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) {
		o.WriteTimeout = 1500 * time.Millisecond
		o.StuckAfter = 500 * time.Millisecond
		o.Flushers = 1
		o.Rate, o.Bytes, o.Floor = limit.Rate{PerSecond: -1}, limit.Rate{PerSecond: -1}, limit.Rate{PerSecond: -1}
	})
	nc, br := rawSocket(t, e)
	rawHello(t, nc)
	testwait.Until(t, "it is in the room", func() bool { return e.hall.size() == 1 })
	player := e.join(t, wire.JSON)
	noise := `"` + strings.Repeat("n", 12<<10) + `"`
	began := time.Now()
	cseq := uint64(0)
	for e.hall.size() == 2 {
		cseq++
		player.act(cseq, noise)
		if ack := until[wire.Ack](player); ack.CSeq != cseq {
			t.Fatalf("ack %d, want %d", ack.CSeq, cseq)
		}
		if time.Since(began) > testwait.Ceiling {
			t.Fatal("the reader was never given up")
		}
	}
	if cseq < 20 {
		t.Errorf("the other player got only %d turns meanwhile", cseq)
	}
	if code := rawClose(t, br); code != wire.CloseTooSlow { // it wakes up and learns why
		t.Errorf("code %d", code)
	}
	chat(t, player, cseq+1)
}

func TestAReaderThatNeverReadsIsForgotten(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) { o.WriteTimeout = 50 * time.Millisecond })
	nc, _ := rawSocket(t, e)
	_ = nc.SetReadBuffer(4 << 10)
	rawHello(t, nc)
	testwait.Until(t, "it is in the room", func() bool { return e.hall.size() == 1 })
	for e.hall.size() == 1 {
		e.hall.mu.Lock()
		e.hall.say(json.RawMessage(`"` + strings.Repeat("n", 12<<10) + `"`))
		e.hall.mu.Unlock()
	}
	testwait.Until(t, "the socket is gone", func() bool { return e.sockets.Open() == 0 })
}

func TestHalfAFrameAndSilence(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) {
		o.Heartbeat = 100 * time.Millisecond
		o.Hello = 200 * time.Millisecond
	})
	frame := maskedFrame(0x81, wire.AppendAct(nil, wire.JSON, wire.Act{CSeq: 1, Data: []byte(`"xxxxxxxx"`)}))
	for _, n := range []int{1, 4, 10} {
		nc, br := rawSocket(t, e)
		rawHello(t, nc)
		if _, err := nc.Write(frame[:n]); err != nil {
			t.Fatal(err)
		}
		if code := rawClose(t, br); code != wire.CloseNoHeartbeat {
			t.Errorf("%d bytes: code %d", n, code)
		}
		nc, br = rawSocket(t, e)
		if _, err := nc.Write(frame[:n]); err != nil {
			t.Fatal(err)
		}
		if code := rawClose(t, br); code != wire.CloseNoHello {
			t.Errorf("%d bytes before hello: code %d", n, code)
		}
	}
	// Bytes that make no message do not put the end off.
	nc, br := rawSocket(t, e)
	rawHello(t, nc)
	go func() {
		for i := range frame[:len(frame)-1] {
			if _, err := nc.Write(frame[i : i+1]); err != nil {
				return
			}
			time.Sleep(60 * time.Millisecond)
		}
	}()
	if code := rawClose(t, br); code != wire.CloseNoHeartbeat {
		t.Errorf("drop by drop: code %d", code)
	}
}

func TestNoHello(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) { o.Hello = 50 * time.Millisecond })
	e.dial(t, wsRoom, wire.JSON).closed(wire.CloseNoHello)
}

func TestSilenceEndsASocketAndWordsDoNot(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) { o.Heartbeat = time.Second })
	silent, talking, pinging := e.join(t, wire.JSON), e.join(t, wire.CBOR), e.join(t, wire.JSON)
	go func() { _ = pinging.read() }() // a ping's answer is heard while reading
	done := make(chan struct{})
	go func() {
		defer close(done)
		silent.closed(wire.CloseNoHeartbeat)
	}()
	for range 12 {
		time.Sleep(300 * time.Millisecond)
		talking.send(wire.AppendPing(nil, wire.CBOR, wire.Ping{}))
		_ = pinging.ws.Ping(t.Context())
	}
	<-done
	chat(t, talking, 1)
	if n := e.sockets.Open(); n != 2 {
		t.Errorf("%d sockets are open, want the two that are alive", n)
	}
}

func TestTheServerSpeaksWhenNobodyElseDoes(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) { o.Heartbeat = time.Second })
	c := e.join(t, wire.JSON)
	if pong := until[wire.Pong](c); pong.Echo != nil {
		t.Errorf("%+v", pong)
	}
}

func TestARoomThatDoesNotAnswer(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) { o.Attach = 50 * time.Millisecond })
	e.hall.block = make(chan struct{})
	c := e.dial(t, wsRoom, wire.JSON)
	c.hello(wire.Hello{Client: "c"})
	c.closed(wire.CloseUnreachable)
}

func TestBrokenFramesHarmNobody(t *testing.T) {
	e := newEndpoint(t, nil)
	player := e.join(t, wire.JSON)
	for _, bad := range [][]byte{
		{0x81, 0x01, 'x'},                                    // not masked
		{0xf1, 0x80, 0, 0, 0, 0},                             // reserved bits
		{0x83, 0x80, 0, 0, 0, 0},                             // unknown opcode
		{0x80, 0x80, 0, 0, 0, 0},                             // continues nothing
		{0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255}, // longer than anything
		{0x09, 0x80, 0, 0, 0, 0},                             // a control frame in parts
		{0x88, 0x81, 0, 0, 0, 0, 1},                          // a close frame of one byte
	} {
		nc, br := rawSocket(t, e)
		rawHello(t, nc)
		if _, err := nc.Write(bad); err != nil {
			t.Fatal(err)
		}
		_ = nc.CloseWrite()
		if _, err := io.Copy(io.Discard, br); err != nil {
			t.Errorf("%x: %v", bad, err)
		}
	}
	chat(t, player, 1)
	testwait.Until(t, "the bad ones are gone", func() bool { return e.sockets.Open() == 1 })
}

// TestIdleConnectionsAreSmall bounds the memory of a connection that sends nothing. Both ends are in this process, and the client's is a
// bare TCP connection, so nearly all of the memory is the server's.
func TestIdleConnectionsAreSmall(t *testing.T) {
	const n = 400
	e := newEndpoint(t, nil)
	open := func() {
		nc, br := rawSocket(t, e)
		rawHello(t, nc)
		_ = br
	}
	for range 20 {
		open() // warms pools and maps up
	}
	testwait.Until(t, "they are in", func() bool { return e.hall.size() == 20 })
	before := inUse()
	for range n {
		open()
	}
	testwait.Until(t, "all are in", func() bool { return e.hall.size() == 20+n })
	testwait.Until(t, "a connection takes less than 24 KiB", func() bool {
		each := (inUse() - before) / n
		t.Logf("%d bytes a connection, the test's own end included", each)
		return each < 24<<10
	})
}

// inUse is the memory of heap and stacks after collection. It collects more than once because stacks shrink by halves.
func inUse() uint64 {
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestABurstOfPings sends as many pings at once as a burst allows, of the protocol and of WebSocket, and counts the pongs of each.
func TestABurstOfPings(t *testing.T) {
	e := newEndpoint(t, nil)
	nc, br := rawSocket(t, e)
	rawHello(t, nc)
	const n = 59 // of either kind; a burst is 120
	var batch []byte
	echo := json.RawMessage(`"` + strings.Repeat("x", 62) + `"`)
	for i := range n {
		if i > 0 {
			batch = append(batch, '\n')
		}
		batch = wire.AppendPing(batch, wire.JSON, wire.Ping{Echo: echo})
	}
	batch = maskedFrame(0x81, batch)
	for range n {
		batch = append(batch, maskedFrame(0x89, []byte(strings.Repeat("y", 125)))...)
	}
	if _, err := nc.Write(batch); err != nil {
		t.Fatal(err)
	}
	for pongs, controls := 0, 0; pongs < n || controls < n; {
		first, payload := rawFrame(t, br)
		switch first {
		case 0x8a:
			controls++
		case 0x81:
			pongs += strings.Count(string(payload), `"pong"`)
		default:
			t.Fatalf("after %d and %d pongs a frame %x came: %q", pongs, controls, first, payload)
		}
	}
}
